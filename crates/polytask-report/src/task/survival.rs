//! Times until an event: the predicted shares that it has not come to beside those seen.

use super::{Context, add};
use crate::block::{Section, Table};
use crate::chart::{Axes, Line, lines};
use crate::number::{count, number};
use polytask::metric::{Curve, Seen};
use polytask::tasks::Prediction;

/// Parts of the rows, by the time that is expected of them.
const PARTS: [&str; 3] = ["shortest third", "middle third", "longest third"];
/// Rows from which on there are parts.
const MANY: usize = 30;

pub fn details(section: &mut Section, context: &Context<'_>, seen: &[Option<Seen>], prediction: &Prediction) {
    let Prediction::Survival { times, alive } = prediction else { return };
    let expected = prediction.expected_times();
    let mut order: Vec<usize> = (0..seen.len()).filter(|row| seen[*row].is_some()).collect();
    order.sort_by(|a, b| expected[*a].total_cmp(&expected[*b]));
    let names: &[&str] = if order.len() < MANY { &["all rows"] } else { &PARTS };
    let mut series = Vec::new();
    let mut table =
        Table::numbers("By the time that is expected", &["rows", "count", "events", "expected time", "until"]);
    for (part, name) in names.iter().enumerate() {
        let rows = &order[part * order.len() / names.len()..(part + 1) * order.len() / names.len()];
        let own: Vec<Seen> = rows.iter().filter_map(|row| seen[*row]).collect();
        let curve = Curve::of_events(&own);
        let followed = own.iter().map(|row| row.time).fold(0.0, f64::max);
        let mean =
            |k: usize| rows.iter().map(|row| alive[row * times.len() + k]).sum::<f64>() / rows.len().max(1) as f64;
        let line = |share: &dyn Fn(usize, f64) -> f64| -> Vec<(f64, f64)> {
            let points = times.iter().enumerate().map(|(k, time)| (*time, share(k, *time)));
            std::iter::once((0.0, 1.0)).chain(points).collect()
        };
        let points = line(&|_, time| if time <= followed { curve.at(time) } else { f64::NAN });
        let drawn = |name: String, points, dashed| Line { name, points, errors: Vec::new(), dashed, colour: part };
        series.push(drawn((*name).to_owned(), points, false));
        series.push(drawn(format!("{name}, predicted"), line(&|k, _| mean(k)), true));
        let events = own.iter().filter(|row| row.event).count();
        let lives = rows.iter().map(|row| expected[*row]).sum::<f64>() / rows.len().max(1) as f64;
        table.row([(*name).to_owned(), count(own.len()), count(events), number(lives), number(followed)]);
    }
    let title = "Shares that the event has not come to";
    let words = format!(
        "Rows by the time that is expected of them for {}: as they were seen (Kaplan and Meier), and in dashes what was \
         predicted. Lines far apart tell that the model orders the rows, and a dashed line on its own that the shares are right.",
        context.task.name
    );
    let axes = Axes { x: "time", y: "share", log_x: false, log_y: false, mark: None };
    add(section, title, words.clone(), lines(title, &words, axes, &series), Some(table));
}
