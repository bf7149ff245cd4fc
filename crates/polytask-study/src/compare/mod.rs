//! Did sharing help? The joint model against one model a task, and against given groups of tasks: same rows, same
//! settings, same number of optimiser steps, several seeds, measured on the test rows.

mod contrast;
mod cost;
mod families;
mod front;
mod linear;
mod shares;
mod side;
pub mod statistics;
mod task;

pub use contrast::{Contrast, Outcomes, Verdict};
pub use families::{Best, Families, change};
pub use front::Point;
pub use linear::LinearBaseline;
pub use side::{FAVOUR, Side, Trained};
pub use task::{GroupsComparison, Pair, SharePoint, TaskComparison};

use crate::Error;
use indexmap::IndexMap;
use polytask_model::config::Config;
use polytask_model::metric::{Better, Metrics};
use polytask_model::tasks::Truth;
use polytask_train::Prepared;
use polytask_train::train::Budget;
use rayon::prelude::*;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use task::relative_changes;

/// What to compare.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Seeds to train with, from the config's on; at least one.
    pub seeds: u64,
    /// Shares of the labels, above 0 and at most 1, at which joint and single-task models are trained as well.
    pub shares: Vec<f64>,
    /// Groups of tasks, as places, each to be trained as one model; a task is predicted by the first that has it.
    pub groups: Vec<Vec<usize>>,
    /// Whether to train a joint model in favour of each task, to see what the others pay for it.
    pub favour: bool,
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// By name.
    pub tasks: IndexMap<String, TaskComparison>,
    /// Mean over tasks, each the mean over its metrics, of the signed change relative to single-task, in percent;
    /// positive where sharing helped (the score of Maninis et al. 2019).
    pub delta_m: f64,
    /// The same as a mean over all metrics of all tasks.
    pub delta_metrics: f64,
    /// What each way costs: `joint`, `single` and, where they were asked for, `groups`.
    pub ways: IndexMap<String, Way>,
    /// What became of the linear model.
    pub linear: LinearBaseline,
    /// The trade-offs between the tasks.
    pub front: Vec<Point>,
    /// Learning curves, in ascending order of the shares; empty where none were asked for.
    pub shares: Vec<Share>,
    /// Where the models are ensembles: each of their candidates, joint against independent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub families: Option<Families>,
    /// Optimiser steps of every model; none of trees and ensembles.
    pub steps: Option<u64>,
    /// Seeds, each trained in all ways.
    pub seeds: Vec<u64>,
}

/// One way to train all tasks.
#[derive(Clone, Debug, Serialize)]
pub struct Way {
    /// The tasks of each model.
    pub models: Vec<Vec<String>>,
    /// Trained scalars, of all models.
    pub parameters: usize,
    /// Of predicting one row by all models, on the mean over the test rows.
    pub multiply_adds: f64,
    /// Microseconds of predicting one row by all models, measured on the test rows in large batches.
    pub predict_microseconds: f64,
    /// Seconds of training, all models together, mean over seeds.
    pub seconds: f64,
}

/// The comparison with a share of the labels.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// Of each task's labels, from 0 to 1.
    pub share: f64,
    /// By name.
    pub tasks: IndexMap<String, SharePoint>,
}

/// What each way is trained as: its models, as places among all sides.
struct Ways {
    sides: Vec<Side>,
    joint: usize,
    single: Vec<usize>,
    groups: Vec<usize>,
    favours: Vec<usize>,
}

impl Options {
    fn ways(&self, tasks: usize) -> Ways {
        let mut sides: Vec<Side> = Vec::new();
        let mut place = |side: Side| match sides.iter().position(|known| *known == side) {
            Some(place) => place,
            None => {
                sides.push(side);
                sides.len() - 1
            }
        };
        let all: Vec<usize> = (0..tasks).collect();
        let joint = place(Side::of(all.clone()));
        let single = all.iter().map(|&task| place(Side::of(vec![task]))).collect();
        let groups = self.groups.iter().map(|group| place(Side::of(group.clone()))).collect();
        let favour = |task: &usize| place(Side { tasks: all.clone(), favour: Some(*task) });
        let favours = if self.favour { all.iter().map(favour).collect() } else { Vec::new() };
        Ways { sides, joint, single, groups, favours }
    }

    /// How many models [`compare`] trains for this many tasks.
    pub fn models(&self, tasks: usize) -> u64 {
        let fewer = self.shares.iter().filter(|share| **share < 1.0).count() as u64;
        let ways = self.ways(tasks);
        let both = ways.single.iter().chain([&ways.joint]).collect::<std::collections::BTreeSet<_>>().len() as u64;
        1 + self.seeds.max(1) * (ways.sides.len() as u64 + fewer * both)
    }
}

