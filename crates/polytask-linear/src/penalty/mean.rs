//! Mean-regularised: the tasks' weights are close to their mean (Evgeniou and Pontil, "Regularized multi-task learning", KDD
//! 2004: `w_t = w_0 + v_t`, with squares of `w_0` and of the `v_t` penalised, solved for `w_0`).
//!
//! ```text
//! penalty(W) = 0.5 sum_t |w_t - mean w|^2 + 0.5 ratio |W|^2
//! ```
//!
//! Strong, it makes one model for all tasks; a large ratio is ridge.

use super::{Tied, check_least};
use crate::{LinearError, Matrix};

/// The penalty of tasks with these numbers of columns; a ratio of 0 or above.
///
/// # Errors
/// A ratio below 0, tasks with different numbers of columns.
pub fn mean(ratio: f64, blocks: &[usize]) -> Result<Tied, LinearError> {
    check_least("ratio", ratio)?;
    let tasks = blocks.len();
    let same = |t, s| if t == s { 1.0 + ratio } else { 0.0 };
    Tied::new(&Matrix::from_fn(tasks, tasks, |t, s| same(t, s) - 1.0 / tasks as f64), blocks)
}
