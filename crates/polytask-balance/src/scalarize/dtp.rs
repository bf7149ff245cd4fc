//! Dynamic task prioritisation, DTP (Guo et al., ECCV 2018): `w_i = -(1 - k_i)^gamma_i log k_i`, where `k_i` is a moving
//! average of a score in (0, 1), such as an accuracy.
//!
//! Scores come through [`Balancer::observe_kpi`], usually once an epoch; `k <- smoothing * score + (1 - smoothing) * k`,
//! begun at the first. They are held within [0.000001, 0.999999], so that no weight is zero or infinite. Until a task's
//! first score its weight is 1. Heads are weighted too.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "dtp",
    title: "Dynamic task prioritisation (DTP)",
    family: Family::Scalarizer,
    needs: Needs::State,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[
        KeyInfo {
            name: "gamma",
            default: "{}",
            range: "{ task = number of at least 0 }, 1 where left out",
            purpose: "focus: the higher, the less an easy task counts",
        },
        KeyInfo {
            name: "smoothing",
            default: "0.5",
            range: "above 0, at most 1",
            purpose: "share of the newest score in the moving average",
        },
    ],
    paper: "Guo et al.: Dynamic Task Prioritization for Multitask Learning. ECCV 2018",
    when: "tasks with scores that compare, and the hard ones should come first",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("smoothing", keys.smoothing, keys.smoothing > 0.0 && keys.smoothing <= 1.0)?;
        Ok(Box::new(Dtp {
            gamma: setup.per_task("gamma", &keys.gamma, 1.0, |g| g >= 0.0)?,
            smoothing: keys.smoothing,
            memory: Memory::new(vec![None; setup.tasks.len()]),
        }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    gamma: PerTask,
    smoothing: f64,
}

struct Dtp {
    gamma: Vec<f64>,
    smoothing: f64,
    memory: Memory<Vec<Option<f64>>>,
}

impl Balancer for Dtp {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let weight = |task: usize| self.memory[task].map_or(1.0, |k| -(1.0 - k).powf(self.gamma[task]) * k.ln());
        Ok(Weights::both(step.tasks.iter().map(|&task| weight(task)).collect()))
    }

    fn observe_kpi(&mut self, task: usize, score: f64) -> Result<(), BalanceError> {
        let score = score.clamp(1e-6, 1.0 - 1e-6);
        let smoothing = self.smoothing;
        let average = self.memory[task].map_or(score, |k| smoothing * score + (1.0 - smoothing) * k);
        self.memory[task] = Some(average);
        Ok(())
    }

    remembers!();
}
