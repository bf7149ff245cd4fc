//! Poisson likelihood with a logarithmic link: `exp(f) - y f` (the term in `y` alone is left out).

/// Scores are kept within this, so that `exp` stays finite.
const BOUND: f64 = 60.0;

pub(super) fn mean(score: f64) -> f64 {
    score.clamp(-BOUND, BOUND).exp()
}

pub(super) fn loss(label: f64, score: f64) -> f64 {
    mean(score) - label * score.clamp(-BOUND, BOUND)
}

pub(super) fn gradient(label: f64, score: f64) -> (f64, f64) {
    let mean = mean(score);
    (mean - label, mean.max(1e-12))
}

/// Logarithm of a mean count, kept finite where all counts are 0.
pub(super) fn start(mean: f64) -> f64 {
    mean.max(1e-6).ln()
}
