//! Which points of a space are tried, and how long: one way a file.

mod halving;
mod random;
mod tpe;

pub use halving::Halving;
pub use random::RandomSearch;
pub use tpe::Tpe;

use super::space::{Point, Space};
use polytask_data::Random;
use std::collections::HashSet;

/// A point to be trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// From 1.
    pub trial: usize,
    /// Where.
    pub point: Point,
    /// Until which optimiser step. The same trial may be asked for again with more steps, and then goes on.
    pub steps: u64,
}

/// What came of an [`Ask`].
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What was asked for.
    pub ask: Ask,
    /// Higher is better; none where the settings cannot be trained.
    pub score: Option<f64>,
}

/// Chooses points by what came of others.
pub trait Sampler {
    /// The points to be tried next, side by side, by what came of all before; none at the end.
    fn ask(&mut self, supply: &mut Supply<'_>, told: &[Told]) -> Vec<Ask>;
}

/// Hands out points that can be trained, none of them twice.
pub struct Supply<'a> {
    space: &'a Space,
    seed: u64,
    seen: HashSet<String>,
}

/// Points that are proposed before a trial is given up, as then there is hardly a new one.
const TRIES: usize = 1000;

impl<'a> Supply<'a> {
    /// None handed out yet.
    pub fn new(space: &'a Space, seed: u64) -> Self {
        Supply { space, seed, seen: HashSet::new() }
    }

    /// The space.
    pub fn space(&self) -> &'a Space {
        self.space
    }

    /// The first point that is proposed for a trial, can be trained, and is new; none where there is none. What is
    /// drawn for a trial depends on the seed and its number alone.
    pub fn fresh(&mut self, trial: usize, mut propose: impl FnMut(&mut Random) -> Point) -> Option<Point> {
        let mut random = Random::numbered(self.seed, trial as u64);
        for _ in 0..TRIES {
            let point = propose(&mut random);
            let values = format!("{:?}", self.space.values(&point));
            if !self.seen.contains(&values) && self.space.config(&point).is_ok() {
                self.seen.insert(values);
                return Some(point);
            }
        }
        None
    }
}

/// Told trials, the best first; of equals the one asked for first.
fn ranked<'a>(told: impl Iterator<Item = &'a Told>) -> Vec<&'a Told> {
    let mut ranked: Vec<&Told> = told.collect();
    let score = |told: &Told| told.score.unwrap_or(f64::NEG_INFINITY);
    ranked.sort_by(|a, b| score(b).total_cmp(&score(a)).then(a.ask.trial.cmp(&b.ask.trial)));
    ranked
}
