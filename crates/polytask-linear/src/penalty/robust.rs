//! Robust: most tasks share a subspace, a few outliers go their own way (Chen, Zhou and Ye, KDD 2011).
//!
//! ```text
//! penalty(W) = min over W = L + S of |L|_* + ratio sum_t |S_t|
//! ```
//!
//! `S_t` has all columns of task `t`: it is 0 for a task that is no outlier. For `T` tasks ratios between `1 / sqrt(T)` (below,
//! all tasks are outliers) and 1 (above, none is) make sense.

use super::sparse_low_rank::Nuclear;
use super::split::{Norm, Split};
use crate::{LinearError, Matrix};

/// The penalty of tasks with these numbers of columns; a ratio above 0.
///
/// # Errors
/// A ratio that is not above 0.
pub fn robust(ratio: f64, blocks: &[usize]) -> Result<Split, LinearError> {
    Split::new(Nuclear, Tasks { blocks: blocks.to_vec() }, ratio)
}

/// Sum over tasks of the length of all their weights.
struct Tasks {
    blocks: Vec<usize>,
}

impl Tasks {
    fn lengths(&self, matrix: &Matrix) -> Vec<f64> {
        let mut squares = vec![0.0; self.blocks.len()];
        for j in 0..matrix.rows() {
            let mut row = matrix.row(j).iter();
            for (square, block) in squares.iter_mut().zip(&self.blocks) {
                *square += row.by_ref().take(*block).map(|w| w * w).sum::<f64>();
            }
        }
        squares.into_iter().map(f64::sqrt).collect()
    }
}

impl Norm for Tasks {
    fn value(&self, matrix: &Matrix) -> f64 {
        self.lengths(matrix).iter().sum()
    }

    fn prox(&self, matrix: &mut Matrix, step: f64) {
        let lengths = self.lengths(matrix);
        let factor = |length: f64| if length > step { 1.0 - step / length } else { 0.0 };
        let factors = lengths.iter().zip(&self.blocks).flat_map(|(length, block)| vec![factor(*length); *block]);
        let factors: Vec<f64> = factors.collect();
        for j in 0..matrix.rows() {
            matrix.row_mut(j).iter_mut().zip(&factors).for_each(|(w, factor)| *w *= factor);
        }
    }

    fn dual(&self, matrix: &Matrix) -> f64 {
        self.lengths(matrix).into_iter().fold(0.0, f64::max)
    }
}
