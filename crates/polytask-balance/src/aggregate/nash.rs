//! Nash-MTL (Navon et al., "Multi-Task Learning as a Bargaining Game", ICML 2022): the `a > 0` with
//!
//! ```text
//! G a = 1 / a (elementwise)        d = J^T a, clipped to ||d|| <= max_norm
//! ```
//!
//! It is the minimiser of the strictly convex `0.5 a^T G a - sum log a_i`, found by Newton's method to rounding, where
//! the authors' sequence of convex programs may stop early. Every step solves anew: beside the gradients the solve
//! costs nothing, so weights are not reused. A zero gradient has no share in the bargain; its head gets the mean of the
//! others' weights. Heads are weighted by `a`, unclipped, as in the authors' code; where the gradients nearly cancel
//! these weights grow (up to 1e5 over the gradient norm).

use crate::prelude::*;
use crate::solve::proportional;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "nash",
    title: "Nash-MTL",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Weighted,
    cost: ALL,
    keys: &[KeyInfo {
        name: "max_norm",
        default: "1",
        range: "at least 0; 0 is no bound",
        purpose: "the direction is scaled down to this norm",
    }],
    paper: "Navon et al.: Multi-Task Learning as a Bargaining Game. ICML 2022",
    when: "gradients of very different size; the direction does not depend on the losses' scales",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("max_norm", keys.max_norm, keys.max_norm >= 0.0)?;
        Ok(Box::new(Nash { max_norm: keys.max_norm }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    max_norm: f64,
}

struct Nash {
    max_norm: f64,
}

impl Balancer for Nash {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, _step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let gramian = need(gramian, INFO.name)?;
        let heads = fair_weights(gramian, 1.0);
        let norm = gramian.quadratic(&heads).sqrt();
        let clip = if self.max_norm > 0.0 && norm > self.max_norm { self.max_norm / norm } else { 1.0 };
        Ok(Weights { shared: heads.iter().map(|a| a * clip).collect(), heads })
    }
}

/// The solution over the gradients that are not zero; the others get the mean of its weights, or 1 without any.
pub(crate) fn fair_weights(gramian: &Gramian, alpha: f64) -> Vec<f64> {
    let nonzero: Vec<usize> = (0..gramian.size()).filter(|&i| gramian.get(i, i) > f64::MIN_POSITIVE).collect();
    if nonzero.is_empty() {
        return vec![1.0; gramian.size()];
    }
    let solved = proportional(&gramian.select(&nonzero), alpha);
    let mean = solved.iter().sum::<f64>() / solved.len() as f64;
    let mut weights = vec![mean; gramian.size()];
    nonzero.iter().zip(solved).for_each(|(&i, w)| weights[i] = w);
    weights
}
