//! Sparse + low-rank: a common subspace, and single weights that stand out from it (Chen, Liu and Ye, KDD 2010, who bound the
//! trace norm where here it is penalised).
//!
//! ```text
//! penalty(W) = min over W = P + Q of |P|_* + ratio |Q|_1
//! ```
//!
//! The first part is low-rank, the second sparse. A ratio of 1 or more leaves the second empty.

use super::shrink;
use super::split::{Norm, Split};
use super::trace::{shrink_values, spectral_norm, trace_norm};
use crate::{LinearError, Matrix};

/// The penalty; a ratio above 0.
///
/// # Errors
/// A ratio that is not above 0.
pub fn sparse_low_rank(ratio: f64) -> Result<Split, LinearError> {
    Split::new(Nuclear, Entries, ratio)
}

/// Sum of the singular values.
pub(super) struct Nuclear;

impl Norm for Nuclear {
    fn value(&self, matrix: &Matrix) -> f64 {
        trace_norm(matrix)
    }

    fn prox(&self, matrix: &mut Matrix, step: f64) {
        shrink_values(matrix, step);
    }

    fn dual(&self, matrix: &Matrix) -> f64 {
        spectral_norm(matrix)
    }
}

/// Sum of the absolute values.
pub(super) struct Entries;

impl Norm for Entries {
    fn value(&self, matrix: &Matrix) -> f64 {
        matrix.values().iter().map(|v| v.abs()).sum()
    }

    fn prox(&self, matrix: &mut Matrix, step: f64) {
        matrix.values_mut().iter_mut().for_each(|v| *v = shrink(*v, step));
    }

    fn dual(&self, matrix: &Matrix) -> f64 {
        matrix.values().iter().fold(0.0, |top: f64, v| top.max(v.abs()))
    }
}
