//! IMTL-L (Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021): `L = sum_i (exp(s_i) L_i - s_i)`.
//!
//! `s` begins at 0 and is learned by the run's own optimiser (without weight decay): see [`Balancer::learnable`]. At
//! its stationary point all scaled losses are 1. The exponent is held within +-20, so that a task fitted perfectly gets
//! a large weight, not an infinite one. Heads are weighted too.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "imtl_l",
    title: "IMTL-L",
    family: Family::Scalarizer,
    needs: Needs::State,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[],
    paper: "Liu et al.: Towards Impartial Multi-task Learning. ICLR 2021",
    when: "losses of different size or unit, whatever their likelihood, at no cost",
    build: |setup| Ok(Box::new(ImtlL { memory: Memory::new(Learnable::new(setup.tasks.len(), 0.0)) })),
};

const LIMIT: f64 = 20.0;

/// `exp(s)`, within bounds.
pub(crate) fn factor(s: f64) -> f64 {
    s.clamp(-LIMIT, LIMIT).exp()
}

/// Fills `d/ds_i (exp(s_i) L_i - s_i)`.
pub(crate) fn gradients(learnable: &mut Learnable, step: &Step) {
    let values = learnable.values.clone();
    learnable.set_gradients(step, |task, loss| factor(values[task]) * loss - 1.0);
}

struct ImtlL {
    memory: Memory<Learnable>,
}

impl Balancer for ImtlL {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        Ok(Weights::both(step.tasks.iter().map(|&task| factor(self.memory.values[task])).collect()))
    }

    fn observe(&mut self, step: &Step) -> Result<(), BalanceError> {
        gradients(&mut self.memory, step);
        Ok(())
    }

    fn learnable(&mut self) -> Option<&mut Learnable> {
        Some(&mut self.memory)
    }

    remembers!();
}
