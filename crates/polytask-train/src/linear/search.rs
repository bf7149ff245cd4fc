//! The strength of the penalty: given, or chosen along a path on held-out rows.

use super::LinearProblem;
use super::penalty::{Candidate, candidates};
use crate::train::Solved;
use crate::train::{Callback, Job, Round, criterion};
use indexmap::IndexMap;
use polytask_data::epoch_order;
use polytask_linear::{
    Features, LinearError, Loss, Matrix, Options, Penalty, Problem, Solution, Task, groups, losses, singular_values,
    solve, strengths,
};
use polytask_model::config::Strength;
use polytask_model::share::{Linear, PenaltyName};
use rayon::prelude::*;
use std::time::Instant;

/// The answer of a search.
pub(super) struct Found {
    pub solution: Solution,
    pub solved: Solved,
    /// The round of the solution, from 1.
    pub best: u64,
    pub history: Vec<Round>,
    pub iterations: u64,
    pub stopped: bool,
}

/// Strengths without improvement after which the rest of the path, all of them weaker, is left out.
const PATIENCE: u64 = 5;

/// A penalty with its strengths, from strong to weak.
struct Path {
    penalty: Box<dyn Penalty>,
    ratio: Option<f64>,
    strengths: Vec<f64>,
}

/// Rows that are learnt from, and those held out.
type Fold = (Vec<u32>, Vec<u32>);

