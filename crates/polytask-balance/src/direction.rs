//! One-shot use: a small Jacobian in, weights and direction out.

use serde::Serialize;

use crate::balancer::Balancer;
use crate::error::BalanceError;
use crate::jacobian::{Jacobian, Output};
use crate::step::{Step, Weights};

/// What [`direction`] answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Direction {
    /// The weights of the present tasks.
    pub weights: Weights,
    /// The direction to hand to an optimiser: one value a shared parameter.
    pub direction: Vec<f64>,
}

/// Weights and direction of one step, from rows in double precision, one a present task.
///
/// A method that wants several batches gets the same Jacobian for each. The losses of `step`, if given, are also shown
/// to the method afterwards, so a sequence of calls takes a stateful method through a run.
///
/// # Errors
/// As [`Balancer::aggregate`].
///
/// ```
/// # use polytask_balance::{LossFamily, Step, TaskInfo, build, direction};
/// # let tasks = ["a", "b"].map(|name| TaskInfo::new(name, LossFamily::Regression));
/// let mut method = build("equal", &serde_json::Map::new(), &tasks, 0)?;
/// let step = Step { index: 0, epoch: 0, tasks: &[0, 1], losses: &[] };
/// assert_eq!(direction(method.as_mut(), &step, &[vec![1.0], vec![2.0]])?.direction, [3.0]);
/// # Ok::<(), polytask_balance::BalanceError>(())
/// ```
pub fn direction(method: &mut dyn Balancer, step: &Step, rows: &[Vec<f64>]) -> Result<Direction, BalanceError> {
    let jacobian = Jacobian::from_f64(rows.iter().map(Vec::as_slice).collect(), &[])?;
    let mut direction = vec![0.0; jacobian.width()];
    let jacobians = vec![jacobian; method.batches()];
    let weights = method.aggregate(step, &jacobians, &mut Output::F64(&mut direction))?;
    if step.losses.len() == step.tasks.len() {
        method.observe(step)?;
    }
    Ok(Direction { weights, direction })
}
