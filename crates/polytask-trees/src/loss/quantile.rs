//! The pinball loss (Koenker and Bassett 1978): `level (y - f)` above the prediction, `(1 - level) (f - y)` below. As
//! with the absolute loss, the Hessian is a 1 that stands in, and leaves are quantiles of residuals.

pub(super) fn loss(level: f64, label: f64, score: f64) -> f64 {
    let residual = label - score;
    if residual >= 0.0 { level * residual } else { (level - 1.0) * residual }
}

pub(super) fn gradient(level: f64, label: f64, score: f64) -> (f64, f64) {
    (if label > score { -level } else { 1.0 - level }, 1.0)
}

/// The weighted quantile of values: the least value at which the weights up to it reach `level` of their sum. Values
/// are put in order. 0 if nothing has weight.
pub(crate) fn quantile(values: &mut [(f64, f64)], level: f64) -> f64 {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: f64 = values.iter().map(|value| value.1).sum();
    let mut below = 0.0;
    let mut last = 0.0;
    for (index, &(value, weight)) in values.iter().enumerate() {
        if weight <= 0.0 {
            continue;
        }
        below += weight;
        last = value;
        if (below - level * total).abs() <= 1e-12 * total {
            // Exactly between two values: their middle, as a median has it.
            let next = values[index + 1..].iter().find(|value| value.1 > 0.0).map_or(value, |value| value.0);
            return 0.5 * (value + next);
        }
        if below > level * total {
            return value;
        }
    }
    last
}