pub(super) struct Search<'a> {
    job: &'a Job<'a>,
    settings: &'a Linear,
    features: &'a Features,
    tasks: &'a [Task],
    names: Vec<&'a str>,
    paths: Vec<Path>,
    /// One, with the validation rows held out, or those of cross-validation.
    folds: Vec<Fold>,
    /// All training rows.
    whole: Problem<'a>,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        job: &'a Job<'a>,
        settings: &'a Linear,
        features: &'a Features,
        tasks: &'a [Task],
    ) -> Result<Self, LinearProblem> {
        let names: Vec<&str> = job.tasks.iter().map(|task| task.name.as_str()).collect();
        let whole = Problem::new(features, tasks, job.train)?;
        let path = |(penalty, ratio): Candidate| {
            let strengths = match &settings.strength {
                Strength::Values(values) => {
                    let mut values = values.clone();
                    values.sort_by(|a, b| b.total_cmp(a));
                    values
                }
                Strength::Auto | Strength::Cv | Strength::Loo => {
                    strengths(&whole, penalty.as_ref(), settings.path, settings.weakest)
                }
            };
            Path { penalty, ratio, strengths }
        };
        let paths: Vec<Path> = candidates(settings, &names, &whole)?.into_iter().map(path).collect();
        let choice = paths.iter().map(|path| path.strengths.len()).sum::<usize>() > 1;
        let parts = settings.strength == Strength::Cv || job.valid.is_empty();
        let folds = match choice && parts {
            true => folds(job, settings.folds),
            false => vec![(job.train.to_vec(), job.valid.to_vec())],
        };
        Ok(Search { job, settings, features, tasks, names, paths, folds, whole })
    }

    pub(super) fn run(&self, watch: &mut dyn Callback, began: Instant) -> Result<Found, LinearProblem> {
        let parts = self.parts()?;
        let problems: Vec<&Problem<'_>> = if parts.is_empty() { vec![&self.whole] } else { parts.iter().collect() };
        let zeros = Matrix::zeros(self.whole.width(), self.whole.columns());
        let constants: Vec<Vec<f64>> = problems.iter().map(|problem| problem.constants()).collect();
        let first = self.mean_losses(held_out, constants.iter().map(|intercepts| (&zeros, intercepts.as_slice())));
        let of: u64 = self.paths.iter().map(|path| path.strengths.len() as u64).sum();
        let mut history: Vec<Round> = Vec::new();
        let mut best: Option<Best> = None;
        let (mut iterations, mut stopped) = (0, false);
        for path in &self.paths {
            // Each part goes down the path from its solution at the strength before.
            let mut last: Vec<Option<Solution>> = vec![None; problems.len()];
            let mut stale = 0;
            for (place, &strength) in path.strengths.iter().enumerate() {
                let solved = problems.par_iter().zip(&last);
                let solved: Vec<Solution> =
                    solved.map(|(problem, last)| self.solve(problem, path, strength, last.as_ref())).collect();
                iterations += solved.iter().map(|solution| solution.iterations).sum::<u64>();
                let mut round = self.round(&solved, &first, path.ratio, strength);
                (round.epoch, round.step) = (history.len() as u64 + 1, iterations);
                round.seconds = began.elapsed().as_secs_f64();
                round.best = match (round.criterion, best.as_ref().and_then(|best| best.criterion)) {
                    (Some(new), Some(old)) => new < old,
                    _ => true,
                };
                stale = if round.best { 0 } else { stale + 1 };
                if round.best {
                    let (criterion, solution) = (round.criterion, solved[0].clone());
                    best = Some(Best { path, place, round: round.epoch, criterion, solution });
                }
                last = solved.into_iter().map(Some).collect();
                watch.step(round.epoch, of);
                watch.round(&round);
                history.push(round);
                stopped = watch.stop();
                if stopped || stale >= PATIENCE {
                    break;
                }
            }
            if stopped {
                break;
            }
        }
        let Some(best) = best else { return Err(LinearError::NoRow(0).into()) };
        let mut solution = best.solution;
        if !parts.is_empty() {
            // What was chosen on parts is found once more on all training rows, down the same path.
            let mut last = None;
            for &strength in &best.path.strengths[..=best.place] {
                solution = self.solve(&self.whole, best.path, strength, last.as_ref());
                iterations += solution.iterations;
                last = Some(solution.clone());
            }
        }
        let solved = self.describe(best.path, best.path.strengths[best.place], &solution, history.len());
        Ok(Found { solution, solved, best: best.round, history, iterations, stopped })
    }

    /// The problems of the parts of cross-validation; none without.
    fn parts(&self) -> Result<Vec<Problem<'a>>, LinearProblem> {
        if self.folds.len() == 1 {
            return Ok(Vec::new());
        }
        let problem = |(rows, _): &Fold| {
            Problem::new(self.features, self.tasks, rows).map_err(|error| match error {
                LinearError::NoRow(task) => {
                    LinearProblem::FewRows { task: self.names[task].to_owned(), folds: self.folds.len() }
                }
                other => other.into(),
            })
        };
        self.folds.par_iter().map(problem).collect()
    }

    fn solve(&self, problem: &Problem<'_>, path: &Path, strength: f64, last: Option<&Solution>) -> Solution {
        let options = Options { tolerance: self.settings.tolerance, iterations: self.settings.iterations };
        solve(problem, path.penalty.as_ref(), strength, &options, last)
    }

    /// What is remembered of a strength.
    fn round(&self, solved: &[Solution], first: &[Option<f64>], ratio: Option<f64>, strength: f64) -> Round {
        let models = || solved.iter().map(|solution| (&solution.weights, solution.intercepts.as_slice()));
        let (train, valid) = (self.mean_losses(learnt, models()), self.mean_losses(held_out, models()));
        let named = |losses: &[Option<f64>]| -> IndexMap<String, f64> {
            self.names.iter().zip(losses).filter_map(|(name, loss)| Some(((*name).to_owned(), (*loss)?))).collect()
        };
        let (train, criterion) =
            (named(&train), criterion::value(&self.job.config.criterion, &self.names, &valid, first));
        let all: f64 = train.values().sum();
        let mean = |of: fn(&Solution) -> f64| solved.iter().map(of).sum::<f64>() / solved.len() as f64;
        Round {
            candidate: None,
            epoch: 0,
            step: 0,
            seconds: 0.0,
            learning_rate: 0.0,
            loss: mean(|solution| solution.loss + solution.penalty),
            penalty: mean(|solution| solution.penalty),
            weights: train.keys().map(|name| (name.clone(), 1.0)).collect(),
            shares: train.iter().map(|(name, loss)| (name.clone(), if all > 0.0 { loss / all } else { 0.0 })).collect(),
            train,
            valid: named(&valid),
            scores: IndexMap::new(),
            gradients: None,
            waiting: None,
            preparing: None,
            strength: Some(strength),
            ratio,
            criterion,
            best: false,
        }
    }

    /// Each task's mean loss over one side of all folds, by a model a fold; none for a task without rows there.
    fn mean_losses<'b>(
        &self,
        side: fn(&Fold) -> &[u32],
        models: impl Iterator<Item = (&'b Matrix, &'b [f64])>,
    ) -> Vec<Option<f64>> {
        let mut sums = vec![(0.0, 0.0); self.tasks.len()];
        for (fold, (weights, intercepts)) in self.folds.iter().zip(models) {
            let losses = losses(self.features, self.tasks, side(fold), weights, intercepts);
            for (sum, (loss, weight)) in sums.iter_mut().zip(losses) {
                *sum = (sum.0 + loss, sum.1 + weight);
            }
        }
        // The squared loss is reported without its half, as everywhere.
        let factor = |task: &Task| if task.loss == Loss::Squared { 2.0 } else { 1.0 };
        let mean = |(sum, task): (&(f64, f64), &Task)| (sum.1 > 0.0).then(|| factor(task) * sum.0 / sum.1);
        sums.iter().zip(self.tasks).map(mean).collect()
    }

    fn describe(&self, path: &Path, strength: f64, solution: &Solution, tried: usize) -> Solved {
        let used = |j: &usize| solution.weights.row(*j).iter().any(|w| *w != 0.0);
        Solved {
            penalty: self.settings.penalty.word(),
            strength,
            ratio: path.ratio,
            chosen_by: match (tried, self.folds.len()) {
                (1, _) => "the config".to_owned(),
                (_, 1) => "the validation rows".to_owned(),
                (_, folds) => format!("cross-validation in {folds} parts"),
            },
            tried,
            gap: solution.gap,
            converged: solution.converged,
            used: (0..solution.weights.rows()).filter(used).count(),
            features: solution.weights.rows(),
            rank: self.rank(solution),
            outliers: self.outliers(solution),
            groups: self.groups(solution),
        }
    }

    fn rank(&self, solution: &Solution) -> Option<usize> {
        use PenaltyName::{Robust, SparseLowRank, Trace};
        let values = matches!(self.settings.penalty, Trace | SparseLowRank | Robust)
            .then(|| singular_values(&solution.parts[0]))?;
        let largest = values.iter().copied().fold(0.0, f64::max);
        Some(values.iter().filter(|value| **value > 1e-9 * largest).count())
    }

    fn outliers(&self, solution: &Solution) -> Option<Vec<String>> {
        let [common, own] = &solution.parts[..] else { return None };
        let mut start = 0;
        let mut outliers = Vec::new();
        for (name, block) in self.names.iter().zip(self.whole.blocks()) {
            let columns: Vec<usize> = (start..start + block).collect();
            if own.select(&columns).norm() > common.select(&columns).norm() {
                outliers.push((*name).to_owned());
            }
            start += block;
        }
        (self.settings.penalty == PenaltyName::Robust).then_some(outliers)
    }

    fn groups(&self, solution: &Solution) -> Option<Vec<Vec<String>>> {
        let found = groups(&solution.weights, self.whole.blocks(), self.settings.clusters?);
        Some(
            found
                .into_iter()
                .map(|group| group.into_iter().map(|task| self.names[task].to_owned()).collect())
                .collect(),
        )
    }
}

