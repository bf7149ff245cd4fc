//! The checks that every built balancer makes, so that no method has to.

use serde_json::{Value, json};

use crate::balancer::Balancer;
use crate::balancer::{Family, MethodInfo};
use crate::error::BalanceError;
use crate::gramian::Gramian;
use crate::jacobian::{Jacobian, Output};
use crate::oracle::{HeldOut, Oracle};
use crate::step::{Learnable, LossRange, Needs, Step, TaskInfo, Weights};

/// Checks what goes into and comes out of the method inside.
pub(crate) struct Guard {
    inner: Box<dyn Balancer>,
    names: Vec<String>,
}

impl Guard {
    pub(crate) fn new(inner: Box<dyn Balancer>, tasks: &[TaskInfo]) -> Self {
        Self { inner, names: tasks.iter().map(|t| t.name.clone()).collect() }
    }

    fn check_step(&self, step: &Step) -> Result<(), BalanceError> {
        let ascending = step.tasks.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || step.tasks.last().is_some_and(|&last| last >= self.names.len()) {
            return Err(BalanceError::Shape(format!(
                "the tasks of step {} must be ascending numbers below {}, got {:?}",
                step.index,
                self.names.len(),
                step.tasks
            )));
        }
        if !step.losses.is_empty() && step.losses.len() != step.tasks.len() {
            return Err(BalanceError::Shape(format!(
                "step {} has {} tasks and {} losses",
                step.index,
                step.tasks.len(),
                step.losses.len()
            )));
        }
        for (&task, &loss) in step.tasks.iter().zip(step.losses) {
            if !loss.is_finite() {
                return Err(self.not_finite("loss", task, step.index));
            }
            let range = self.inner.loss_range(task);
            if !range.holds(loss) {
                return Err(BalanceError::LossRange {
                    method: self.name(),
                    task: self.names[task].clone(),
                    value: loss,
                    bound: range.words(),
                    step: step.index,
                });
            }
        }
        Ok(())
    }

    fn need_losses(&self, step: &Step) -> Result<(), BalanceError> {
        if step.losses.is_empty() && !step.tasks.is_empty() {
            return Err(BalanceError::Missing { method: self.name(), what: "the losses of the present tasks" });
        }
        Ok(())
    }

    fn check_gramian(&self, step: &Step, gramian: &Gramian) -> Result<(), BalanceError> {
        if gramian.size() != step.tasks.len() {
            return Err(BalanceError::Shape(format!(
                "step {} has {} tasks and a Gramian of {}",
                step.index,
                step.tasks.len(),
                gramian.size()
            )));
        }
        // A task is named by its own norm if that is not finite, else by the first pair that is not.
        let whole = |i: usize| gramian.row(i).iter().all(|v| v.is_finite());
        let culprit = (0..gramian.size())
            .find(|&i| !gramian.get(i, i).is_finite())
            .or_else(|| (0..gramian.size()).find(|&i| !whole(i)));
        culprit.map_or(Ok(()), |i| Err(self.not_finite("gradient", step.tasks[i], step.index)))
    }

    fn check_jacobians(&self, step: &Step, jacobians: &[Jacobian], out: &Output) -> Result<(), BalanceError> {
        if jacobians.len() != self.batches() {
            return Err(BalanceError::Shape(format!(
                "`{}` takes the Jacobians of {} batches, got {}",
                self.name(),
                self.batches(),
                jacobians.len()
            )));
        }
        for jacobian in jacobians {
            if jacobian.tasks() != step.tasks.len() || jacobian.width() != out.len() && !step.tasks.is_empty() {
                return Err(BalanceError::Shape(format!(
                    "step {} has {} tasks and a direction of {} values, the Jacobian is {} x {}",
                    step.index,
                    step.tasks.len(),
                    out.len(),
                    jacobian.tasks(),
                    jacobian.width()
                )));
            }
            if let Some(row) = jacobian.not_finite() {
                return Err(self.not_finite("gradient", step.tasks[row], step.index));
            }
        }
        Ok(())
    }

    fn not_finite(&self, what: &'static str, task: usize, step: u64) -> BalanceError {
        BalanceError::NotFinite { what, task: self.names[task].clone(), step }
    }

    /// Whether an aggregator is asked to combine a single gradient.
    fn alone(&self, step: &Step) -> bool {
        step.tasks.len() == 1 && self.info().family == Family::Aggregator && self.needs() == Needs::Gramian
    }

