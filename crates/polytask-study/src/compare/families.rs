//! Did sharing help in each family? The candidates of ensembles, joint against independent.

use super::contrast::Contrast;
use super::side::Trained;
use super::task::Pair;
use super::{Ways, mean};
use indexmap::IndexMap;
use polytask_model::metric::Better;
use polytask_model::tasks::{Task, Truth};
use polytask_train::Prepared;
use serde::Serialize;

/// What the families came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Families {
    /// By the name of a candidate and then of a task: its joint model against its independent ones. Candidates that some
    /// side gave up are not there.
    pub pairs: IndexMap<String, IndexMap<String, Pair>>,
    /// By task: the candidate that is best on the test rows, with "joint" or "independent", and its score. It was chosen by
    /// the rows that measure it, which flatters it a little.
    pub best: IndexMap<String, Best>,
}

/// The best candidate of a task.
#[derive(Clone, Debug, Serialize)]
pub struct Best {
    /// Its name.
    pub candidate: String,
    /// Whether it is the joint one.
    pub joint: bool,
    /// The mean over seeds of the task's metric.
    pub score: f64,
}

impl Families {
    /// Of what all sides have tried; nothing where they are no ensembles.
    pub(super) fn new(prepared: &Prepared, ways: &Ways, runs: &[Vec<Trained>], truths: &[Truth]) -> Self {
        let Some(first) = runs.first() else { return Self::default() };
        let names = first[ways.joint].candidates.iter().map(|tried| tried.name.as_str());
        let mut pairs: IndexMap<String, IndexMap<String, Pair>> = IndexMap::new();
        for name in names {
            let of = |(t, task): (usize, &Task)| {
                let joint: Option<Vec<_>> = runs.iter().map(|run| run[ways.joint].tried(name, t)).collect();
                let single: Option<Vec<_>> = runs.iter().map(|run| run[ways.single[t]].tried(name, 0)).collect();
                Some((task.name.clone(), Pair::new(task, &truths[t], &joint?, &single?)))
            };
            let tasks: IndexMap<String, Pair> = prepared.tasks.iter().enumerate().filter_map(of).collect();
            if tasks.len() == prepared.tasks.len() && !tasks.values().all(Pair::is_same) {
                pairs.insert(name.to_owned(), tasks);
            }
        }
        let contrasts = pairs.values_mut().flat_map(IndexMap::values_mut);
        Contrast::judge(&mut contrasts.map(|pair| &mut pair.contrast).collect::<Vec<_>>());
        let best = prepared.tasks.iter().filter_map(|task| Some((task.name.clone(), best(task, &pairs)?))).collect();
        Families { pairs, best }
    }
}

fn best(task: &Task, pairs: &IndexMap<String, IndexMap<String, Pair>>) -> Option<Best> {
    let better = task.outcome().primary().1;
    let of = |(candidate, tasks): (&String, &IndexMap<String, Pair>)| {
        let pair = tasks.get(&task.name)?;
        let ways = [(true, pair.joint), (false, pair.single)];
        let best =
            |(joint, score): (bool, Option<f64>)| Some(Best { candidate: candidate.clone(), joint, score: score? });
        Some(ways.into_iter().filter_map(best).collect::<Vec<_>>())
    };
    let key = |best: &Best| if better == Better::Higher { best.score } else { -best.score };
    pairs.iter().filter_map(of).flatten().max_by(|a, b| key(a).total_cmp(&key(b)))
}

/// The mean relative change of a family's tasks by sharing, in percent.
pub fn change(tasks: &IndexMap<String, Pair>) -> f64 {
    let of = |pair: &Pair| {
        let single = pair.single.filter(|single| *single != 0.0)?;
        Some(100.0 * pair.contrast.difference / single.abs())
    };
    mean(&tasks.values().filter_map(of).collect::<Vec<_>>())
}
