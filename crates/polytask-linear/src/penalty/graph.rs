//! Graph-regularised: the weights of tasks that are joined by an edge are close (Evgeniou, Micchelli and Pontil, JMLR 6, 2005;
//! SRMTL in MALSAR, Zhou, Chen and Ye 2011).
//!
//! ```text
//! penalty(W) = 0.5 sum_{edges (s, t)} a_st |w_s - w_t|^2 + 0.5 ratio |W|^2
//! ```

use super::{Tied, check_least};
use crate::{LinearError, Matrix};

/// The penalty of tasks with these numbers of columns, joined by edges `(task, task, weight)`; a ratio of 0 or above.
///
/// # Errors
/// A ratio or weight below 0, an edge from or to no task, tasks with different numbers of columns.
pub fn graph(edges: &[(usize, usize, f64)], ratio: f64, blocks: &[usize]) -> Result<Tied, LinearError> {
    check_least("ratio", ratio)?;
    let tasks = blocks.len();
    let mut ties = Matrix::from_fn(tasks, tasks, |t, s| if t == s { ratio } else { 0.0 });
    for &(s, t, weight) in edges {
        check_least("the weight of an edge", weight)?;
        if let Some(end) = [s, t].into_iter().find(|end| *end >= tasks) {
            return Err(LinearError::Edge { task: end, tasks });
        }
        if s != t {
            for (at, to, by) in [(s, s, weight), (t, t, weight), (s, t, -weight), (t, s, -weight)] {
                *ties.get_mut(at, to) += by;
            }
        }
    }
    Tied::new(&ties, blocks)
}