/// The best so far.
struct Best<'a> {
    path: &'a Path,
    place: usize,
    round: u64,
    criterion: Option<f64>,
    /// Of the first part.
    solution: Solution,
}

fn learnt(fold: &Fold) -> &[u32] {
    &fold.0
}

fn held_out(fold: &Fold) -> &[u32] {
    &fold.1
}

/// The training rows in parts of which each is held out in turn. The tasks with the fewest labels deal their rows out
/// first, so that every task has its labels in as many parts as it can.
fn folds(job: &Job<'_>, count: usize) -> Vec<Fold> {
    let shuffled = epoch_order(job.train, job.config.seed, FOLDS);
    let weights = |task: usize, row: u32| job.data.labels[job.labels[task]].weights[row as usize];
    let labelled = |task: usize| shuffled.iter().filter(|row| weights(task, **row) > 0.0).count();
    let mut rarest: Vec<usize> = (0..job.tasks.len()).collect();
    rarest.sort_by_key(|&task| labelled(task));
    let first = |row: u32| rarest.iter().position(|&task| weights(task, row) > 0.0).unwrap_or(rarest.len());
    let mut dealt: Vec<(usize, u32)> = shuffled.iter().map(|&row| (first(row), row)).collect();
    dealt.sort_by_key(|(rank, _)| *rank);
    let fold = |part: usize| {
        let held = |i: usize| i % count == part;
        let side = |of: bool| -> Vec<u32> {
            let mut rows: Vec<u32> =
                dealt.iter().enumerate().filter(|(i, _)| held(*i) == of).map(|(_, (_, row))| *row).collect();
            rows.sort_unstable();
            rows
        };
        (side(false), side(true))
    };
    (0..count).map(fold).filter(|(_, held)| !held.is_empty()).collect()
}

/// The stream of a seed that draws the parts; epochs count from 0 and never get here.
const FOLDS: u64 = u64::MAX - 1;
