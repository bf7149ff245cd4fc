//! What was taken for what.

use super::add;
use crate::block::{Section, Table};
use crate::chart::{Scale, heat};
use crate::number::{count, percent};

/// Classes of a whole matrix at most; of more the commonest confusions are listed.
const WHOLE: usize = 25;

/// Precision, recall and F1 of every class, and who was taken for whom. Labels that training never saw are `unseen`.
pub fn confusion(section: &mut Section, labels: &[String], truth: &[u32], predicted: &[u32]) {
    let classes = labels.len();
    let unseen = truth.iter().any(|y| *y as usize >= classes);
    let names: Vec<String> = labels.iter().cloned().chain(unseen.then(|| "(never seen)".to_owned())).collect();
    let mut counts = vec![0usize; names.len() * classes];
    for (y, p) in truth.iter().zip(predicted) {
        let row = (*y as usize).min(names.len() - 1);
        if let Some(cell) = counts.get_mut(row * classes + *p as usize) {
            *cell += 1;
        }
    }
    section.table(by_class(labels, &counts, names.len()));
    if classes <= WHOLE {
        matrix(section, &names, labels, &counts);
    } else {
        section.table(commonest(&names, labels, &counts));
    }
}

fn by_class(labels: &[String], counts: &[usize], rows: usize) -> Table {
    let header = ["class", "precision", "recall", "F1", "rows", "predicted"];
    let mut table = Table { folded: labels.len() > 12, ..Table::numbers("Scores by class", &header) };
    let classes = labels.len();
    for (c, label) in labels.iter().enumerate() {
        let hits = counts[c * classes + c];
        let actual: usize = counts[c * classes..(c + 1) * classes].iter().sum();
        let predicted: usize = (0..rows).map(|r| counts[r * classes + c]).sum();
        let share =
            |part: usize, whole: usize| if whole > 0 { percent(part as f64 / whole as f64) } else { "–".to_owned() };
        table.row([
            label.clone(),
            share(hits, predicted),
            share(hits, actual),
            share(2 * hits, actual + predicted),
            count(actual),
            count(predicted),
        ]);
    }
    table
}

fn matrix(section: &mut Section, names: &[String], labels: &[String], counts: &[usize]) {
    let classes = labels.len();
    let shares: Vec<f64> = counts
        .chunks(classes)
        .flat_map(|row| {
            let sum = row.iter().sum::<usize>().max(1) as f64;
            row.iter().map(move |count| *count as f64 / sum)
        })
        .collect();
    let title = "Confusion matrix";
    let mut worst = (0.0, "nothing was taken for anything else".to_owned());
    for (r, name) in names.iter().enumerate() {
        for (c, label) in labels.iter().enumerate() {
            let share = shares[r * classes + c];
            if name != label && share > worst.0 {
                worst = (share, format!("most often “{name}” was taken for “{label}”, in {}", percent(share)));
            }
        }
    }
    let words =
        format!("Down: what it was. Across: what was predicted. Each line in percent of its rows; {}.", worst.1);
    let svg = heat(title, &words, (names, labels), &shares, Scale { full: 1.0, signed: false }, |share| {
        format!("{:.0}", 100.0 * share)
    });
    let header: Vec<&str> = std::iter::once("was \\ predicted").chain(labels.iter().map(String::as_str)).collect();
    let mut table = Table::numbers("Rows", &header).folded();
    for (name, row) in names.iter().zip(counts.chunks(classes)) {
        table.rows.push(std::iter::once(name.clone()).chain(row.iter().map(|rows| count(*rows))).collect());
    }
    add(section, title, words, svg, Some(table));
}

fn commonest(names: &[String], labels: &[String], counts: &[usize]) -> Table {
    let classes = labels.len();
    let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
    for (r, name) in names.iter().enumerate() {
        for (c, label) in labels.iter().enumerate() {
            if name != label && counts[r * classes + c] > 0 {
                pairs.push((counts[r * classes + c], r, c));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut table = Table::new("The commonest confusions", &["was", "was taken for", "times"]);
    for (times, r, c) in pairs.into_iter().take(30) {
        table.row([names[r].clone(), labels[c].clone(), count(times)]);
    }
    table
}
