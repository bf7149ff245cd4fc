//! Fixed weights: `L = sum_i c_i L_i`, with `c_i` from the config (1 where left out).
//!
//! Heads are weighted too, since this is a weighted sum of losses.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "fixed",
    title: "Fixed weights",
    family: Family::Scalarizer,
    needs: Needs::State,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[KeyInfo {
        name: "weights",
        default: "",
        range: "{ task = number of at least 0 }, 1 where left out",
        purpose: "the weight of each task's loss",
    }],
    paper: "a weighted sum of the losses",
    when: "you know what each task is worth, or have searched for it",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        let weights = setup.per_task("weights", &keys.weights, 1.0, |w| w >= 0.0)?;
        Ok(Box::new(Fixed { weights }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    weights: PerTask,
}

struct Fixed {
    weights: Vec<f64>,
}

impl Balancer for Fixed {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        Ok(Weights::both(step.tasks.iter().map(|&task| self.weights[task]).collect()))
    }
}
