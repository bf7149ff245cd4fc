//! Smooth Tchebycheff scalarisation, STCH (Lin et al., "Smooth Tchebycheff Scalarization for Multi-Objective
//! Optimization", ICML 2024). Two forms:
//!
//! ```text
//! log    (the authors' multi-task code)  L = T mu log sum_i exp((l_i - max l) / mu),  l_i = log(L_i / n_i)
//! plain  (the paper)                     L = mu log sum_i exp(p_i (L_i - z_i) / mu)
//! ```
//!
//! In the `log` form the epochs up to and including number `warmup` minimise `sum_i log L_i`, and `n_i` is the mean loss
//! of epoch `warmup`; a task first seen later takes its first loss as `n_i`. Losses must then be above 0. As `mu` goes
//! to 0 the worst task alone counts. Heads are weighted too.

use crate::prelude::*;
use crate::scalars::softmax;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "stch",
    title: "Smooth Tchebycheff (STCH)",
    family: Family::Scalarizer,
    needs: Needs::Losses,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[
        KeyInfo { name: "form", default: "\"log\"", range: "log or plain", purpose: "of the authors' code or paper" },
        KeyInfo { name: "mu", default: "1", range: "above 0", purpose: "smoothness; towards 0 the worst task counts" },
        KeyInfo { name: "warmup", default: "4", range: "0 or more", purpose: "epoch that sets the scale (log form)" },
        KeyInfo {
            name: "preference",
            default: "{}",
            range: "{ task = number above 0 }, 1/T where left out",
            purpose: "p, how much each task counts (plain form)",
        },
        KeyInfo {
            name: "ideal",
            default: "{}",
            range: "{ task = number }, 0 where left out",
            purpose: "z, the best loss each task can hope for (plain form)",
        },
    ],
    paper: "Lin et al.: Smooth Tchebycheff Scalarization for Multi-Objective Optimization. ICML 2024",
    when: "the worst task matters most",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("mu", keys.mu, keys.mu > 0.0)?;
        Ok(Box::new(Stch {
            form: keys.form,
            mu: keys.mu,
            warmup: keys.warmup,
            preference: setup.per_task("preference", &keys.preference, 1.0 / setup.tasks.len() as f64, |p| p > 0.0)?,
            ideal: setup.per_task("ideal", &keys.ideal, 0.0, |_| true)?,
            memory: Memory::new(vec![Scale::default(); setup.tasks.len()]),
        }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    form: Form,
    mu: f64,
    warmup: u64,
    preference: PerTask,
    ideal: PerTask,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    Log,
    Plain,
}

/// Sum and number of the losses that make `n_i`.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Scale {
    sum: f64,
    count: u64,
}

struct Stch {
    form: Form,
    mu: f64,
    warmup: u64,
    preference: Vec<f64>,
    ideal: Vec<f64>,
    memory: Memory<Vec<Scale>>,
}

impl Balancer for Stch {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, _task: usize) -> LossRange {
        match self.form {
            Form::Log => LossRange::Above(0.0),
            Form::Plain => LossRange::Any,
        }
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let present = step.tasks.iter().zip(step.losses);
        let weights = match self.form {
            Form::Plain => {
                let scaled = present.map(|(&i, loss)| self.preference[i] * (loss - self.ideal[i]) / self.mu);
                let shares = softmax(&scaled.collect::<Vec<_>>());
                step.tasks.iter().zip(shares).map(|(&i, share)| self.preference[i] * share).collect()
            }
            Form::Log if step.epoch <= self.warmup => step.losses.iter().map(|loss| 1.0 / loss).collect(),
            Form::Log => {
                let scaled = present.map(|(&i, loss)| {
                    let Scale { sum, count } = self.memory[i];
                    let reference = if count == 0 { *loss } else { sum / count as f64 };
                    (loss.ln() - reference.ln()) / self.mu
                });
                let shares = softmax(&scaled.collect::<Vec<_>>());
                let tasks = step.tasks.len() as f64;
                step.losses.iter().zip(shares).map(|(loss, share)| tasks * share / loss).collect()
            }
        };
        Ok(Weights::both(weights))
    }

    fn observe(&mut self, step: &Step) -> Result<(), BalanceError> {
        for (&task, loss) in step.tasks.iter().zip(step.losses) {
            let scale = &mut self.memory[task];
            if step.epoch == self.warmup || step.epoch > self.warmup && scale.count == 0 {
                scale.sum += loss;
                scale.count += 1;
            }
        }
        Ok(())
    }

    remembers!();
}
