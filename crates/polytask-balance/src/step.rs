//! The plain types that pass through a balancing method.

use serde::{Deserialize, Serialize};

/// Which likelihood a task's loss comes from; only `uncertainty` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LossFamily {
    /// A squared error or another loss of a continuous quantity.
    Regression,
    /// A cross entropy or another loss of a discrete one.
    Classification,
}

/// A task, as a balancer knows it. Tasks are numbered by their place in the list given to [`build`](crate::build).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// Unique name, used in hyperparameters and errors.
    pub name: String,
    /// The family of its loss.
    pub kind: LossFamily,
}

impl TaskInfo {
    /// A task with a loss of the family `kind`.
    pub fn new(name: impl Into<String>, kind: LossFamily) -> Self {
        Self { name: name.into(), kind }
    }
}

/// One optimiser step, with the tasks that have a label in its batch.
///
/// Every vector in and out is over these present tasks, in this order. A task that is absent keeps its state.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Counts optimiser steps over the whole run, from 0.
    pub index: u64,
    /// Counts passes over the data, from 0.
    pub epoch: u64,
    /// Numbers of the present tasks, ascending.
    pub tasks: &'a [usize],
    /// Their losses. May be empty in [`Balancer::weights`](crate::Balancer::weights) of a [`Needs::State`] method, which runs before the
    /// forward pass, and in [`Balancer::explore`](crate::Balancer::explore).
    pub losses: &'a [f64],
}

/// What a method must see before it can say its weights, from cheap to dear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Needs {
    /// Nothing of this batch: weights are known before the forward pass.
    State,
    /// The batch's losses.
    Losses,
    /// The inner products of the task gradients over the shared parameters.
    Gramian,
    /// The task gradients themselves.
    Jacobian,
    /// The model, to try out steps: an [`Oracle`](crate::Oracle).
    Model,
}

/// Which losses a method can take.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LossRange {
    /// Any finite number.
    Any,
    /// At least this much (methods that take ratios).
    AtLeast(f64),
    /// More than this (methods that take logarithms).
    Above(f64),
}

impl LossRange {
    pub(crate) fn holds(self, loss: f64) -> bool {
        match self {
            Self::Any => true,
            Self::AtLeast(bound) => loss >= bound,
            Self::Above(bound) => loss > bound,
        }
    }

    pub(crate) fn words(self) -> String {
        match self {
            Self::Any => "that are finite".into(),
            Self::AtLeast(bound) => format!("of at least {bound}"),
            Self::Above(bound) => format!("above {bound}"),
        }
    }
}

/// What each present task's gradients are multiplied with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Weights {
    /// For gradients of shared parameters: the direction is `sum_i shared[i] * g_i`.
    ///
    /// Out of [`Balancer::aggregate`](crate::Balancer::aggregate) of a [`Needs::Jacobian`] method this is for the record only, since the
    /// direction is written out; each method says what it reports.
    pub shared: Vec<f64>,
    /// For gradients of parameters that belong to one task alone. Whether they follow `shared` or stay 1 is each
    /// paper's choice: see [`MethodInfo::heads`](crate::MethodInfo::heads).
    pub heads: Vec<f64>,
}

impl Weights {
    /// The same weights for shared parameters and heads: a weighted sum of losses.
    pub fn both(weights: Vec<f64>) -> Self {
        Self { heads: weights.clone(), shared: weights }
    }

    /// These weights on shared parameters; every head learns from its own loss, unweighted.
    pub fn shared_only(shared: Vec<f64>) -> Self {
        Self { heads: vec![1.0; shared.len()], shared }
    }

    /// Weight 1 for each of `tasks` tasks.
    pub fn ones(tasks: usize) -> Self {
        Self::both(vec![1.0; tasks])
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.shared.iter().chain(&self.heads).all(|w| w.is_finite())
    }
}

/// Scalars of a method that the run's own optimiser learns, one a task (without weight decay).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learnable {
    /// Their values; the optimiser writes here.
    pub values: Vec<f64>,
    /// Their gradients, filled by [`Balancer::observe`](crate::Balancer::observe). `None`: the task sat the step out, so neither the value nor
    /// the optimiser's moments of it may move.
    pub gradients: Vec<Option<f64>>,
}

impl Learnable {
    pub(crate) fn new(tasks: usize, value: f64) -> Self {
        Self { values: vec![value; tasks], gradients: vec![None; tasks] }
    }

    /// Sets the gradients of the tasks of a step, and "not touched" for all others.
    pub(crate) fn set_gradients(&mut self, step: &Step, mut gradient: impl FnMut(usize, f64) -> f64) {
        self.gradients.fill(None);
        for (&task, &loss) in step.tasks.iter().zip(step.losses) {
            self.gradients[task] = Some(gradient(task, loss));
        }
    }
}
