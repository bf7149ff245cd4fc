//! The features and tasks of a job in `f64`.

use super::LinearProblem;
use crate::train::Job;
use polytask_graph::{LossKind, Op, ops};
use polytask_linear::{Features, Labels, Loss};
use polytask_model::tasks::{Kind, Target, Task};

pub(super) fn of(job: &Job<'_>) -> Result<(Features, Vec<polytask_linear::Task>), LinearProblem> {
    let read = &job.data.features;
    // The one-hot layer knows the levels of every category.
    let levels = job.graph.nodes().iter().find_map(|node| {
        let Op::OneHot(ops::OneHot { columns }) = &node.op else { return None };
        Some(columns.iter().map(|column| column.levels).collect::<Vec<_>>())
    });
    let numbers = read.numbers.iter().map(|v| f64::from(*v)).collect();
    let features = Features::new(read.rows, numbers, read.indices.clone(), levels.unwrap_or_default())?;
    let task = |((task, loss), labels): ((&Task, &polytask_graph::Loss), &usize)| {
        let labels = &job.data.labels[*labels];
        Ok(polytask_linear::Task {
            loss: loss_of(task, &loss.kind)?,
            labels: match &labels.target {
                Target::Real(values) => Labels::Real(values.iter().map(|v| f64::from(*v)).collect()),
                Target::Class(classes) => Labels::Class(classes.clone()),
            },
            weights: labels.weights.iter().map(|w| f64::from(*w)).collect(),
        })
    };
    let tasks = job.tasks.iter().zip(job.graph.losses()).zip(job.labels).map(task);
    Ok((features, tasks.collect::<Result<_, LinearProblem>>()?))
}

/// The absolute error has a corner, which the solver cannot take: a Huber loss with its corner rounded off within a tenth of
/// a standard deviation of the labels stands for it.
const ROUNDED: f64 = 0.1;

fn loss_of(task: &Task, kind: &LossKind) -> Result<Loss, LinearProblem> {
    Ok(match kind {
        LossKind::Mse => Loss::Squared,
        LossKind::Mae => {
            let mut delta = ROUNDED;
            if let Kind::Regression(own) = &task.kind
                && !own.standardize
            {
                delta *= own.deviation;
            }
            Loss::Huber { delta }
        }
        LossKind::Huber { delta } => Loss::Huber { delta: f64::from(*delta) },
        LossKind::BinaryCrossEntropy => match task.is_of_events() {
            true => Loss::Events { count: task.outcome().width() },
            false => Loss::Logistic,
        },
        // Tasks of sequences have no rows of numbers and are refused before.
        LossKind::CrossEntropy | LossKind::Crf { .. } | LossKind::Arcs { .. } => {
            Loss::Softmax { classes: task.outcome().width() }
        }
        LossKind::Poisson => Loss::Poisson,
        LossKind::Custom(own) => {
            return Err(LinearProblem::Loss { task: task.name.clone(), loss: own.name.clone() });
        }
    })
}
