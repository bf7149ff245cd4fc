//! FAMO, fast adaptive multitask optimisation (Liu et al., NeurIPS 2023). With logits `xi` (0 at first), lower bounds
//! `b` and `D_i = L_i - b_i + 1e-8`:
//!
//! ```text
//! z = softmax(xi)        weight of task i = c z_i / D_i,  c = 1 / sum_i z_i / D_i        (they sum to 1)
//! after the step:  delta_i = log D_i - log D'_i,  gradient of xi = (d z / d xi)^T delta,  Adam with decay gamma
//! ```
//!
//! `D'` is of the losses on the *same* batch after the step: an extra forward pass without gradients
//! ([`Balancer::observe_after`]). Tasks whose loss falls fast lose weight. Losses must lie above their bounds. Heads are
//! weighted too. The paper clips the gradient of the shared parameters to norm 1; that is the run's to set.

use crate::prelude::*;
use crate::scalars::{Adam, softmax};

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "famo",
    title: "FAMO",
    family: Family::Scalarizer,
    needs: Needs::Losses,
    heads: Heads::Weighted,
    cost: "1, and a forward pass",
    keys: &[
        KeyInfo { name: "rate", default: "0.025", range: "above 0", purpose: "learning rate of the logits" },
        KeyInfo { name: "decay", default: "0.001", range: "at least 0", purpose: "gamma, weight decay of the logits" },
        KeyInfo {
            name: "lower_bound",
            default: "{}",
            range: "{ task = number }, 0 where left out",
            purpose: "b, a bound below each task's loss",
        },
    ],
    paper: "Liu et al.: FAMO: Fast Adaptive Multitask Optimization. NeurIPS 2023",
    when: "many tasks that should all improve at a like rate, at nearly the price of one",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("rate", keys.rate, keys.rate > 0.0)?;
        setup.check("decay", keys.decay, keys.decay >= 0.0)?;
        Ok(Box::new(Famo {
            rate: keys.rate,
            decay: keys.decay,
            bound: setup.per_task("lower_bound", &keys.lower_bound, 0.0, |_| true)?,
            memory: Memory::new(vec![Logit::default(); setup.tasks.len()]),
        }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    rate: f64,
    decay: f64,
    lower_bound: PerTask,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Logit {
    value: f64,
    adam: Adam,
    /// log D before the step, until the losses after it are seen.
    before: Option<f64>,
}

struct Famo {
    rate: f64,
    decay: f64,
    bound: Vec<f64>,
    memory: Memory<Vec<Logit>>,
}

impl Famo {
    fn shares(&self, step: &Step) -> Vec<f64> {
        softmax(&step.tasks.iter().map(|&task| self.memory[task].value).collect::<Vec<_>>())
    }

    fn log_distances(&self, step: &Step) -> Vec<f64> {
        step.tasks.iter().zip(step.losses).map(|(&task, loss)| (loss - self.bound[task] + 1e-8).ln()).collect()
    }
}

impl Balancer for Famo {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, task: usize) -> LossRange {
        LossRange::Above(self.bound[task])
    }

    fn wants_losses_after(&self) -> bool {
        true
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        // c z / D is softmax(xi - log D).
        let logs = self.log_distances(step);
        let logits: Vec<f64> = step.tasks.iter().zip(logs).map(|(&task, log)| self.memory[task].value - log).collect();
        Ok(Weights::both(softmax(&logits)))
    }

    fn observe(&mut self, step: &Step) -> Result<(), BalanceError> {
        for (&task, log) in step.tasks.iter().zip(self.log_distances(step)) {
            self.memory[task].before = Some(log);
        }
        Ok(())
    }

    fn observe_after(&mut self, step: &Step) -> Result<(), BalanceError> {
        let z = self.shares(step);
        let logs = self.log_distances(step);
        let delta: Vec<f64> = step
            .tasks
            .iter()
            .zip(&logs)
            .map(|(&task, after)| self.memory[task].before.take().map_or(0.0, |before| before - after))
            .collect();
        let mean: f64 = z.iter().zip(&delta).map(|(z, d)| z * d).sum();
        let (rate, decay) = (self.rate, self.decay);
        for ((&task, z), delta) in step.tasks.iter().zip(&z).zip(&delta) {
            let logit = &mut self.memory[task];
            let gradient = z * (delta - mean) + decay * logit.value;
            logit.value -= logit.adam.step(gradient, rate);
        }
        Ok(())
    }

    remembers!();
}
