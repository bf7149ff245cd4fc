//! Dynamic weight average, DWA (Liu, Johns, Davison, "End-to-End Multi-Task Learning with Attention", CVPR 2019):
//!
//! ```text
//! r_i = mean loss of epoch t-1 / mean loss of epoch t-2        w = T softmax(r / temperature)
//! ```
//!
//! A task that has not had two epochs yet has `r_i = 1`, so all weights are 1 in the first two epochs. An epoch without
//! labels of a task does not count for it. Losses must not be negative. Heads are weighted too.

use crate::prelude::*;
use crate::scalars::softmax;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "dwa",
    title: "Dynamic weight average (DWA)",
    family: Family::Scalarizer,
    needs: Needs::State,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[KeyInfo {
        name: "temperature",
        default: "2",
        range: "above 0",
        purpose: "the higher, the more alike the weights",
    }],
    paper: "Liu, Johns, Davison: End-to-End Multi-Task Learning with Attention. CVPR 2019",
    when: "tasks that learn at different speeds, over several epochs",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("temperature", keys.temperature, keys.temperature > 0.0)?;
        Ok(Box::new(Dwa {
            temperature: keys.temperature,
            memory: Memory::new(vec![Means::default(); setup.tasks.len()]),
        }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    temperature: f64,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Means {
    sum: f64,
    count: u64,
    last: Option<f64>,
    before: Option<f64>,
}

struct Dwa {
    temperature: f64,
    memory: Memory<Vec<Means>>,
}

impl Balancer for Dwa {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, _task: usize) -> LossRange {
        LossRange::AtLeast(0.0)
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let ratio = |task: usize| match (self.memory[task].last, self.memory[task].before) {
            // A loss of exactly zero has nothing left to lose: its ratio is at most that of the smallest number.
            (Some(last), Some(before)) => (last / before.max(f64::MIN_POSITIVE)).min(1e6),
            _ => 1.0,
        };
        let scaled: Vec<f64> = step.tasks.iter().map(|&task| ratio(task) / self.temperature).collect();
        let tasks = step.tasks.len() as f64;
        Ok(Weights::both(softmax(&scaled).into_iter().map(|p| tasks * p).collect()))
    }

    fn observe(&mut self, step: &Step) -> Result<(), BalanceError> {
        for (&task, loss) in step.tasks.iter().zip(step.losses) {
            self.memory[task].sum += loss;
            self.memory[task].count += 1;
        }
        Ok(())
    }

    fn end_epoch(&mut self) {
        for means in self.memory.iter_mut().filter(|means| means.count > 0) {
            let mean = means.sum / means.count as f64;
            *means = Means { sum: 0.0, count: 0, before: means.last, last: Some(mean) };
        }
    }

    remembers!();
}
