//! Cross-entropy of a softmax: `log(sum_k exp(f_k)) - f_y`.
//!
//! Only the diagonal of the Hessian is used, `p_k (1 - p_k)`, times `K / (K - 1)`: moving one class and with it all
//! others against it would otherwise be counted twice (Friedman 2001 has the same factor in his leaf values).

/// Probabilities of the classes in place of their scores.
pub(super) fn softmax(scores: &mut [f64]) {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - most).exp();
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
}

pub(super) fn loss(label: usize, scores: &[f64]) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    sum.ln() + most - scores[label]
}

/// Gradient and Hessian of each class, given to `put`.
pub(super) fn gradient(label: usize, scores: &[f64], mut put: impl FnMut(usize, f64, f64)) {
    let classes = scores.len();
    let factor = if classes > 1 { classes as f64 / (classes - 1) as f64 } else { 1.0 };
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    for (class, score) in scores.iter().enumerate() {
        let chance = (score - most).exp() / sum;
        put(class, chance - f64::from(class == label), (factor * chance * (1.0 - chance)).max(1e-12));
    }
}

/// Centred logarithms of the classes' shares, kept finite where a class has no row.
pub(super) fn start(shares: &mut [f64]) {
    let least = 1e-4 / shares.len() as f64;
    for share in shares.iter_mut() {
        *share = share.max(least).ln();
    }
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    shares.iter_mut().for_each(|share| *share -= mean);
}
