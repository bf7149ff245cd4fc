//! Metrics of several labels a row, each there or not.

use super::auc;
use super::numbers::mean;

/// One label's rows: whether it is there, and how likely it was said to be.
pub struct Ranked {
    /// By row.
    pub there: Vec<bool>,
    /// By row, from 0 to 1.
    pub scores: Vec<f64>,
    /// From which score on it is said to be there.
    pub threshold: f64,
}

/// True positives, false positives and false negatives of what its threshold says.
fn confusion(label: &Ranked) -> [f64; 3] {
    let mut counts = [0.0; 3];
    for (there, score) in label.there.iter().zip(&label.scores) {
        match (*there, *score >= label.threshold) {
            (true, true) => counts[0] += 1.0,
            (false, true) => counts[1] += 1.0,
            (true, false) => counts[2] += 1.0,
            (false, false) => {}
        }
    }
    counts
}

/// `F1 = 2 tp / (2 tp + fp + fn)`; 0 of a label that is neither there nor predicted.
fn f1([hits, wrong, missed]: [f64; 3]) -> f64 {
    if hits + wrong + missed == 0.0 { 0.0 } else { 2.0 * hits / (2.0 * hits + wrong + missed) }
}

/// F1 of all labels of all rows together.
pub fn micro_f1(labels: &[Ranked]) -> Option<f64> {
    let rows: usize = labels.iter().map(|label| label.there.len()).sum();
    let sum =
        labels.iter().map(confusion).fold([0.0; 3], |sum, one| [sum[0] + one[0], sum[1] + one[1], sum[2] + one[2]]);
    (rows > 0).then(|| f1(sum))
}

/// The mean over the labels of their F1.
pub fn macro_f1_of_labels(labels: &[Ranked]) -> Option<f64> {
    let rows: usize = labels.iter().map(|label| label.there.len()).sum();
    if rows == 0 { None } else { mean(labels.iter().map(|label| f1(confusion(label))), labels.len()) }
}

/// The mean over the labels of the area under the ROC curve; labels that are there in all rows or in none are left out.
pub fn macro_auc(labels: &[Ranked]) -> Option<f64> {
    let known: Vec<f64> = labels.iter().filter_map(|label| auc(&label.there, &label.scores)).collect();
    mean(known.iter().copied(), known.len())
}

/// The mean over the labels of their average precision; labels that are there in no row are left out.
pub fn mean_average_precision(labels: &[Ranked]) -> Option<f64> {
    let known: Vec<f64> = labels.iter().filter_map(|label| average_precision(&label.there, &label.scores)).collect();
    mean(known.iter().copied(), known.len())
}

/// `sum_n (R_n - R_{n-1}) P_n` over the different scores from the highest down, with the precision P and the recall R of
/// the rows that score as high. `None` where no row is there.
pub fn average_precision(there: &[bool], scores: &[f64]) -> Option<f64> {
    if scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let positives = there.iter().filter(|there| **there).count();
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(there.iter().copied()).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut seen, mut hits, mut area) = (0.0, 0.0, 0.0);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let more = tied.iter().filter(|row| row.1).count() as f64;
        (seen, hits) = (seen + tied.len() as f64, hits + more);
        area += more * hits / seen;
    }
    (positives > 0).then(|| area / positives as f64)
}
