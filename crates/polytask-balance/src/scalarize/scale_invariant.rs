//! Scale-invariant linear scalarisation: `L = sum_i c_i log L_i`, so task `i` weighs `c_i / L_i`.
//!
//! Rescaling any loss changes nothing. The baseline `scaleinvls` of Navon et al., "Multi-Task Learning as a Bargaining
//! Game", ICML 2022. Losses must be above 0. Heads are weighted too.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "scale_invariant",
    title: "Scale-invariant scalarisation (SI)",
    family: Family::Scalarizer,
    needs: Needs::Losses,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[KeyInfo {
        name: "weights",
        default: "{}",
        range: "{ task = number of at least 0 }, 1 where left out",
        purpose: "the weight of the logarithm of each task's loss",
    }],
    paper: "baseline of Navon et al.: Multi-Task Learning as a Bargaining Game. ICML 2022",
    when: "positive losses of very different size",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        let weights = setup.per_task("weights", &keys.weights, 1.0, |w| w >= 0.0)?;
        Ok(Box::new(ScaleInvariant { weights }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    weights: PerTask,
}

struct ScaleInvariant {
    weights: Vec<f64>,
}

impl Balancer for ScaleInvariant {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, _task: usize) -> LossRange {
        LossRange::Above(0.0)
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let weights = step.tasks.iter().zip(step.losses).map(|(&task, loss)| self.weights[task] / loss);
        Ok(Weights::both(weights.collect()))
    }
}
