//! One of several classes: confusion, calibration, the receiver's curve of two.

use super::confusion::confusion;
use super::{Context, add, worst};
use crate::block::{Block, Section, Table};
use crate::chart::{Axes, Line, Points, lines, points};
use crate::number::{count, number, percent};
use crate::sheet;
use polytask::metric::calibration_error;

/// Parts of the probabilities, of equal width.
const BINS: usize = 10;

pub fn details(section: &mut Section, context: &Context<'_>, truth: &[u32], labels: &[String], probabilities: &[f64]) {
    let width = labels.len().max(1);
    let predicted = context.measured.prediction.classes();
    confusion(section, labels, truth, &predicted);
    let two = labels.len() == 2;
    let of = |row: usize, class: u32| probabilities.get(row * width + class as usize).copied().unwrap_or(0.0);
    // Of two classes the probability of the second, of more that of the one that is predicted.
    let claims: Vec<(f64, bool)> = match two {
        true => (0..truth.len()).map(|row| (of(row, 1), truth[row] == 1)).collect(),
        false => (0..truth.len()).map(|row| (of(row, predicted[row]), truth[row] == predicted[row])).collect(),
    };
    let what = if two { format!("“{}”", labels[1]) } else { "the predicted class".to_owned() };
    calibration(section, &claims, &what);
    if two {
        receiver(section, &claims, &what);
    }
    // What a label was given of probability, a label that was never seen none.
    let losses: Vec<f64> = truth.iter().enumerate().map(|(row, y)| -of(row, *y).max(1e-15).ln()).collect();
    let wrong: Vec<f64> =
        losses.iter().enumerate().map(|(row, loss)| if truth[row] == predicted[row] { 0.0 } else { *loss }).collect();
    let name = |class: u32| labels.get(class as usize).cloned().unwrap_or_else(|| "(never seen)".to_owned());
    let places = worst::largest(&wrong);
    let cells = |row: usize| {
        vec![name(truth[row]), name(predicted[row]), percent(of(row, truth[row])), percent(of(row, predicted[row]))]
    };
    let header = ["was", "predicted", "sure of what was", "sure of the prediction"];
    section.table(worst::table(context, &header, &places, cells));
    let words = |row: usize| {
        let right = truth[row] == predicted[row];
        let (was, said) = (name(truth[row]), name(predicted[row]));
        (if right { was } else { format!("{said}, was {was}") }, Some(right))
    };
    for (title, places) in [("The worst images", places), ("A sample of images", sheet::sample(truth.len()))] {
        let pictures = sheet::pictures(context, &places, words);
        if !pictures.is_empty() {
            section.push(Block::Sheet { title: title.to_owned(), pictures });
        }
    }
}

/// How often what was claimed came true, by how sure it was claimed (Niculescu-Mizil and Caruana 2005).
pub fn calibration(section: &mut Section, claims: &[(f64, bool)], what: &str) {
    let mut bins = [(0usize, 0.0, 0usize); BINS];
    for (p, hit) in claims {
        let bin = &mut bins[((p * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + 1, bin.1 + p, bin.2 + usize::from(*hit));
    }
    let mut table = Table::numbers("Calibration", &["said", "rows", "mean of what was said", "came true"]).folded();
    let (mut curve, error) = (Vec::new(), calibration_error(claims).unwrap_or_default());
    for (i, (rows, sum, hits)) in bins.into_iter().enumerate() {
        if rows > 0 {
            let (said, true_) = (sum / rows as f64, hits as f64 / rows as f64);
            let (low, high) = (10 * i, 10 * (i + 1));
            table.row([format!("{low} to {high} %"), count(rows), percent(said), percent(true_)]);
            curve.push((said, true_));
        }
    }
    let title = "Calibration";
    let words = format!(
        "How sure the model was of {what}, across, and how often it was right, upwards; on the dashed line both are the \
         same. The expected calibration error, the mean distance, is {}.",
        number(error)
    );
    let cloud = Points {
        x: "said",
        y: "came true",
        points: vec![(0.0, 0.0), (1.0, 1.0)],
        diagonal: true,
        joined: curve,
        ..Points::default()
    };
    add(section, title, words.clone(), points(title, &words, &cloud), Some(table));
}

/// True against false positives at every threshold.
fn receiver(section: &mut Section, claims: &[(f64, bool)], what: &str) {
    let positives = claims.iter().filter(|(_, hit)| *hit).count();
    let negatives = claims.len() - positives;
    if positives == 0 || negatives == 0 {
        return;
    }
    let mut sorted: Vec<&(f64, bool)> = claims.iter().collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut hits, mut false_alarms) = (0usize, 0usize);
    let mut curve = vec![(0.0, 0.0)];
    let mut table =
        Table::numbers("Thresholds", &["at least", "true positives", "false positives", "precision"]).folded();
    let mut next = 0.9;
    for tied in sorted.chunk_by(|a, b| a.0 == b.0) {
        while next > 0.05 && tied[0].0 < next {
            let predicted = hits + false_alarms;
            let precision = if predicted > 0 { percent(hits as f64 / predicted as f64) } else { "–".to_owned() };
            let rate = |part: usize, whole: usize| percent(part as f64 / whole as f64);
            table.row([percent(next), rate(hits, positives), rate(false_alarms, negatives), precision]);
            next -= 0.1;
        }
        hits += tied.iter().filter(|claim| claim.1).count();
        false_alarms += tied.iter().filter(|claim| !claim.1).count();
        curve.push((false_alarms as f64 / negatives as f64, hits as f64 / positives as f64));
    }
    let every = curve.len().div_ceil(200).max(1);
    let last = curve.len() - 1;
    let curve: Vec<(f64, f64)> =
        curve.into_iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last).map(|(_, point)| point).collect();
    let title = "Receiver operating characteristic";
    let words = format!(
        "Which share of the rows that are {what} is found, upwards, at which share of false alarms, across, as the \
         threshold falls; the dashed line is guessing."
    );
    let guess = Line { dashed: true, ..Line::new("guessing", 7, vec![(0.0, 0.0), (1.0, 1.0)]) };
    let axes = Axes { x: "false positives", y: "true positives", ..Axes::default() };
    add(section, title, words.clone(), lines(title, &words, axes, &[Line::new("model", 0, curve), guess]), Some(table));
}
