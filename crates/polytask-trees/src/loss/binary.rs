//! Cross-entropy of a sigmoid: `log(1 + exp(f)) - y f`.

pub(super) fn sigmoid(score: f64) -> f64 {
    if score >= 0.0 {
        1.0 / (1.0 + (-score).exp())
    } else {
        let exponential = score.exp();
        exponential / (1.0 + exponential)
    }
}

pub(super) fn loss(label: f64, score: f64) -> f64 {
    score.max(0.0) + (-score.abs()).exp().ln_1p() - label * score
}

pub(super) fn gradient(label: f64, score: f64) -> (f64, f64) {
    let chance = sigmoid(score);
    (chance - label, (chance * (1.0 - chance)).max(1e-12))
}

/// Log odds of a mean label, kept finite where all labels are the same.
pub(super) fn start(mean: f64) -> f64 {
    let mean = mean.clamp(1e-4, 1.0 - 1e-4);
    (mean / (1.0 - mean)).ln()
}
