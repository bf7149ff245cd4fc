//! Our side of the comparison of aggregators: calls of one method on a few inputs, again and again.

use crate::aggregators::{ANSWERS, Case, Input, find, jacobians};
use crate::protocol::{Answers, Steps, serve};
use crate::{Error, Result};
use polytask_balance::{BalanceError, Balancer, Gramian, Jacobian, LossFamily, Output, Step, TaskInfo};

/// Serves the protocol until told to quit.
///
/// # Errors
/// A line that is not in the protocol, or a failing call.
pub fn run() -> Result<()> {
    serve(&mut Calls::default())
}

/// The case at hand.
#[derive(Default)]
struct Calls {
    method: Option<Box<dyn Balancer>>,
    input: Option<Input>,
    tasks: Vec<usize>,
    jacobians: Vec<Vec<Vec<f64>>>,
    gramians: Vec<Gramian>,
    next: usize,
}

impl Steps for Calls {
    fn run(&mut self, count: u64) -> Result<Option<f32>> {
        for _ in 0..count {
            std::hint::black_box(self.call().map_err(unavailable)?);
        }
        Ok(None)
    }

    fn turn_to(&mut self, method: &str, tasks: usize) -> Result<Answers> {
        let &Case { name, keys, input, .. } =
            find(method).ok_or_else(|| Error::Unavailable(format!("there is no {method} here")))?;
        let infos: Vec<TaskInfo> =
            (0..tasks).map(|task| TaskInfo::new(task.to_string(), LossFamily::Regression)).collect();
        let keys = serde_json::from_str(keys).map_err(std::io::Error::from)?;
        self.method = Some(polytask_balance::build(name, &keys, &infos, 0).map_err(unavailable)?);
        self.input = Some(input);
        self.tasks = (0..tasks).collect();
        self.jacobians = jacobians(tasks);
        self.next = 0;
        self.gramians.clear();
        for rows in &self.jacobians {
            self.gramians.push(view(rows).map_err(unavailable)?.gramian());
        }
        let answers = (0..ANSWERS).map(|_| self.call()).collect::<std::result::Result<_, _>>();
        Ok(Answers { answers: answers.map_err(unavailable)? })
    }
}

impl Calls {
    /// The weights of the next Gramian, or the direction of the next Jacobian.
    fn call(&mut self) -> std::result::Result<Vec<f64>, BalanceError> {
        let Some(method) = &mut self.method else { return Ok(Vec::new()) };
        let at = self.next % self.jacobians.len();
        self.next += 1;
        let step = Step { index: self.next as u64, epoch: 0, tasks: &self.tasks, losses: &[] };
        if self.input == Some(Input::Gramian) {
            return Ok(method.weights(&step, Some(&self.gramians[at]))?.shared);
        }
        let jacobian = view(&self.jacobians[at])?;
        let mut direction = vec![0.0; jacobian.width()];
        method.aggregate(&step, &[jacobian], &mut Output::F64(&mut direction))?;
        Ok(direction)
    }
}

fn view(rows: &[Vec<f64>]) -> std::result::Result<Jacobian<'_>, BalanceError> {
    Jacobian::from_f64(rows.iter().map(Vec::as_slice).collect(), &[])
}

fn unavailable(error: BalanceError) -> Error {
    Error::Unavailable(error.to_string())
}
