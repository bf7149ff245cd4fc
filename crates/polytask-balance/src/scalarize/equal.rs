//! Equal weighting: `L = sum_i L_i`.
//!
//! The plain baseline. No state, no keys. Heads: their own loss, which is the same thing.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "equal",
    title: "Equal weighting",
    family: Family::Scalarizer,
    needs: Needs::State,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[],
    paper: "the sum of the losses",
    when: "first, always: losses of like size (targets standardised) often need nothing more",
    build: |_| Ok(Box::new(Equal)),
};

struct Equal;

impl Balancer for Equal {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        Ok(Weights::ones(step.tasks.len()))
    }
}
