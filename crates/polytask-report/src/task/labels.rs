//! Any number of labels a row.

use super::{Context, worst};
use crate::block::{Block, Section};
use crate::number::number;
use crate::sheet;
use crate::task::classes::calibration;
use crate::task::spans::by_label;
use std::collections::BTreeMap;

pub fn details(section: &mut Section, context: &Context<'_>, flags: &[f32], labels: &[String], probabilities: &[f64]) {
    let width = labels.len().max(1);
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut losses = vec![0.0; flags.len() / width];
    let mut claims = Vec::new();
    for (i, (flag, p)) in flags.iter().zip(probabilities).enumerate() {
        if flag.is_nan() {
            continue;
        }
        let (there, said) = (*flag == 1.0, *p >= 0.5);
        let own = counts.entry(labels[i % width].as_str()).or_default();
        own[0] += usize::from(there && said);
        own[1] += usize::from(said);
        own[2] += usize::from(there);
        claims.push((*p, there));
        losses[i / width] -= (if there { *p } else { 1.0 - p }).max(1e-15).ln() / width as f64;
    }
    by_label(section, "Labels", &counts);
    calibration(section, &claims, "a label");
    let was = |row: usize| {
        let own = labels.iter().zip(&flags[row * width..(row + 1) * width]);
        own.filter(|(_, flag)| **flag == 1.0).map(|(label, _)| label.as_str()).collect::<Vec<_>>().join(", ")
    };
    let said = |row: usize| context.measured.prediction.likely_labels(row).join(", ");
    let cells = |row: usize| vec![was(row), said(row), number(losses[row])];
    let places = worst::largest(&losses);
    section.table(worst::table(context, &["was", "predicted", "mean log loss"], &places, cells));
    let words = |row: usize| {
        let (was, said) = (was(row), said(row));
        let right = was == said;
        (if right { was } else { format!("{said}, was {was}") }, Some(right))
    };
    let pictures = sheet::pictures(context, &places, words);
    if !pictures.is_empty() {
        section.push(Block::Sheet { title: "The worst images".to_owned(), pictures });
    }
}
