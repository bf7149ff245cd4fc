//! Loss-balanced task weighting, LBTW (Liu, Liang, Gitter, AAAI 2019): `w_i = (L_i / L_i(0))^alpha`, where `L_i(0)` is
//! the task's first loss of this epoch.
//!
//! Losses must not be negative. Heads are weighted too.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "lbtw",
    title: "Loss-balanced task weighting (LBTW)",
    family: Family::Scalarizer,
    needs: Needs::Losses,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[KeyInfo {
        name: "alpha",
        default: "0.5",
        range: "at least 0",
        purpose: "how strongly a loss that fell loses weight; 0 is equal weighting",
    }],
    paper: "Liu, Liang, Gitter: Loss-Balanced Task Weighting to Reduce Negative Transfer in Multi-Task Learning. AAAI 2019",
    when: "many related tasks of one kind, of which some learn much faster",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("alpha", keys.alpha, keys.alpha >= 0.0)?;
        Ok(Box::new(Lbtw { alpha: keys.alpha, memory: Memory::new(vec![None; setup.tasks.len()]) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    alpha: f64,
}

struct Lbtw {
    alpha: f64,
    /// Each task's first loss of this epoch.
    memory: Memory<Vec<Option<f64>>>,
}

impl Balancer for Lbtw {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, _task: usize) -> LossRange {
        LossRange::AtLeast(0.0)
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let alpha = self.alpha;
        let weight = |(&task, &loss): (&usize, &f64)| {
            let first = *self.memory[task].get_or_insert(loss);
            // A first loss of zero says nothing about progress.
            if first > 0.0 { (loss / first).powf(alpha) } else { 1.0 }
        };
        Ok(Weights::both(step.tasks.iter().zip(step.losses).map(weight).collect()))
    }

    fn end_epoch(&mut self) {
        self.memory.fill(None);
    }

    remembers!();
}
