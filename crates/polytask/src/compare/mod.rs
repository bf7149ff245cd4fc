//! Did sharing help? The joint model against one model a task: same rows, same settings, same number of optimiser
//! steps, several seeds, measured on the test rows.

mod linear;
mod verdict;

pub use linear::LinearBaseline;
pub use verdict::{Verdict, interval};

use crate::config::Config;
use crate::error::Error;
use crate::linear::Solved;
use crate::metric::{Better, Metrics};
use crate::model::{self, Model};
use crate::prepare::Prepared;
use crate::search;
use crate::share::{self, Design, Nothing, Sharing};
use crate::task::Task;
use crate::train::{Budget, Ending, Job, Watch, fit};
use indexmap::IndexMap;
use rayon::prelude::*;
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// Trained scalars.
    pub parameters: Sides<usize>,
    /// Seconds of training, mean over seeds; single-task is the sum over its models.
    pub seconds: Sides<f64>,
    /// What became of the linear model.
    pub linear: LinearBaseline,
    /// Optimiser steps of every model.
    pub steps: u64,
    /// Seeds, each trained both ways.
    pub seeds: Vec<u64>,
}

/// Something of the joint model and of the single-task models.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sides<T> {
    /// One model for all tasks.
    pub joint: T,
    /// One model a task.
    pub single: T,
}

/// One task's scores both ways.
#[derive(Clone, Debug, Serialize)]
pub struct TaskComparison {
    /// Means over seeds, and the number of test rows with a label.
    pub joint: Metrics,
    /// The same of the single-task model.
    pub single: Metrics,
    /// Standard deviations over seeds.
    pub joint_std: Metrics,
    /// Standard deviations over seeds.
    pub single_std: Metrics,
    /// What the best constant prediction scores.
    pub baseline: Metrics,
    /// What a linear model of all tasks scores; none where it was left out.
    pub linear: Option<Metrics>,
    /// Name of the metric that the verdict goes by.
    pub metric: &'static str,
    /// Mean over seeds of joint minus single in that metric, turned so that positive is better.
    pub difference: f64,
    /// Half the width of its 95 % confidence interval (Student's t over seeds); none with one seed.
    pub margin: Option<f64>,
    /// Signed change relative to single-task, mean over the task's metrics, in percent; positive where sharing helped.
    pub change: f64,
    /// In a word.
    pub verdict: Verdict,
}

/// One trained model: what it scored on the test rows and what it took.
struct Run {
    scores: Vec<(Metrics, Metrics)>,
    seconds: f64,
    parameters: usize,
    /// Of a linear model.
    solved: Option<Solved>,
}

/// Ends a run when someone has asked for it.
struct Until<'a>(&'a AtomicBool);

impl Watch for Until<'_> {
    fn stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many models [`compare`] trains for so many tasks and seeds.
pub fn models(tasks: usize, seeds: u64) -> u64 {
    1 + (tasks as u64 + 1) * seeds
}

/// Trains the config's model and one model a task, for each seed from the config's on, and compares them. Before them a
/// linear model of all tasks is found, the first baseline.
///
/// Every model makes the same number of steps and keeps its best state by the validation rows; nobody stops early. A
/// single-task model is trained on the rows that have its label, so that no step of it is wasted. `done` is called
/// after each of the [`models`]; `stop` ends the whole.
///
/// # Errors
/// Whatever keeps a model from being trained; no test rows.
pub fn compare(
    config: &Config,
    prepared: &Prepared,
    seeds: u64,
    stop: &AtomicBool,
    done: &(dyn Fn() + Sync),
) -> Result<Option<Comparison>, Error> {
    if prepared.split.test.is_empty() {
        return Err(Error::NoTest);
    }
    let seeds: Vec<u64> = (0..seeds.max(1)).map(|s| config.train.seed.wrapping_add(s)).collect();
    let budget = Budget { patience: 0, ..Budget::of(&config.train, prepared.split.train.len()) };
    let all: Vec<usize> = (0..prepared.tasks.len()).collect();
    let (linear, linear_scores) = linear::baseline(config, prepared, &all, budget, stop)?;
    done();
    // The joint model first, then each task alone.
    let sides: Vec<&[usize]> = std::iter::once(all.as_slice()).chain(all.chunks(1)).collect();
    let jobs: Vec<(u64, &[usize])> = seeds.iter().flat_map(|&seed| sides.iter().map(move |&s| (seed, s))).collect();
    // Models side by side keep all threads busy even where one model is too small to share out.
    let runs = jobs.par_iter().map(|(seed, tasks)| {
        let run = run(config, prepared, tasks, budget, *seed, stop)?;
        done();
        Ok(run)
    });
    let runs: Vec<Run> = runs.collect::<Result<_, Error>>()?;
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let by_seed: Vec<&[Run]> = runs.chunks(sides.len()).collect();
    let task = |t: usize| {
        let joint: Vec<&Metrics> = by_seed.iter().map(|runs| &runs[0].scores[t].0).collect();
        let single: Vec<&Metrics> = by_seed.iter().map(|runs| &runs[t + 1].scores[0].0).collect();
        let baseline = by_seed[0][0].scores[t].1.clone();
        let linear = linear_scores.get(t).cloned();
        (prepared.tasks[t].name.clone(), TaskComparison::new(&prepared.tasks[t], &joint, &single, baseline, linear))
    };
    let tasks: IndexMap<String, TaskComparison> = all.iter().map(|&t| task(t)).collect();
    let changes: Vec<f64> = tasks.values().map(|t| t.change).collect();
    let all_changes: Vec<f64> = tasks.values().flat_map(|t| relative_changes(&t.joint, &t.single)).collect();
    let over_seeds = |of: &dyn Fn(&[Run]) -> f64| mean(&by_seed.iter().map(|runs| of(runs)).collect::<Vec<_>>());
    Ok(Some(Comparison {
        delta_m: mean(&changes),
        delta_metrics: mean(&all_changes),
        parameters: Sides {
            joint: by_seed[0][0].parameters,
            single: by_seed[0][1..].iter().map(|run| run.parameters).sum(),
        },
        seconds: Sides {
            joint: over_seeds(&|runs| runs[0].seconds),
            single: over_seeds(&|runs| runs[1..].iter().map(|run| run.seconds).sum()),
        },
        linear,
        steps: budget.steps,
        seeds,
        tasks,
    }))
}

