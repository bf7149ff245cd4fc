//! The one interface that every method has, and what the registry says of a method.

mod info;
mod keys;

pub(crate) use info::{ALL, ONE};
pub use info::{Family, Heads, KeyInfo, MethodInfo};
pub(crate) use keys::{PerTask, Setup};

use serde_json::Value;

use crate::error::BalanceError;
use crate::gramian::Gramian;
use crate::jacobian::{Jacobian, Output};
use crate::oracle::{HeldOut, Oracle};
use crate::step::{Learnable, LossRange, Needs, Step, Weights};

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
