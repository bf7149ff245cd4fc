//! Linear models: from a training job to a problem of [`polytask_linear`], along a path of strengths, and back.

mod ignored;
mod penalty;
mod problem;
mod search;

pub use ignored::ignored;
pub use search::Solved;

use crate::train::{Callback, Fitted, Job, StopReason, TrainError};
use polytask_cpu::Parameters;
use polytask_graph::{Op, ops};
use polytask_linear::{LinearError, Solution};
use polytask_model::share::Linear;
use search::Search;
use std::time::Instant;

/// Why a linear model cannot be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinearProblem {
    /// A task without labels in what is left of the training rows when a part is held out.
    #[error("task `{task}` has too few labelled training rows for cross-validation in {folds} parts")]
    FewRows {
        /// The task.
        task: String,
        /// The parts.
        folds: usize,
    },
    /// A penalty that ties whole tasks together, and tasks with different numbers of outputs.
    #[error(
        "the penalty \"{penalty}\" ties tasks output to output, and task `{task}` has {got} of them, task `{first}` {expected}"
    )]
    Widths {
        /// As in the config.
        penalty: &'static str,
        /// A task.
        task: String,
        /// Its outputs: 1, or one a class or label.
        got: usize,
        /// The first task.
        first: String,
        /// Its outputs.
        expected: usize,
    },
    /// A loss that the solver does not know.
    #[error("task `{task}` has the loss {loss:?}, a caller's own, which only networks can have")]
    Loss {
        /// The task.
        task: String,
        /// Its loss.
        loss: String,
    },
    /// A network that is not linear.
    #[error("the head of task `{0}` is not linear in the inputs")]
    Network(String),
    /// Whatever else keeps the problem from being solved.
    #[error(transparent)]
    Linear(#[from] LinearError),
}

impl LinearProblem {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            LinearProblem::FewRows { .. } => Some(
                "give model.sharing.strength a number, use fewer model.sharing.folds, or keep validation rows"
                    .to_owned(),
            ),
            LinearProblem::Widths { .. } => Some(
                "the penalties \"l21\", \"trace\", \"robust\" and \"dirty\" take tasks of any kind together".to_owned(),
            ),
            _ => None,
        }
    }
}

/// Finds the weights of a linear model: along a path of strengths, the best by the criterion on the validation rows or
/// by cross-validation. Same job, same result, bit for bit, whatever the threads.
///
/// A round of the history is a strength; a step is an iteration of the solver.
///
/// # Errors
/// Tasks with too few labelled rows for cross-validation.
pub(crate) fn fit(job: &Job<'_>, settings: &Linear, watch: &mut dyn Callback) -> Result<Fitted, TrainError> {
    let began = Instant::now();
    let (features, tasks) = problem::of(job)?;
    let search = Search::new(job, settings, &features, &tasks)?;
    let found = search.run(watch, began)?;
    Ok(Fitted {
        parameters: parameters(job, &found.solution)?,
        stop_reason: if found.stopped { StopReason::Stopped } else { StopReason::Complete },
        best_epoch: Some(found.best),
        steps: found.iterations,
        seconds: began.elapsed().as_secs_f64(),
        history: found.history,
        solved: Some(found.solved),
    })
}

/// The weights and intercepts in the places of the graph's output layers.
fn parameters(job: &Job<'_>, solution: &Solution) -> Result<Parameters, LinearProblem> {
    let mut parameters = Parameters::zeros(job.graph);
    let mut start = 0;
    for (task, loss) in job.tasks.iter().zip(job.graph.losses()) {
        let Op::Dense(ops::Dense { weight, bias: Some(bias), .. }) = job.graph.node(loss.prediction).op else {
            return Err(LinearProblem::Network(task.name.clone()));
        };
        let outputs = parameters.of(bias).len();
        let columns: Vec<usize> = (start..start + outputs).collect();
        let own = solution.weights.select(&columns);
        if own.values().len() != parameters.of(weight).len() {
            return Err(LinearProblem::Network(task.name.clone()));
        }
        let write = |to: &mut [f32], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to = *from as f32);
        write(parameters.of_mut(weight), own.values());
        write(parameters.of_mut(bias), &solution.intercepts[start..start + outputs]);
        start += outputs;
    }
    Ok(parameters)
}