    fn finite(&self, step: &Step, weights: Weights) -> Result<Weights, BalanceError> {
        if weights.is_finite() {
            return Ok(weights);
        }
        Err(BalanceError::Overflow { method: self.name(), step: step.index })
    }
}

impl Balancer for Guard {
    fn info(&self) -> &'static MethodInfo {
        self.inner.info()
    }

    fn needs(&self) -> Needs {
        self.inner.needs()
    }

    fn loss_range(&self, task: usize) -> LossRange {
        self.inner.loss_range(task)
    }

    fn batches(&self) -> usize {
        self.inner.batches()
    }

    fn wants_losses_after(&self) -> bool {
        self.inner.wants_losses_after()
    }

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        self.check_step(step)?;
        let needs = self.needs();
        if needs == Needs::Losses {
            self.need_losses(step)?;
        }
        if needs == Needs::Gramian {
            let what = "the Gramian of the task gradients";
            let gramian = gramian.ok_or(BalanceError::Missing { method: self.name(), what })?;
            self.check_gramian(step, gramian)?;
        }
        if step.tasks.is_empty() {
            return Ok(Weights::default());
        }
        if self.alone(step) {
            return Ok(Weights::ones(1));
        }
        let weights = self.inner.weights(step, gramian)?;
        self.finite(step, weights)
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        if self.needs() == Needs::Model {
            let what = "a model to try out steps on: call `explore`";
            return Err(BalanceError::Missing { method: self.name(), what });
        }
        self.check_step(step)?;
        self.check_jacobians(step, jacobians, out)?;
        if self.needs() == Needs::Losses {
            self.need_losses(step)?;
        }
        if step.tasks.is_empty() {
            out.fill_zero();
            return Ok(Weights::default());
        }
        if self.alone(step) {
            jacobians[0].combine(&[1.0], out);
            return Ok(Weights::ones(1));
        }
        let weights = self.inner.aggregate(step, jacobians, out)?;
        self.finite(step, weights)
    }

    fn held_out(&self) -> HeldOut {
        self.inner.held_out()
    }

    fn explore(
        &mut self,
        step: &Step,
        oracle: &mut dyn Oracle,
        out: &mut [f32],
    ) -> Result<Option<Weights>, BalanceError> {
        self.check_step(step)?;
        let width = oracle.parameters().len();
        if out.len() != width {
            return Err(BalanceError::Shape(format!(
                "the model of step {} has {width} parameters, the direction {} values",
                step.index,
                out.len()
            )));
        }
        if self.needs() == Needs::Model && step.tasks.len() < 2 {
            return Ok(None);
        }
        let weights = self.inner.explore(step, oracle, out)?;
        weights.map(|weights| self.finite(step, weights)).transpose()
    }

    fn observe(&mut self, step: &Step) -> Result<(), BalanceError> {
        self.check_step(step)?;
        self.need_losses(step)?;
        self.inner.observe(step)
    }

    fn observe_after(&mut self, step: &Step) -> Result<(), BalanceError> {
        self.check_step(step)?;
        self.need_losses(step)?;
        self.inner.observe_after(step)
    }

    fn observe_kpi(&mut self, task: usize, score: f64) -> Result<(), BalanceError> {
        if task >= self.names.len() {
            return Err(BalanceError::Shape(format!("there is no task {task}, only {}", self.names.len())));
        }
        if !score.is_finite() {
            return Err(BalanceError::Shape(format!("the score of task `{}` is not finite", self.names[task])));
        }
        self.inner.observe_kpi(task, score)
    }

    fn end_epoch(&mut self) {
        self.inner.end_epoch();
    }

    fn learnable(&mut self) -> Option<&mut Learnable> {
        self.inner.learnable()
    }

    fn state(&self) -> Value {
        json!({ "method": self.name(), "tasks": self.names, "state": self.inner.state() })
    }

    fn restore(&mut self, state: &Value) -> Result<(), BalanceError> {
        let method = self.name();
        let wrong = |message: String| Err(BalanceError::State { method, message });
        if state["method"] != method {
            return wrong(format!("it belongs to {}", state["method"]));
        }
        if state["tasks"] != json!(self.names) {
            return wrong(format!("it belongs to the tasks {}", state["tasks"]));
        }
        match state.get("state") {
            Some(inner) => self.inner.restore(inner),
            None => wrong("it has no `state`".into()),
        }
    }

    fn reset(&mut self) {
        self.inner.reset();
    }
}
