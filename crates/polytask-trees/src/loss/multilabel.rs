//! Many flags at once, each with the binary cross-entropy. The loss of a row is the mean over its known flags; the
//! gradient of a flag is its own, because outputs are fitted one by one in any case.

use super::binary;

pub(super) fn loss(labels: &[f64], scores: &[f64]) -> f64 {
    let mut known = 0.0;
    let mut sum = 0.0;
    for (&label, &score) in labels.iter().zip(scores) {
        if !label.is_nan() {
            known += 1.0;
            sum += binary::loss(label, score);
        }
    }
    if known > 0.0 { sum / known } else { 0.0 }
}
