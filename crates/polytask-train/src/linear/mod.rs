//! Linear models: from a training job to a problem of [`polytask_linear`], along a path of strengths, and back.

mod ignored;
mod penalty;
mod problem;
mod search;

pub use crate::train::{LinearProblem, Solved};
pub use ignored::ignored;

use crate::train::{Callback, Fitted, Job, StopReason, TrainError};
use polytask_exec::Parameters;
use polytask_graph::{Op, ops};
use polytask_linear::{Features, LinearError, Matrix};
use polytask_model::config::Strength;
use polytask_model::model::{Body, Network};
use polytask_model::share::{Linear, PenaltyName};
use search::Search;
use std::time::Instant;

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
    if settings.strength == Strength::Loo {
        return closed_form(job, &features, &tasks, began);
    }
    let search = Search::new(job, settings, &features, &tasks)?;
    let found = search.run(watch, began)?;
    let parameters = parameters(job, &found.solution.weights, &found.solution.intercepts)?;
    Ok(Fitted {
        body: Body::Network(Network { graph: job.graph.clone(), parameters }),
        stop_reason: if found.stopped { StopReason::Stopped } else { StopReason::Complete },
        best_epoch: Some(found.best),
        steps: found.iterations,
        seconds: began.elapsed().as_secs_f64(),
        history: found.history,
        solved: Some(found.solved),
        out_of_fold: None,
    })
}

/// Ridge regression with the strengths that leaving out each row chooses.
fn closed_form(
    job: &Job<'_>,
    features: &Features,
    tasks: &[polytask_linear::Task],
    began: Instant,
) -> Result<Fitted, TrainError> {
    let found = polytask_linear::ridge(features, tasks, job.train).map_err(|error| match error {
        LinearError::NotSquared(task) => LinearProblem::NotSquared(job.tasks[task].name.clone()),
        other => other.into(),
    })?;
    let mean = found.strengths.iter().map(|strength| strength.ln()).sum::<f64>() / found.strengths.len().max(1) as f64;
    let solved = Solved {
        penalty: PenaltyName::Ridge.word(),
        strength: mean.exp(),
        ratio: None,
        chosen_by: "leaving out each row, for each task its own (the geometric mean is shown)".to_owned(),
        tried: 1,
        gap: None,
        converged: true,
        used: features.width(),
        features: features.width(),
        rank: None,
        outliers: None,
        groups: None,
    };
    let parameters = parameters(job, &found.weights, &found.intercepts)?;
    Ok(Fitted {
        body: Body::Network(Network { graph: job.graph.clone(), parameters }),
        stop_reason: StopReason::Complete,
        best_epoch: Some(1),
        steps: 1,
        seconds: began.elapsed().as_secs_f64(),
        history: Vec::new(),
        solved: Some(solved),
        out_of_fold: None,
    })
}

/// The weights and intercepts in the places of the graph's output layers.
fn parameters(job: &Job<'_>, weights: &Matrix, intercepts: &[f64]) -> Result<Parameters, LinearProblem> {
    let mut parameters = Parameters::zeros(job.graph);
    let mut start = 0;
    for (task, loss) in job.tasks.iter().zip(job.graph.losses()) {
        let Op::Dense(ops::Dense { weight, bias: Some(bias), .. }) = job.graph.node(loss.prediction).op else {
            return Err(LinearProblem::Network(task.name.clone()));
        };
        let outputs = parameters.of(bias).len();
        let columns: Vec<usize> = (start..start + outputs).collect();
        let own = weights.select(&columns);
        if own.values().len() != parameters.of(weight).len() {
            return Err(LinearProblem::Network(task.name.clone()));
        }
        let write = |to: &mut [f32], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to = *from as f32);
        write(parameters.of_mut(weight), own.values());
        write(parameters.of_mut(bias), &intercepts[start..start + outputs]);
        start += outputs;
    }
    Ok(parameters)
}
