//! IMTL, the hybrid of IMTL-L and IMTL-G (Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021).
//!
//! Losses are first scaled as in `imtl_l`, `exp(s_i) L_i - s_i` with learned `s_i` (see [`Balancer::learnable`]); their
//! gradients `exp(s_i) g_i` are then combined as in `imtl_g`. Heads learn from the scaled losses: their weights are
//! `exp(s_i)`. With one present task both are 1.

use super::imtl_g::impartial;
use crate::prelude::*;
use crate::scalarize::imtl_l::{factor, gradients};

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "imtl",
    title: "IMTL",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Other,
    cost: ALL,
    keys: &[],
    paper: "Liu et al.: Towards Impartial Multi-task Learning. ICLR 2021",
    when: "as `imtl_g`, with losses of different size",
    build: |setup| Ok(Box::new(Imtl { memory: Memory::new(Learnable::new(setup.tasks.len(), 0.0)) })),
};

struct Imtl {
    memory: Memory<Learnable>,
}

impl Balancer for Imtl {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let gramian = need(gramian, INFO.name)?;
        let heads: Vec<f64> = step.tasks.iter().map(|&task| factor(self.memory.values[task])).collect();
        let shared = impartial(&gramian.scaled(&heads)).iter().zip(&heads).map(|(w, f)| w * f).collect();
        Ok(Weights { shared, heads })
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