/// Trains the config's model, one model a task, and whatever else is asked for, for each seed, and compares them. Before
/// them a linear model of all tasks is found, the first baseline.
///
/// Every model makes the same number of steps and keeps its best state by the validation rows; nobody stops early.
/// `done` is called after each of the [`Options::models`]; `stop` ends the whole.
///
/// # Errors
/// Whatever keeps a model from being trained; no test rows.
pub fn compare(
    config: &Config,
    prepared: &Prepared,
    options: &Options,
    stop: &AtomicBool,
    done: &(dyn Fn() + Sync),
) -> Result<Option<Comparison>, Error> {
    if prepared.split.test.is_empty() {
        return Err(Error::NoTest);
    }
    let seeds: Vec<u64> = (0..options.seeds.max(1)).map(|s| config.train.seed.wrapping_add(s)).collect();
    let budget = Budget { patience: 0, ..Budget::of(&config.train, prepared.split.train.len()) };
    let ways = options.ways(prepared.tasks.len());
    let work = Work { config, budget, seeds: &seeds, stop, done };
    let linear = linear::baseline(config, prepared, budget, stop)?;
    done();
    let Some(runs) = work.train(prepared, &ways.sides)? else { return Ok(None) };
    let truths: Vec<Truth> = prepared.data.labels.iter().map(|l| l.truth.select(&prepared.split.test)).collect();
    let mut curve = Vec::new();
    let mut shares = options.shares.clone();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    for share in shares {
        let (thinned, fewer, places);
        let (prepared, runs, (joint, single)) = match share < 1.0 {
            false => (prepared, &runs, (ways.joint, &ways.single)),
            true => {
                thinned = shares::thin(prepared, share, config.train.seed);
                let both = Options::default().ways(prepared.tasks.len());
                let Some(trained) = work.train(&thinned, &both.sides)? else { return Ok(None) };
                (fewer, places) = (trained, both);
                (&thinned, &fewer, (places.joint, &places.single))
            }
        };
        let of = |t: usize| {
            let (joint, single) = (outcomes(runs, joint, t), outcomes(runs, single[t], 0));
            let own = &prepared.data.labels[t];
            let labels = prepared.split.train.iter().filter(|row| own.weighs(**row as usize)).count();
            let scores = Pair::new(&prepared.tasks[t], &truths[t], &joint, &single);
            (prepared.tasks[t].name.clone(), SharePoint { labels, scores })
        };
        let mut tasks: IndexMap<String, SharePoint> = (0..prepared.tasks.len()).map(of).collect();
        Contrast::judge(&mut tasks.values_mut().map(|task| &mut task.scores.contrast).collect::<Vec<_>>());
        curve.push(Share { share, tasks });
    }
    answer(&work, prepared, &ways, &runs, &truths, (linear, curve)).map(Some)
}

/// What all models of a comparison have in common.
struct Work<'a> {
    config: &'a Config,
    budget: Budget,
    seeds: &'a [u64],
    stop: &'a AtomicBool,
    done: &'a (dyn Fn() + Sync),
}

impl Work<'_> {
    /// By seed, then by side; none where someone has asked for the end.
    fn train(&self, prepared: &Prepared, sides: &[Side]) -> Result<Option<Vec<Vec<Trained>>>, Error> {
        let jobs: Vec<(u64, &Side)> =
            self.seeds.iter().flat_map(|&seed| sides.iter().map(move |side| (seed, side))).collect();
        // Models side by side keep all threads busy even where one model is too small to share out.
        let runs = jobs.par_iter().map(|(seed, side)| {
            let trained = side.train(self.config, prepared, self.budget, *seed, self.stop)?;
            (self.done)();
            Ok(trained)
        });
        let mut runs = runs.collect::<Result<Vec<Trained>, Error>>()?.into_iter();
        let by_seed = self.seeds.iter().map(|_| runs.by_ref().take(sides.len()).collect()).collect();
        Ok((!self.stop.load(Ordering::Relaxed)).then_some(by_seed))
    }
}

/// What a task, at its place in a side, came to with each seed.
fn outcomes(runs: &[Vec<Trained>], side: usize, place: usize) -> Vec<Outcomes<'_>> {
    runs.iter().map(|sides| sides[side].outcome(place)).collect()
}

