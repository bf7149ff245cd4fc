//! Successive halving (Karnin et al. 2013; Jamieson and Talwalkar 2016): many points for a few steps, the better third
//! of them for three times as many, and so on; the last ones to the end.

use super::{Ask, Sampler, Supply, Told, ranked};

/// One that leaves out two thirds at each rung.
#[derive(Clone, Debug)]
pub struct Halving {
    trials: usize,
    /// The step that each rung ends at.
    rungs: Vec<u64>,
    rung: usize,
}

/// How many times fewer trials, and more steps, a rung has than the one before.
const FACTOR: u64 = 3;

impl Halving {
    /// So many points at first, `steps` at the end. A rung ends with a round of `every` steps, after which the validation
    /// rows are looked at, so there are as many rungs as halvings of the trials and rounds allow.
    pub fn new(trials: usize, steps: u64, every: u64) -> Self {
        let mut rungs = vec![steps];
        let (mut left, mut length) = (trials as u64, steps);
        while left >= FACTOR && length / FACTOR >= every {
            left /= FACTOR;
            length /= FACTOR;
            rungs.push((length / every).max(1) * every);
        }
        rungs.dedup();
        rungs.reverse();
        Halving { trials, rungs, rung: 0 }
    }

    /// The step that each rung ends at.
    pub fn rungs(&self) -> &[u64] {
        &self.rungs
    }
}

impl Sampler for Halving {
    fn ask(&mut self, supply: &mut Supply<'_>, told: &[Told]) -> Vec<Ask> {
        let Some(&steps) = self.rungs.get(self.rung) else { return Vec::new() };
        self.rung += 1;
        let space = supply.space();
        let Some(before) = self.rung.checked_sub(2).map(|rung| self.rungs[rung]) else {
            let ask = |trial| Some(Ask { trial, point: supply.fresh(trial, |random| space.draw(random))?, steps });
            return (1..=self.trials).map_while(ask).collect();
        };
        let rung = ranked(told.iter().filter(|told| told.ask.steps == before));
        let stay = rung.len().div_ceil(FACTOR as usize);
        let able = rung.into_iter().take(stay).filter(|told| told.score.is_some());
        let mut asks: Vec<Ask> = able.map(|told| Ask { steps, ..told.ask.clone() }).collect();
        asks.sort_by_key(|ask| ask.trial);
        asks
    }
}
