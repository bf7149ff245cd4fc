//! Trace norm: the tasks' weights lie in a subspace of few dimensions (Argyriou, Evgeniou and Pontil, Machine Learning 73,
//! 2008; Ji and Ye, ICML 2009).
//!
//! ```text
//! penalty(W) = sum of the singular values of W
//! ```

use super::{Penalty, shrink};
use crate::Matrix;
use polytask_math::algebra::{singular_values, spectral};

/// The sum of the singular values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trace;

/// The sum of the singular values.
pub(super) fn trace_norm(matrix: &Matrix) -> f64 {
    singular_values(matrix).iter().sum()
}

/// The largest singular value, the dual norm.
pub(super) fn spectral_norm(matrix: &Matrix) -> f64 {
    singular_values(matrix).into_iter().fold(0.0, f64::max)
}

/// Moves every singular value towards 0.
pub(super) fn shrink_values(matrix: &mut Matrix, by: f64) {
    *matrix = spectral(matrix, |values| values.iter().map(|value| shrink(*value, by)).collect());
}

impl Penalty for Trace {
    fn value(&self, parts: &[Matrix]) -> f64 {
        trace_norm(&parts[0])
    }

    fn prox(&self, parts: &mut [Matrix], step: f64) {
        shrink_values(&mut parts[0], step);
    }

    fn ceiling(&self, slope: &Matrix) -> f64 {
        spectral_norm(slope)
    }

    fn conjugate(&self, _: &Matrix) -> Option<f64> {
        None
    }
}
