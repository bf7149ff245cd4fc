//! FairGrad (Ban and Ji, "Fair Resource Allocation in Multi-Task Learning", ICML 2024): the `w > 0` with
//!
//! ```text
//! G w = w^(-1/alpha) (elementwise)        d = J^T w
//! ```
//!
//! `alpha = 1` is proportional fairness (Nash-MTL without its clipping), towards 0 it is the sum of gradients, 2 is least
//! potential delay, and larger values come near to max-min fairness. The minimiser of a strictly convex function, found
//! by Newton's method. A zero gradient has no share; its head gets the mean of the others' weights. Heads are weighted
//! too: it minimises `sum_i w_i L_i`.

use super::nash::fair_weights;
use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "fairgrad",
    title: "FairGrad",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Weighted,
    cost: ALL,
    keys: &[KeyInfo { name: "alpha", default: "1", range: "from 0.1 to 10", purpose: "how much the worst-off count" }],
    paper: "Ban, Ji: Fair Resource Allocation in Multi-Task Learning. ICML 2024",
    when: "as `nash`, with a say in how fair",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("alpha", keys.alpha, (0.1..=10.0).contains(&keys.alpha))?;
        Ok(Box::new(FairGrad { alpha: keys.alpha }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    alpha: f64,
}

struct FairGrad {
    alpha: f64,
}

impl Balancer for FairGrad {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, _step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        Ok(Weights::both(fair_weights(need(gramian, INFO.name)?, self.alpha)))
    }
}
