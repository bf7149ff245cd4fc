//! GradNorm (Chen et al., "GradNorm: Gradient Normalization for Adaptive Loss Balancing", ICML 2018). With
//! `n_i = ||g_i||` over the shared parameters (the square roots of the Gramian's diagonal):
//!
//! ```text
//! G_i = w_i n_i,   r_i = (L_i / L_i(0)) / mean_j (L_j / L_j(0))
//! minimise over w:  sum_i |G_i - stopgrad(mean_j G_j * r_i^alpha)|
//! ```
//!
//! `w = T softmax(z)` over the present tasks, so the weights stay positive and sum to T, as renormalising after each
//! step does in the paper; `z` has its own Adam. The weights of a step are those from before its update. `L_i(0)` is
//! the first loss seen. Losses must not be negative. Heads are weighted too, as in the paper.

use crate::prelude::*;
use crate::scalars::{Adam, softmax};

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "gradnorm",
    title: "GradNorm",
    family: Family::Scalarizer,
    needs: Needs::Gramian,
    heads: Heads::Weighted,
    cost: ALL,
    keys: &[
        KeyInfo {
            name: "alpha",
            default: "1.5",
            range: "at least 0",
            purpose: "how strongly slow tasks are pulled up; 0 makes all gradient norms equal",
        },
        KeyInfo { name: "rate", default: "0.025", range: "above 0", purpose: "learning rate of the weights" },
    ],
    paper: "Chen et al.: GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks. ICML 2018",
    when: "gradients of different size and tasks that learn at different speeds",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("alpha", keys.alpha, keys.alpha >= 0.0)?;
        setup.check("rate", keys.rate, keys.rate > 0.0)?;
        Ok(Box::new(GradNorm {
            alpha: keys.alpha,
            rate: keys.rate,
            memory: Memory::new(vec![Logit::default(); setup.tasks.len()]),
        }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    alpha: f64,
    rate: f64,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Logit {
    value: f64,
    adam: Adam,
    first_loss: Option<f64>,
}

struct GradNorm {
    alpha: f64,
    rate: f64,
    memory: Memory<Vec<Logit>>,
}

impl GradNorm {
    /// `L_i / L_i(0)`, remembering first losses.
    fn progress(&mut self, step: &Step) -> Vec<f64> {
        let ratio = |(&task, &loss): (&usize, &f64)| {
            let first = *self.memory[task].first_loss.get_or_insert(loss);
            if first > 0.0 { loss / first } else { 1.0 }
        };
        step.tasks.iter().zip(step.losses).map(ratio).collect()
    }
}

impl Balancer for GradNorm {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, _task: usize) -> LossRange {
        LossRange::AtLeast(0.0)
    }

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let tasks = step.tasks.len() as f64;
        let logits: Vec<f64> = step.tasks.iter().map(|&task| self.memory[task].value).collect();
        let w: Vec<f64> = softmax(&logits).into_iter().map(|p| tasks * p).collect();
        let weights = Weights::both(w.clone());
        let Some(gramian) = gramian.filter(|_| !step.losses.is_empty()) else {
            let what = "the Gramian of the task gradients and the losses";
            return Err(BalanceError::Missing { method: INFO.name, what });
        };
        let norms = gramian.norms();
        let progress = self.progress(step);
        let mean_progress = progress.iter().sum::<f64>() / tasks;
        let mean_norm = w.iter().zip(&norms).map(|(w, n)| w * n).sum::<f64>() / tasks;
        if mean_norm == 0.0 || mean_progress == 0.0 {
            return Ok(weights);
        }
        // d/dw_i, in units of the mean norm so that its size does not matter to Adam's epsilon.
        let slope: Vec<f64> = (0..w.len())
            .map(|i| {
                let target = mean_norm * (progress[i] / mean_progress).powf(self.alpha);
                let difference = w[i] * norms[i] - target;
                if difference == 0.0 { 0.0 } else { difference.signum() * norms[i] / mean_norm }
            })
            .collect();
        // Through w = T softmax(z): dw_i/dz_k = w_i (delta_ik - w_k / T).
        let pull: f64 = slope.iter().zip(&w).map(|(s, w)| s * w).sum();
        let rate = self.rate;
        for (k, &task) in step.tasks.iter().enumerate() {
            let logit = &mut self.memory[task];
            logit.value -= logit.adam.step(w[k] * (slope[k] - pull / tasks), rate);
        }
        Ok(weights)
    }

    remembers!();
}
