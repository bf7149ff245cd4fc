//! L2,1, joint feature selection: a feature is in for all tasks or out for all (Obozinski, Taskar and Jordan,
//! Statistics and Computing 20, 2010; Liu, Ji and Ye, UAI 2009). With a ridge part the multi-task elastic net.
//!
//! ```text
//! penalty(W) = ratio sum_j |row j of W| + 0.5 (1 - ratio) |W|^2
//! ```
//!
//! On complete labels the same as scikit-learn's `MultiTaskElasticNet(alpha = strength, l1_ratio = ratio)`, and with a
//! ratio of 1 as its `MultiTaskLasso`.

use super::{Penalty, check_share, shrink_length};
use crate::{LinearError, Matrix};
use polytask_math::algebra::vector::norm;

/// `ratio sum_j |row j of W| + 0.5 (1 - ratio) |W|^2`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct L21 {
    ratio: f64,
}

impl L21 {
    /// A ratio of 1 has no ridge part, 0 is ridge.
    ///
    /// # Errors
    /// A ratio that is not within 0 and 1.
    pub fn new(ratio: f64) -> Result<Self, LinearError> {
        check_share("ratio", ratio)?;
        Ok(L21 { ratio })
    }
}

/// The length of every row.
fn lengths(matrix: &Matrix) -> impl Iterator<Item = f64> + '_ {
    (0..matrix.rows()).map(|j| norm(matrix.row(j)))
}

impl Penalty for L21 {
    fn value(&self, parts: &[Matrix]) -> f64 {
        self.ratio * lengths(&parts[0]).sum::<f64>() + 0.5 * (1.0 - self.ratio) * parts[0].dot(&parts[0])
    }

    fn prox(&self, parts: &mut [Matrix], step: f64) {
        let scale = 1.0 + step * (1.0 - self.ratio);
        for j in 0..parts[0].rows() {
            shrink_length(parts[0].row_mut(j), step * self.ratio);
            parts[0].row_mut(j).iter_mut().for_each(|w| *w /= scale);
        }
    }

    fn ceiling(&self, slope: &Matrix) -> f64 {
        lengths(slope).fold(0.0, f64::max) / self.ratio
    }

    fn conjugate(&self, slope: &Matrix) -> Option<f64> {
        let over: f64 = lengths(slope).map(|length| (length - self.ratio).max(0.0).powi(2)).sum();
        (self.ratio < 1.0).then(|| over / (2.0 * (1.0 - self.ratio)))
    }
}
