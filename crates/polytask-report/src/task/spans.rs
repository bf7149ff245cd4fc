//! Labelled spans: tags, slots, names.

use super::{Context, add, worst};
use crate::block::{Section, Table};
use crate::chart::{Bar, bars};
use crate::number::{count, number};
use polytask_data::text::Span;
use std::collections::{BTreeMap, BTreeSet};

pub fn details(section: &mut Section, context: &Context<'_>, truth: &[Option<Vec<Span>>], predicted: &[Vec<Span>]) {
    // By label: hits, predicted, labelled.
    let mut labels: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut errors = vec![0.0; truth.len()];
    for (row, (truth, predicted)) in truth.iter().zip(predicted).enumerate() {
        let Some(truth) = truth else { continue };
        let (right, guessed): (BTreeSet<&Span>, BTreeSet<&Span>) = (truth.iter().collect(), predicted.iter().collect());
        for span in &right {
            labels.entry(&span.label).or_default()[2] += 1;
        }
        for span in &guessed {
            let own = labels.entry(&span.label).or_default();
            own[1] += 1;
            own[0] += usize::from(right.contains(span));
        }
        errors[row] = right.symmetric_difference(&guessed).count() as f64;
    }
    by_label(section, "Spans by label", &labels);
    let shown = |spans: &[Span]| {
        let one = |span: &Span| match span.first == span.last {
            true => format!("{} {}", span.label, span.first + 1),
            false => format!("{} {}–{}", span.label, span.first + 1, span.last + 1),
        };
        spans.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let cells = |row: usize| {
        let was = truth[row].as_deref().map_or(String::new(), shown);
        vec![was, shown(&predicted[row]), count(errors[row] as usize)]
    };
    let header = ["spans (label, tokens)", "predicted", "wrong or missed"];
    section.table(worst::table(context, &header, &worst::largest(&errors), cells));
}

/// Precision, recall and F1 by label; counts are hits, predicted, labelled.
pub fn by_label(section: &mut Section, title: &str, labels: &BTreeMap<&str, [usize; 3]>) {
    let share = |part: usize, whole: usize| if whole > 0 { part as f64 / whole as f64 } else { f64::NAN };
    let mut table = Table::numbers(title, &["label", "precision", "recall", "F1", "labelled", "predicted"]).folded();
    let mut order: Vec<(&&str, &[usize; 3])> = labels.iter().collect();
    order.sort_by(|a, b| b.1[2].cmp(&a.1[2]).then(a.0.cmp(b.0)));
    let mut all = Vec::new();
    for (label, [hits, predicted, labelled]) in order {
        let f1 = share(2 * hits, predicted + labelled);
        table.row([
            (*label).to_owned(),
            number(share(*hits, *predicted)),
            number(share(*hits, *labelled)),
            number(f1),
            count(*labelled),
            count(*predicted),
        ]);
        all.push(Bar { name: format!("{label} ({labelled})"), value: f1, interval: None, colour: 0 });
    }
    all.truncate(30);
    let best = all.iter().filter(|bar| bar.value.is_finite()).max_by(|a, b| a.value.total_cmp(&b.value));
    let words = format!(
        "F1 of each label, the commonest first, with how often it is there{}{}.",
        if labels.len() > all.len() { ", of the 30 commonest labels" } else { "" },
        best.map_or(String::new(), |best| format!("; the best is {}", best.name))
    );
    let drawn = bars(title, &words, "F1", &all, false);
    add(section, title, words, drawn, Some(table));
}
