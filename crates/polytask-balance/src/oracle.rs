//! A model that can be asked: what the methods need that try out steps before they say their weights.

use serde::{Deserialize, Serialize};

use crate::error::BalanceError;
use crate::step::Step;

/// Which of a step's two batches is meant. Both are of training rows; their tasks are those of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Batch {
    /// The one that the model would learn from.
    Inner,
    /// The one held out to judge it by.
    Outer,
}

/// Where the held-out batch of a step comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldOut {
    /// The step's batch is cut in two: the first half is the inner, the second the outer one.
    Half,
    /// All of the step's batch is the inner one; the outer one is as many training rows in another random order.
    Batch,
}

/// A model and two batches of one step, for [`Balancer::explore`](crate::Balancer::explore).
///
/// A point is one value for each parameter of the model, heads included, in an order of the model's own; a gradient is
/// laid out alike. Losses and gradients are of the tasks of the step, in its order. Asked twice, it answers the same:
/// random parts of the model, such as dropout, draw alike throughout a step.
pub trait Oracle {
    /// The parameters as they are.
    fn parameters(&self) -> &[f32];

    /// The learning rate of the step to come.
    fn rate(&self) -> f64;

    /// Writes what the optimiser's next step adds to the gradient whatever that is, such as momentum and weight decay.
    /// Zeros unless overridden.
    fn drift(&self, into: &mut [f32]) {
        into.fill(0.0);
    }

    /// The losses on a batch with the parameters at `at`.
    fn losses(&mut self, batch: Batch, at: &[f32]) -> Vec<f64>;

    /// The losses, and the gradient of `sum_i weights[i] L_i` into `into`.
    fn gradient(&mut self, batch: Batch, at: &[f32], weights: &[f64], into: &mut [f32]) -> Vec<f64>;

    /// The losses, and the gradient of each task into its row of `into`. As many calls of [`gradient`](Self::gradient)
    /// unless overridden.
    fn gradients(&mut self, batch: Batch, at: &[f32], into: &mut [Vec<f32>]) -> Vec<f64> {
        let mut losses = Vec::new();
        let tasks = into.len();
        for (task, row) in into.iter_mut().enumerate() {
            let mut weights = vec![0.0; tasks];
            weights[task] = 1.0;
            losses = self.gradient(batch, at, &weights, row);
        }
        losses
    }
}

/// An oracle with its answers checked: one number a task, all of them finite.
pub(crate) struct Checked<'a> {
    method: &'static str,
    step: Step<'a>,
    oracle: &'a mut dyn Oracle,
}

impl<'a> Checked<'a> {
    pub(crate) fn new(method: &'static str, step: &Step<'a>, oracle: &'a mut dyn Oracle) -> Self {
        Self { method, step: *step, oracle }
    }

    /// The parameters as they are.
    pub(crate) fn here(&self) -> Vec<f32> {
        self.oracle.parameters().to_vec()
    }

    pub(crate) fn rate(&self) -> f64 {
        self.oracle.rate()
    }

    pub(crate) fn drift(&self, into: &mut [f32]) {
        self.oracle.drift(into);
    }

    pub(crate) fn losses(&mut self, batch: Batch, at: &[f32]) -> Result<Vec<f64>, BalanceError> {
        let losses = self.oracle.losses(batch, at);
        self.check(losses, &[])
    }

    pub(crate) fn gradient(
        &mut self,
        batch: Batch,
        at: &[f32],
        weights: &[f64],
        into: &mut [f32],
    ) -> Result<Vec<f64>, BalanceError> {
        let losses = self.oracle.gradient(batch, at, weights, into);
        self.check(losses, into)
    }

    /// The gradient of each task, a row each.
    pub(crate) fn gradients(&mut self, batch: Batch, at: &[f32]) -> Result<Vec<Vec<f32>>, BalanceError> {
        let mut rows = vec![vec![0.0; at.len()]; self.step.tasks.len()];
        let mut losses = self.oracle.gradients(batch, at, &mut rows);
        for row in &rows {
            losses = self.check(losses, row)?;
        }
        Ok(rows)
    }

    fn check(&self, losses: Vec<f64>, gradient: &[f32]) -> Result<Vec<f64>, BalanceError> {
        if losses.len() != self.step.tasks.len() {
            return Err(BalanceError::Shape(format!(
                "step {} has {} tasks, and the model answers with {} losses",
                self.step.index,
                self.step.tasks.len(),
                losses.len()
            )));
        }
        match losses.iter().all(|l| l.is_finite()) && gradient.iter().all(|g| g.is_finite()) {
            true => Ok(losses),
            false => Err(BalanceError::Ahead { method: self.method, step: self.step.index }),
        }
    }
}

/// `at + length * along`, rounded once.
pub(crate) fn moved(at: &[f32], length: f64, along: &[f32]) -> Vec<f32> {
    at.iter().zip(along).map(|(x, d)| (f64::from(*x) + length * f64::from(*d)) as f32).collect()
}

/// The inner product of two gradients, summed in `f64`.
pub(crate) fn inner(a: &[f32], b: &[f32]) -> f64 {
    let mut sums = [0.0f64; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (x, y) in a8.iter().zip(b8) {
        for k in 0..8 {
            sums[k] += f64::from(x[k]) * f64::from(y[k]);
        }
    }
    let tail: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum();
    sums.iter().sum::<f64>() + tail
}
