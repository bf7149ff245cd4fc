//! Quantities and counts: predicted against actual, residuals, calibration.

use super::{Context, add, thinned, worst};
use crate::block::{Section, Table};
use crate::chart::{Bar, Points, bars, points};
use crate::number::{count, number};

/// Parts of the predictions, by their size, in which means are compared.
const PARTS: usize = 10;

pub fn details(section: &mut Section, context: &Context<'_>, truth: &[f64], predicted: &[f64]) {
    let name = &context.task.name;
    let residuals: Vec<f64> = truth.iter().zip(predicted).map(|(y, p)| y - p).collect();
    let some: Vec<usize> = thinned(truth.len(), context.points).collect();
    let sample = if some.len() < truth.len() {
        format!(" ({} of {} rows)", count(some.len()), count(truth.len()))
    } else {
        String::new()
    };
    let (calibration, parts) = calibration(truth, predicted);
    let cloud = Points {
        x: "predicted",
        y: "actual",
        points: some.iter().map(|&i| (predicted[i], truth[i])).collect(),
        diagonal: true,
        joined: parts,
        ..Points::default()
    };
    let title = "Predicted against actual";
    let words = format!(
        "A dot a row{sample}: {name} as predicted, across, and as it was, upwards; on the dashed line both are the same. The \
         joined dots are means over tenths of the rows, by prediction: off the line, predictions of that size are biased."
    );
    add(section, title, words.clone(), points(title, &words, &cloud), Some(calibration));
    let cloud = Points {
        x: "predicted",
        y: "actual − predicted",
        points: some.iter().map(|&i| (predicted[i], residuals[i])).collect(),
        mark: Some(0.0),
        ..Points::default()
    };
    let title = "Residuals";
    let words = format!(
        "What {name} was above its prediction, by the size of the prediction{sample}. A slope, a bend or a funnel tells of \
         something that the model misses."
    );
    let (histogram, table) = histogram(&residuals);
    add(section, title, words.clone(), points(title, &words, &cloud), None);
    let title = "How large the residuals are";
    let words =
        format!("Rows by their residual, from {} to {}.", number(least(&residuals)), number(greatest(&residuals)));
    add(section, title, words.clone(), bars(title, &words, "rows", &histogram, false), Some(table));
    let sizes: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
    let cells = |i: usize| vec![number(truth[i]), number(predicted[i]), number(residuals[i])];
    let places = worst::largest(&sizes);
    section.table(worst::table(context, &["actual", "predicted", "residual"], &places, cells));
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// Means of prediction and label over parts of the rows of like predictions.
fn calibration(truth: &[f64], predicted: &[f64]) -> (Table, Vec<(f64, f64)>) {
    let mut order: Vec<usize> = (0..predicted.len()).collect();
    order.sort_by(|a, b| predicted[*a].total_cmp(&predicted[*b]));
    let mut table = Table::numbers(
        "Calibration: means over tenths of the rows, by prediction",
        &["part", "rows", "predicted", "actual"],
    )
    .folded();
    let mut means = Vec::new();
    for (i, part) in order.chunks(order.len().div_ceil(PARTS).max(1)).enumerate() {
        let mean = |values: &[f64]| part.iter().map(|i| values[*i]).sum::<f64>() / part.len() as f64;
        let (p, y) = (mean(predicted), mean(truth));
        table.row([(i + 1).to_string(), count(part.len()), number(p), number(y)]);
        means.push((p, y));
    }
    (table, means)
}

/// Rows by their residual.
fn histogram(residuals: &[f64]) -> (Vec<Bar>, Table) {
    let (low, high) = (least(residuals), greatest(residuals));
    let edges = match high > low {
        true => crate::number::ticks(low, high, 12),
        false => vec![low],
    };
    let step = edges.get(1).zip(edges.first()).map_or(1.0, |(b, a)| b - a);
    let first = (low / step).floor();
    let bins = ((high / step).floor() - first) as usize + 1;
    let mut counts = vec![0usize; bins.clamp(1, 40)];
    for residual in residuals {
        let bin = ((residual / step).floor() - first).max(0.0) as usize;
        let last = counts.len() - 1;
        counts[bin.min(last)] += 1;
    }
    let mut table = Table::numbers("Rows by residual", &["residual", "rows"]).folded();
    let mut all = Vec::new();
    for (i, rows) in counts.into_iter().enumerate() {
        let from = (first + i as f64) * step;
        let name = format!("{} to {}", crate::number::tick(from), crate::number::tick(from + step));
        table.row([name.clone(), count(rows)]);
        all.push(Bar { name, value: rows as f64, interval: None, colour: 0 });
    }
    (all, table)
}
