//! Random loss weighting, RLW (Lin et al., "Reasonable Effectiveness of Random Weighting", TMLR 2022): every step
//! `w = softmax(z)` with `z ~ N(0, I)`.
//!
//! The weights sum to 1 over the present tasks. Drawn from the run's seed. Heads are weighted too.

use crate::prelude::*;
use crate::random::Random;
use crate::scalars::softmax;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "rlw",
    title: "Random loss weighting (RLW)",
    family: Family::Scalarizer,
    needs: Needs::State,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[],
    paper: "Lin et al.: Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task Learning. TMLR 2022",
    when: "as a test: a method that cannot beat it does not help here",
    build: |setup| Ok(Box::new(Rlw { memory: Memory::new(Random::new(setup.seed)) })),
};

struct Rlw {
    memory: Memory<Random>,
}

impl Balancer for Rlw {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let z: Vec<f64> = step.tasks.iter().map(|_| self.memory.normal()).collect();
        Ok(Weights::both(softmax(&z)))
    }

    remembers!();
}