/// Trains a model for some of the tasks and scores it on the test rows.
fn run(
    config: &Config,
    prepared: &Prepared,
    which: &[usize],
    budget: Budget,
    seed: u64,
    stop: &AtomicBool,
) -> Result<Run, Error> {
    let mut config = config.clone();
    config.train.seed = seed;
    config.loss.watch = false;
    let tasks: Vec<Task> = which.iter().map(|&t| prepared.tasks[t].clone()).collect();
    let alone = which.len() == 1 && prepared.tasks.len() > 1;
    if alone {
        config.model.sharing = match config.model.sharing.linear() {
            Some(linear) => Sharing::Linear(linear.alone()),
            None => Sharing::None(Nothing {}),
        };
        // There is nothing to balance.
        let (l2, l2_biases) = (config.loss.l2, config.loss.l2_biases);
        config.loss = crate::config::LossConfig { l2, l2_biases, ..Default::default() };
        config.train.criterion = crate::config::Criterion::Mean;
    }
    let labelled = |rows: &[u32]| match alone {
        false => rows.to_vec(),
        true => {
            let labels = &prepared.data.labels[which[0]];
            rows.iter().copied().filter(|&row| labels.weighs(row as usize)).collect()
        }
    };
    let (train, valid) = (labelled(&prepared.split.train), labelled(&prepared.split.valid));
    if let Some(settled) = search::settle(&config, prepared, which, &mut Until(stop))? {
        config = settled;
    }
    let design = Design::new(&config, &prepared.encoder, &tasks);
    let graph = share::build(&design)?;
    // A file of weights is for the whole model; each side starts from its own draw.
    let start = model::start(&graph, &tasks, seed, None)?;
    let job = Job {
        graph: &graph,
        tasks: &tasks,
        labels: which,
        data: &prepared.data,
        train: &train,
        valid: &valid,
        loss: &config.loss,
        config: &config.train,
        budget,
        linear: config.model.sharing.linear(),
    };
    let fitted = fit(&job, &start, None, &mut Until(stop))?;
    if let Ending::Broken(by) = fitted.ending {
        let of = if alone { "the single-task model" } else { "the joint model" };
        let kept = format!(", in {of} with seed {seed}; nothing was compared");
        return Err(Error::Broken { by, kept });
    }
    let parameters = graph.parameter_count();
    let model = Model { graph, encoder: prepared.encoder.clone(), tasks, missing: None, parameters: fitted.parameters };
    let scores = model.score(&prepared.data, which, &prepared.split.test)?;
    let scores = scores.tasks.into_values().map(|score| (score.metrics, score.baseline)).collect();
    Ok(Run { scores, seconds: fitted.seconds, parameters, solved: fitted.solved })
}

impl TaskComparison {
    fn new(task: &Task, joint: &[&Metrics], single: &[&Metrics], baseline: Metrics, linear: Option<Metrics>) -> Self {
        let (metric, better) = task.outcome().primary();
        let sign = if better == Better::Higher { 1.0 } else { -1.0 };
        let pairs = joint.iter().zip(single);
        let differences: Vec<f64> =
            pairs.filter_map(|(j, s)| Some(sign * (j.value(metric)? - s.value(metric)?))).collect();
        let (difference, margin) = interval(&differences);
        let (joint_mean, single_mean) = (over(joint, mean), over(single, mean));
        TaskComparison {
            change: mean(&relative_changes(&joint_mean, &single_mean)),
            joint: joint_mean,
            single: single_mean,
            joint_std: over(joint, deviation),
            single_std: over(single, deviation),
            baseline,
            linear,
            metric,
            difference,
            margin,
            verdict: Verdict::of(difference, margin),
        }
    }
}

/// A statistic of every metric over several runs.
fn over(runs: &[&Metrics], statistic: fn(&[f64]) -> f64) -> Metrics {
    let Some(first) = runs.first() else { return Metrics::default() };
    let mut all = Metrics::new(first.n);
    for metric in &first.scores {
        let values: Option<Vec<f64>> = runs.iter().map(|run| run.value(metric.name)).collect();
        all.push(metric.name, metric.better, values.map(|values| statistic(&values)));
    }
    all
}

/// `100 * (joint - single) / |single|` of every metric, turned so that positive is better.
fn relative_changes(joint: &Metrics, single: &Metrics) -> Vec<f64> {
    let change = |metric: &crate::metric::Metric| {
        let base = single.value(metric.name)?;
        let sign = if metric.better == Better::Higher { 1.0 } else { -1.0 };
        (base != 0.0).then(|| 100.0 * sign * (metric.value - base) / base.abs())
    };
    joint.scores.iter().filter_map(change).collect()
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
