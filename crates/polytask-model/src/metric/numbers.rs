//! Metrics of quantities.

/// The coefficient of determination, `1 - sum (y - p)^2 / sum (y - mean(y))^2`, about the mean of the labels given.
/// `None` where the labels are all the same.
pub fn r2(labels: &[f64], predictions: &[f64]) -> Option<f64> {
    let mean = mean(labels.iter().copied(), labels.len())?;
    // Labels that are equal have no variance, although rounding of the mean may leave a trace of one.
    let first = labels.first()?;
    if labels.iter().all(|y| y == first) {
        return None;
    }
    let residual: f64 = errors(labels, predictions).map(|e| e * e).sum();
    let total: f64 = labels.iter().map(|y| (y - mean).powi(2)).sum();
    Some(1.0 - residual / total)
}

/// The root of the mean squared error.
pub fn rmse(labels: &[f64], predictions: &[f64]) -> Option<f64> {
    mean(errors(labels, predictions).map(|e| e * e), labels.len()).map(f64::sqrt)
}

/// The mean absolute error.
pub fn mae(labels: &[f64], predictions: &[f64]) -> Option<f64> {
    mean(errors(labels, predictions).map(f64::abs), labels.len())
}

/// The correlation of Pearson, `cov(y, p) / sqrt(var(y) var(p))`. `None` where labels or predictions are all the same.
pub fn pearson(labels: &[f64], predictions: &[f64]) -> Option<f64> {
    let [y, p] = [labels, predictions].map(|of| mean(of.iter().copied(), labels.len()));
    let (y, p) = (y?, p?);
    let varies = |of: &[f64]| of.iter().any(|v| *v != of[0]);
    if !varies(labels) || !varies(predictions) {
        return None;
    }
    let centred = || labels.iter().zip(predictions).map(|(a, b)| (a - y, b - p));
    let sum = |of: fn((f64, f64)) -> f64| centred().map(of).sum::<f64>();
    Some(sum(|(a, b)| a * b) / (sum(|(a, _)| a * a) * sum(|(_, b)| b * b)).sqrt())
}

fn errors(labels: &[f64], predictions: &[f64]) -> impl Iterator<Item = f64> {
    labels.iter().zip(predictions).map(|(y, p)| y - p)
}

pub(super) fn mean(values: impl Iterator<Item = f64>, count: usize) -> Option<f64> {
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}
