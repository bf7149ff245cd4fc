//! Homoscedastic uncertainty (Kendall, Gal, Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses", CVPR
//! 2018), in its log-variance form with `s_i = log sigma_i^2`:
//!
//! ```text
//! regression      L = 0.5 exp(-s_i) L_i + 0.5 s_i
//! classification  L =     exp(-s_i) L_i + 0.5 s_i
//! ```
//!
//! `s` is learned by the run's own optimiser (without weight decay): see [`Balancer::learnable`]. The stationary point
//! of the regression form is `exp(s_i) = L_i`. The exponent is held within +-20, so that a task fitted perfectly gets a
//! large weight, not an infinite one. Heads are weighted too: it is a weighted sum of losses.

use crate::prelude::*;
use crate::step::LossFamily;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "uncertainty",
    title: "Homoscedastic uncertainty",
    family: Family::Scalarizer,
    needs: Needs::State,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[KeyInfo {
        name: "initial",
        default: "0",
        range: "from -20 to 20",
        purpose: "the log-variance s that every task begins with",
    }],
    paper: "Kendall, Gal, Cipolla: Multi-Task Learning Using Uncertainty to Weigh Losses. CVPR 2018",
    when: "losses of different size or unit, at no cost",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("initial", keys.initial, keys.initial.abs() <= LIMIT)?;
        let factors = setup.tasks.iter().map(|task| match task.kind {
            LossFamily::Regression => 0.5,
            LossFamily::Classification => 1.0,
        });
        Ok(Box::new(Uncertainty {
            factors: factors.collect(),
            memory: Memory::new(Learnable::new(setup.tasks.len(), keys.initial)),
        }))
    },
};

const LIMIT: f64 = 20.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    initial: f64,
}

struct Uncertainty {
    factors: Vec<f64>,
    memory: Memory<Learnable>,
}

impl Balancer for Uncertainty {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let precision = |task: usize| self.factors[task] * (-self.memory.values[task].clamp(-LIMIT, LIMIT)).exp();
        Ok(Weights::both(step.tasks.iter().map(|&task| precision(task)).collect()))
    }

    fn observe(&mut self, step: &Step) -> Result<(), BalanceError> {
        let (factors, values) = (&self.factors, self.memory.values.clone());
        // d/ds of factor exp(-s) L + s/2.
        self.memory
            .set_gradients(step, |task, loss| 0.5 - factors[task] * (-values[task].clamp(-LIMIT, LIMIT)).exp() * loss);
        Ok(())
    }

    fn learnable(&mut self) -> Option<&mut Learnable> {
        Some(&mut self.memory)
    }

    remembers!();
}
