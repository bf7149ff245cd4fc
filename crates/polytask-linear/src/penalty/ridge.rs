//! Ridge: every weight is small (Hoerl and Kennard, Technometrics 12, 1970). The tasks have nothing in common but the
//! strength.
//!
//! ```text
//! penalty(W) = 0.5 |W|^2
//! ```
//!
//! scikit-learn's `Ridge(alpha)` on `n` rows is a strength of `alpha / n`.

use super::Penalty;
use crate::Matrix;

/// `0.5 |W|^2`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ridge;

impl Penalty for Ridge {
    fn value(&self, parts: &[Matrix]) -> f64 {
        0.5 * parts[0].dot(&parts[0])
    }

    fn prox(&self, parts: &mut [Matrix], step: f64) {
        parts[0].values_mut().iter_mut().for_each(|w| *w /= 1.0 + step);
    }

    fn ceiling(&self, _: &Matrix) -> f64 {
        f64::INFINITY
    }

    fn conjugate(&self, slope: &Matrix) -> Option<f64> {
        Some(0.5 * slope.dot(slope))
    }
}