fn answer(
    work: &Work<'_>,
    prepared: &Prepared,
    ways: &Ways,
    runs: &[Vec<Trained>],
    truths: &[Truth],
    ((linear, linear_scores), shares): ((LinearBaseline, Vec<Metrics>), Vec<Share>),
) -> Result<Comparison, Error> {
    // Where the groups have each task: the side, and its place there.
    let grouped = |t: usize| {
        ways.groups.iter().find_map(|&side| Some((side, ways.sides[side].tasks.iter().position(|task| *task == t)?)))
    };
    let task = |t: usize| {
        let (joint, single) = (outcomes(runs, ways.joint, t), outcomes(runs, ways.single[t], 0));
        let groups = grouped(t).map(|(side, place)| outcomes(runs, side, place));
        let baseline = runs[0][ways.joint].scores[t].1.clone();
        let linear = linear_scores.get(t).cloned();
        let comparison =
            TaskComparison::new(&prepared.tasks[t], &truths[t], &joint, &single, groups.as_deref(), (baseline, linear));
        (prepared.tasks[t].name.clone(), comparison)
    };
    let mut tasks: IndexMap<String, TaskComparison> = (0..prepared.tasks.len()).map(task).collect();
    Contrast::judge(&mut tasks.values_mut().map(|task| &mut task.contrast).collect::<Vec<_>>());
    let with_groups = tasks.values_mut().filter_map(|task| task.groups.as_mut());
    Contrast::judge(&mut with_groups.map(|groups| &mut groups.contrast).collect::<Vec<_>>());
    let families = Families::new(prepared, ways, runs, truths);
    let changes: Vec<f64> = tasks.values().map(|t| t.change).collect();
    let all_changes: Vec<f64> = tasks.values().flat_map(|t| relative_changes(&t.joint, &t.single)).collect();
    let mut costs: IndexMap<String, Way> = IndexMap::new();
    for (name, sides) in
        [("joint", std::slice::from_ref(&ways.joint)), ("single", &ways.single), ("groups", &ways.groups)]
    {
        if !sides.is_empty() {
            costs.insert(name.to_owned(), way(prepared, ways, runs, sides)?);
        }
    }
    Ok(Comparison {
        delta_m: mean(&changes),
        delta_metrics: mean(&all_changes),
        linear,
        front: points(prepared, ways, runs, &tasks),
        ways: costs,
        shares,
        families: (!families.pairs.is_empty()).then_some(families),
        steps: runs[0][ways.joint].model.body.network().map(|_| work.budget.steps),
        seeds: work.seeds.to_vec(),
        tasks,
    })
}

fn way(prepared: &Prepared, ways: &Ways, runs: &[Vec<Trained>], sides: &[usize]) -> Result<Way, Error> {
    let (data, test) = (&prepared.data, &prepared.split.test);
    let first = || sides.iter().map(|&side| &runs[0][side]);
    let names = |side: &usize| ways.sides[*side].tasks.iter().map(|&t| prepared.tasks[t].name.clone()).collect();
    let spent = runs.iter().map(|run| sides.iter().map(|&side| run[side].seconds).sum());
    Ok(Way {
        models: sides.iter().map(names).collect(),
        parameters: first().map(|trained| trained.model.body.parameter_count()).sum(),
        multiply_adds: first().map(|trained| cost::multiply_adds(&trained.model, data, test)).sum(),
        predict_microseconds: 1e6 * cost::seconds(first(), data, test)? / test.len().max(1) as f64,
        seconds: mean(&spent.collect::<Vec<f64>>()),
    })
}

/// Every way with its tasks' scores.
fn points(
    prepared: &Prepared,
    ways: &Ways,
    runs: &[Vec<Trained>],
    tasks: &IndexMap<String, TaskComparison>,
) -> Vec<Point> {
    type Of<'a> = &'a dyn Fn(&TaskComparison) -> Option<f64>;
    let point = |name: String, of: Of<'_>| {
        let scores = tasks.iter().filter_map(|(name, task)| Some((name.clone(), of(task)?))).collect();
        Point { name, scores, dominated_by: Vec::new() }
    };
    let mut points = vec![
        point("joint".to_owned(), &|task| task.joint.value(task.metric)),
        point("single".to_owned(), &|task| task.single.value(task.metric)),
    ];
    if !ways.groups.is_empty() {
        points.push(point("groups".to_owned(), &|task| task.groups.as_ref()?.scores.value(task.metric)));
    }
    for (favoured, &side) in prepared.tasks.iter().zip(&ways.favours) {
        let score = |(t, (name, task)): (usize, (&String, &TaskComparison))| {
            let values: Option<Vec<f64>> =
                outcomes(runs, side, t).iter().map(|outcome| outcome.metrics.value(task.metric)).collect();
            Some((name.clone(), mean(&values?)))
        };
        let scores = tasks.iter().enumerate().filter_map(score).collect();
        points.push(Point { name: format!("favour {}", favoured.name), scores, dominated_by: Vec::new() });
    }
    let better = prepared.tasks.iter().map(|task| (task.name.clone(), task.outcome().primary().1));
    front::dominance(&mut points, &better.collect::<IndexMap<String, Better>>());
    points
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

/// Sample standard deviation; 0 of one value.
pub(crate) fn deviation(values: &[f64]) -> f64 {
    let center = mean(values);
    let squares: f64 = values.iter().map(|v| (v - center) * (v - center)).sum();
    if values.len() < 2 { 0.0 } else { (squares / (values.len() - 1) as f64).sqrt() }
}
