//! Dirty: features that all tasks share, and features of single tasks (Jalali, Ravikumar, Sanghavi and Ruan, NIPS 2010).
//!
//! ```text
//! penalty(W) = min over W = P + Q of sum_j max_c |P_jc| + ratio |Q|_1
//! ```
//!
//! A row of the first part is 0 for all tasks or free for all up to its largest entry. For `C` columns ratios between `1 / C`
//! (below, the first part is empty) and 1 (above, the second is) make sense.

use super::sparse_low_rank::Entries;
use super::split::{Norm, Split};
use crate::{LinearError, Matrix};

/// The penalty; a ratio above 0.
///
/// # Errors
/// A ratio that is not above 0.
pub fn dirty(ratio: f64) -> Result<Split, LinearError> {
    Split::new(Rows, Entries, ratio)
}

/// Sum over rows of the largest absolute value.
struct Rows;

impl Norm for Rows {
    fn value(&self, matrix: &Matrix) -> f64 {
        (0..matrix.rows()).map(|j| largest(matrix.row(j))).sum()
    }

    fn prox(&self, matrix: &mut Matrix, step: f64) {
        (0..matrix.rows()).for_each(|j| clip(matrix.row_mut(j), step));
    }

    fn dual(&self, matrix: &Matrix) -> f64 {
        (0..matrix.rows()).map(|j| matrix.row(j).iter().map(|v| v.abs()).sum()).fold(0.0, f64::max)
    }
}

fn largest(row: &[f64]) -> f64 {
    row.iter().fold(0.0, |top: f64, v| top.max(v.abs()))
}

/// Clips the largest values to a common size, so that together they lose `step` (what is lost is the projection onto the
/// L1 ball of that radius; Duchi et al., ICML 2008).
fn clip(row: &mut [f64], step: f64) {
    let mut sizes: Vec<f64> = row.iter().map(|v| v.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut level) = (0.0, 0.0_f64);
    for (i, size) in sizes.iter().enumerate() {
        sum += size;
        let candidate = (sum - step) / (i + 1) as f64;
        // The first level that no further value reaches.
        if sizes.get(i + 1).is_none_or(|next| *next <= candidate) {
            level = candidate.max(0.0);
            break;
        }
    }
    row.iter_mut().for_each(|v| *v = v.clamp(-level, level));
}
