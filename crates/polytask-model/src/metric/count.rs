//! Metrics of counts.

use super::numbers::mean;

/// The mean Poisson deviance, `mean 2 (y ln(y / mu) - y + mu)` with `0 ln 0 = 0`; labels are 0 or above, predictions
/// above 0 (one of 0 counts as the smallest positive number).
pub fn poisson_deviance(labels: &[f64], predictions: &[f64]) -> Option<f64> {
    let deviances = labels.iter().zip(predictions).map(|(&y, &mu)| {
        let mu = mu.max(f64::MIN_POSITIVE);
        let surprise = if y > 0.0 { y * (y.ln() - mu.ln()) } else { 0.0 };
        2.0 * (surprise - y + mu)
    });
    mean(deviances, labels.len())
}
