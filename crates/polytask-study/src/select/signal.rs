//! What groups are judged by, by name.

use super::evidence::{Evidence, affinities, cosines};
use super::matrix::Matrix;
use super::measure::Measured;
use super::member::{Member, Outcome};
use super::runs::Runs;
use super::worth::{Gain, Set, members};
use crate::Error;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What groups are judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The relative drop of a task's loss after a look-ahead step for another (Fifty et al. 2021).
    #[default]
    Affinity,
    /// The cosine of the tasks' gradients over what they share.
    Cosine,
    /// The losses of every group are estimated from a linearised model (Grad-TAG, Li et al. 2024).
    Linear,
    /// Every pair of tasks is trained; a task's gain in a group is the mean of its gains in pairs (Standley et al. 2020).
    Pairs,
    /// Every group of tasks is trained.
    Exhaustive,
}

/// Tasks at most for which every group is trained.
pub const EXHAUSTIVE: usize = 7;

impl Signal {
    /// All, in the order of what they cost.
    pub const ALL: [Signal; 5] = [Signal::Affinity, Signal::Cosine, Signal::Linear, Signal::Pairs, Signal::Exhaustive];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Affinity => "affinity",
            Signal::Cosine => "cosine",
            Signal::Linear => "linear",
            Signal::Pairs => "pairs",
            Signal::Exhaustive => "exhaustive",
        }
    }

    /// The groups that are trained before it says anything.
    pub fn trains(self, tasks: usize) -> Vec<Member> {
        let all = 1..1u128 << tasks.min(EXHAUSTIVE);
        match self {
            Signal::Affinity | Signal::Cosine | Signal::Linear => Vec::new(),
            Signal::Pairs => {
                let pairs = (0..tasks).flat_map(|a| (a..tasks).map(move |b| 1 << a | 1 << b));
                pairs.map(Member::of).collect()
            }
            Signal::Exhaustive => all.map(Member::of).collect(),
        }
    }

    /// What it says. A trained group's gain is the relative drop of a task's loss on the validation rows against learning
    /// alone, each seed a witness. None where `stop` ended it.
    ///
    /// # Errors
    /// Whatever keeps a group from being trained.
    pub fn evidence(
        self,
        measured: &Measured,
        runs: &Runs<'_>,
        (tasks, seeds): (usize, &[u64]),
        stop: &AtomicBool,
        done: &(dyn Fn() + Sync),
    ) -> Result<Option<Evidence>, Error> {
        let trains = self.trains(tasks);
        match self {
            Signal::Affinity => return Ok(Some(Evidence::of_pairs(&affinities(measured.counted())))),
            Signal::Cosine => return Ok(Some(Evidence::of_pairs(&cosines(measured.counted())))),
            Signal::Linear => {
                let estimates = runs.estimates(&measured.parameters)?;
                return Ok(Some(Evidence::of_groups(estimates)));
            }
            Signal::Pairs | Signal::Exhaustive => {}
        }
        let Some(by_seed) = runs.all(&trains, seeds, stop, done)? else { return Ok(None) };
        let tables = by_seed.iter().map(|outcomes| table(&trains, outcomes));
        Ok(Some(match self {
            Signal::Pairs => {
                let matrix = |gains: HashMap<(usize, Set), f64>| {
                    let of = |(i, j): (usize, usize)| gains.get(&(j, 1 << i | 1 << j)).copied().unwrap_or(f64::NAN);
                    Matrix::from_fn(tasks, of)
                };
                Evidence::of_pairs(&tables.map(matrix).collect::<Vec<_>>())
            }
            _ => {
                let gain = |gains: HashMap<(usize, Set), f64>| {
                    Gain::Groups(Arc::new(move |task, group| gains.get(&(task, group)).copied().unwrap_or(0.0)))
                };
                Evidence::of_groups(tables.map(gain).collect())
            }
        }))
    }
}

/// What each task gained in each group over learning alone.
fn table(trained: &[Member], outcomes: &[Outcome]) -> HashMap<(usize, Set), f64> {
    let loss = |member: &Member, outcome: &Outcome, task: usize| {
        member.tasks().iter().position(|t| *t == task).and_then(|place| outcome.losses[place])
    };
    let alone: HashMap<usize, f64> = trained
        .iter()
        .zip(outcomes)
        .filter(|(member, _)| member.served.count_ones() == 1)
        .filter_map(|(member, outcome)| {
            let task = member.served.trailing_zeros() as usize;
            Some((task, loss(member, outcome, task)?))
        })
        .collect();
    let mut gains = HashMap::new();
    for (member, outcome) in trained.iter().zip(outcomes) {
        for task in members(member.served) {
            if let (Some(with), Some(alone)) = (loss(member, outcome, task), alone.get(&task)) {
                gains.insert((task, member.served), 1.0 - with / alone.max(f64::MIN_POSITIVE));
            }
        }
    }
    gains
}
