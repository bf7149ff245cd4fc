//! The one interface that every method has, and the plain types that pass through it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::BalanceError;
use crate::gramian::Gramian;
use crate::info::MethodInfo;
use crate::jacobian::{Jacobian, Output};
use crate::oracle::{HeldOut, Oracle};

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
    /// Their losses. May be empty in [`Balancer::weights`] of a [`Needs::State`] method, which runs before the
    /// forward pass, and in [`Balancer::explore`].
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
    /// The model, to try out steps: an [`Oracle`].
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
    /// Out of [`Balancer::aggregate`] of a [`Needs::Jacobian`] method this is for the record only, since the
    /// direction is written out; each method says what it reports.
    pub shared: Vec<f64>,
    /// For gradients of parameters that belong to one task alone. Whether they follow `shared` or stay 1 is each
    /// paper's choice: see [`MethodInfo::heads`].
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
    /// Their gradients, filled by [`Balancer::observe`]. `None`: the task sat the step out, so neither the value nor
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

/// A way to balance tasks.
///
/// # Order of calls in one step
/// 1. [`weights`](Self::weights), or [`aggregate`](Self::aggregate) for a [`Needs::Jacobian`] method: before the
///    forward pass for [`Needs::State`], after it for [`Needs::Losses`], after the many-loss backward for the others.
///    For a [`Needs::Model`] method [`explore`](Self::explore) comes first, at any time before the step, and `weights`
///    only if that gave no direction;
/// 2. the optimiser's step over the model;
/// 3. [`observe`](Self::observe) with the losses of the same batch; then the optimiser's step over
///    [`learnable`](Self::learnable), if any;
/// 4. if [`wants_losses_after`](Self::wants_losses_after): a forward pass over the same batch, and
///    [`observe_after`](Self::observe_after).
///
/// After each pass over the data: [`observe_kpi`](Self::observe_kpi) for each task, [`end_epoch`](Self::end_epoch).
///
/// Balancers from [`build`](crate::build) check their input: sizes, order of tasks, finite numbers, losses in range.
/// With no task present they return empty weights. With one present task an aggregator returns that task's own
/// gradient (weight 1); a scalarizer returns the weight its formula gives, never negative.
pub trait Balancer: Send {
    /// The method's entry in the registry.
    fn info(&self) -> &'static MethodInfo;

    /// The method's name in the config.
    fn name(&self) -> &'static str {
        self.info().name
    }

    /// What the method must see before it can say its weights.
    fn needs(&self) -> Needs {
        self.info().needs
    }

    /// Which losses the method can take for a task.
    fn loss_range(&self, _task: usize) -> LossRange {
        LossRange::Any
    }

    /// From how many disjoint batches (same present tasks) [`aggregate`](Self::aggregate) wants a Jacobian.
    fn batches(&self) -> usize {
        1
    }

    /// Whether the method wants to see the same batch's losses once more after the optimiser's step.
    fn wants_losses_after(&self) -> bool {
        false
    }

    /// The weights of the present tasks.
    ///
    /// # Errors
    /// [`BalanceError::Missing`] if something that the method [`needs`](Self::needs) was not given, and what the
    /// checks described above find.
    fn weights(&mut self, _step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        Err(BalanceError::Missing { method: self.name(), what: "the Jacobian: call `aggregate`" })
    }

    /// Writes the direction to hand to the optimiser (it descends along its negative) into `out`.
    ///
    /// `jacobians` holds [`batches`](Self::batches) Jacobians, each with one row of `n` shared-parameter gradients a
    /// present task; `n` and the tensors must stay the same from step to step. A task that does not reach a parameter
    /// has zeros there. Works for every method: those that need less get it from the Jacobian.
    ///
    /// # Errors
    /// As [`weights`](Self::weights), and [`BalanceError::Shape`].
    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let [jacobian, ..] = jacobians else {
            return Err(BalanceError::Missing { method: self.name(), what: "a Jacobian" });
        };
        let gramian = (self.needs() == Needs::Gramian).then(|| jacobian.gramian());
        let weights = self.weights(step, gramian.as_ref())?;
        jacobian.combine(&weights.shared, out);
        Ok(weights)
    }

    /// Where the held-out batch of [`explore`](Self::explore) comes from.
    fn held_out(&self) -> HeldOut {
        HeldOut::Half
    }

    /// Asks the model what steps would lead to, and learns from it. `step` has the tasks with labels in both batches.
    ///
    /// Most methods give nothing here and say their [`weights`](Self::weights) afterwards. One that makes the direction
    /// itself writes it to `out`, laid out as [`Oracle::parameters`], heads included, and gives weights for the record.
    /// With fewer than two tasks there is nothing to learn from, and nothing changes.
    ///
    /// # Errors
    /// [`BalanceError::Ahead`] if a step that was tried out leads out of the numbers, [`BalanceError::Shape`] for
    /// answers of the wrong length, [`BalanceError::Missing`] for a method that asks no model.
    fn explore(
        &mut self,
        _step: &Step,
        _oracle: &mut dyn Oracle,
        _out: &mut [f32],
    ) -> Result<Option<Weights>, BalanceError> {
        Err(BalanceError::Missing { method: self.name(), what: "no model: call `weights` or `aggregate`" })
    }

    /// Shows the method the losses of the step just made, and fills the gradients of [`learnable`](Self::learnable).
    ///
    /// # Errors
    /// A loss that is not finite or out of range.
    fn observe(&mut self, _step: &Step) -> Result<(), BalanceError> {
        Ok(())
    }

    /// Shows the method the losses of the same batch after the optimiser's step.
    ///
    /// # Errors
    /// A loss that is not finite or out of range.
    fn observe_after(&mut self, _step: &Step) -> Result<(), BalanceError> {
        Ok(())
    }

    /// Shows the method how well a task does: a validation score in (0, 1), higher is better (only `dtp` looks).
    ///
    /// # Errors
    /// A task that does not exist, or a score that is not finite.
    fn observe_kpi(&mut self, _task: usize, _score: f64) -> Result<(), BalanceError> {
        Ok(())
    }

    /// Ends a pass over the data.
    fn end_epoch(&mut self) {}

    /// The scalars that the run's optimiser learns for this method, if it has any.
    fn learnable(&mut self) -> Option<&mut Learnable> {
        None
    }

    /// All of the state that changes from step to step, bit for bit.
    fn state(&self) -> Value {
        Value::Null
    }

    /// Takes back what [`state`](Self::state) gave.
    ///
    /// # Errors
    /// [`BalanceError::State`] if it belongs to another method or other tasks, or is damaged.
    fn restore(&mut self, _state: &Value) -> Result<(), BalanceError> {
        Ok(())
    }

    /// Forgets everything: the state right after construction.
    fn reset(&mut self) {}
}
