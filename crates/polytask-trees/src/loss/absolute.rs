//! `|f - y|`: the median. The Hessian is 0 almost everywhere; 1 stands in for it where structure is chosen, and leaves
//! are medians of residuals instead of Newton steps (Friedman 2001).

pub(super) fn loss(label: f64, score: f64) -> f64 {
    (score - label).abs()
}

pub(super) fn gradient(label: f64, score: f64) -> (f64, f64) {
    let gradient = match score.partial_cmp(&label) {
        Some(std::cmp::Ordering::Less) => -1.0,
        Some(std::cmp::Ordering::Greater) => 1.0,
        Some(std::cmp::Ordering::Equal) | None => 0.0,
    };
    (gradient, 1.0)
}
