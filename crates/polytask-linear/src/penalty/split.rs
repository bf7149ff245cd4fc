//! Weights split in two parts, each under a norm of its own: what sparse + low-rank, robust and dirty models share.
//!
//! ```text
//! penalty(W) = min over W = P + Q of first(P) + ratio second(Q)
//! ```

use super::{Penalty, check_positive};
use crate::{LinearError, Matrix};

/// A norm with its proximal map and its dual norm.
pub(super) trait Norm: Send + Sync {
    fn value(&self, matrix: &Matrix) -> f64;
    fn prox(&self, matrix: &mut Matrix, step: f64);
    fn dual(&self, matrix: &Matrix) -> f64;
}

/// `first(P) + ratio second(Q)` of weights `P + Q`.
pub struct Split {
    first: Box<dyn Norm>,
    second: Box<dyn Norm>,
    ratio: f64,
}

impl Split {
    pub(super) fn new(
        first: impl Norm + 'static,
        second: impl Norm + 'static,
        ratio: f64,
    ) -> Result<Self, LinearError> {
        check_positive("ratio", ratio)?;
        Ok(Split { first: Box::new(first), second: Box::new(second), ratio })
    }
}

impl Penalty for Split {
    fn parts(&self) -> usize {
        2
    }

    fn value(&self, parts: &[Matrix]) -> f64 {
        self.first.value(&parts[0]) + self.ratio * self.second.value(&parts[1])
    }

    fn prox(&self, parts: &mut [Matrix], step: f64) {
        self.first.prox(&mut parts[0], step);
        self.second.prox(&mut parts[1], step * self.ratio);
    }

    fn ceiling(&self, slope: &Matrix) -> f64 {
        self.first.dual(slope).max(self.second.dual(slope) / self.ratio)
    }

    fn conjugate(&self, _: &Matrix) -> Option<f64> {
        None
    }
}
