//! Random search (Bergstra and Bengio 2012): every point is drawn alike, whatever came of the others.

use super::{Ask, Sampler, Supply, Told};

/// So many points, all trained to the end.
#[derive(Clone, Debug)]
pub struct RandomSearch {
    /// How many.
    pub trials: usize,
    /// Optimiser steps of each.
    pub steps: u64,
}

impl Sampler for RandomSearch {
    fn ask(&mut self, supply: &mut Supply<'_>, told: &[Told]) -> Vec<Ask> {
        if !told.is_empty() {
            return Vec::new();
        }
        let space = supply.space();
        let ask = |trial| {
            let point = supply.fresh(trial, |random| space.draw(random))?;
            Some(Ask { trial, point, steps: self.steps })
        };
        (1..=self.trials).map_while(ask).collect()
    }
}
