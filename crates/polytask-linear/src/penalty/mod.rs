//! What the tasks have in common, as a convex penalty on their weights. One penalty a file.
//!
//! All are given at a strength of 1. Each knows its value, its proximal map, its convex conjugate (for the duality
//! gap), and the strength above which all weights are 0.

mod clustered;
mod dirty;
mod graph;
mod l21;
mod lasso;
mod mean;
mod ridge;
mod robust;
mod sparse_low_rank;
mod split;
mod tied;
mod trace;

pub use clustered::Clustered;
pub use dirty::dirty;
pub use graph::graph;
pub use l21::L21;
pub use lasso::Lasso;
pub use mean::mean;
pub use ridge::Ridge;
pub use robust::robust;
pub use sparse_low_rank::sparse_low_rank;
pub use split::Split;
pub use tied::Tied;
pub use trace::Trace;

use crate::{LinearError, Matrix};

/// A convex penalty `value(W)` of `W = sum of parts`, each `features x columns`.
pub trait Penalty: Send + Sync {
    /// Matrices that add up to the weights: 1, or 2 for a penalty that splits them.
    fn parts(&self) -> usize {
        1
    }

    /// The penalty.
    fn value(&self, parts: &[Matrix]) -> f64;

    /// `parts <- argmin_P 0.5 |P - parts|^2 + step * value(P)`
    fn prox(&self, parts: &mut [Matrix], step: f64);

    /// The least strength at which weights of 0 are the answer, where the data loss falls by `slope` there: the dual norm
    /// of `slope` for a norm. Infinite where the answer is never 0.
    fn ceiling(&self, slope: &Matrix) -> f64;

    /// `sup_W slope . W - value(W)`. `None` for a norm: 0 where its dual norm is at most 1, infinite elsewhere.
    fn conjugate(&self, slope: &Matrix) -> Option<f64>;
}

/// `value` moved towards 0 by `by`.
fn shrink(value: f64, by: f64) -> f64 {
    value.signum() * (value.abs() - by).max(0.0)
}

/// Moves a vector towards 0 by a length.
fn shrink_length(vector: &mut [f64], by: f64) {
    let length = polytask_math::algebra::vector::norm(vector);
    let factor = if length > by { 1.0 - by / length } else { 0.0 };
    vector.iter_mut().for_each(|v| *v *= factor);
}

/// Refuses a share that is not within 0 and 1.
fn check_share(name: &'static str, value: f64) -> Result<(), LinearError> {
    match (0.0..=1.0).contains(&value) {
        true => Ok(()),
        false => Err(LinearError::Setting { name, value, rule: "it must be from 0 to 1" }),
    }
}

/// Refuses a number below 0.
fn check_least(name: &'static str, value: f64) -> Result<(), LinearError> {
    match value.is_finite() && value >= 0.0 {
        true => Ok(()),
        false => Err(LinearError::Setting { name, value, rule: "it must be 0 or above" }),
    }
}

/// Refuses a number that is not above 0.
fn check_positive(name: &'static str, value: f64) -> Result<(), LinearError> {
    match value.is_finite() && value > 0.0 {
        true => Ok(()),
        false => Err(LinearError::Setting { name, value, rule: "it must be above 0" }),
    }
}

/// The number of columns that every task has.
fn equal_widths(blocks: &[usize]) -> Result<usize, LinearError> {
    let expected = blocks.first().copied().unwrap_or(1);
    match blocks.iter().position(|width| *width != expected) {
        Some(task) => Err(LinearError::Widths { task, got: blocks[task], expected }),
        None => Ok(expected),
    }
}
