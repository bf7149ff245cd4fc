//! `(f - y)^2 / 2`: the mean.

pub(super) fn loss(label: f64, score: f64) -> f64 {
    0.5 * (score - label) * (score - label)
}

pub(super) fn gradient(label: f64, score: f64) -> (f64, f64) {
    (score - label, 1.0)
}
