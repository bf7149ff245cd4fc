//! Boosted trees and forests: from prepared data to `polytask-trees`, and back.

use super::table::Table;
use crate::prepare::Prepared;
use crate::train::{Callback, Fitted, Round, StopReason, TrainError, criterion};
use indexmap::IndexMap;
use polytask_graph::LossKind;
use polytask_model::config::{Direction, TreesConfig, TreesMethod, TreesSharing};
use polytask_model::inputs::{Code, Encoder};
use polytask_model::model::{Body, columns, tree_columns};
use polytask_model::tasks::{Kind, Target, Task};
use polytask_trees::{Boosting, Features, Forest, Growing, Monotone, Objective, Sharing};
use std::ops::ControlFlow;
use std::time::Instant;

/// Trees of a fit without rows that say when to stop.
const UNCHOSEN: usize = 300;
/// Boosted trees from one line of the history to the next.
const EVERY: usize = 10;

/// Rows from which on boosting takes steps twice as long.
const LONG_STEPS: usize = 2_500;
/// Trees of a forest on a fold at least.
const FEWEST: usize = 40;
/// Rows from which on fewer trees of a forest do.
const MANY: usize = 20_000;
/// Leaves of a forest's tree, about, where rows are many: with a leaf a row a forest would be larger than its table.
const LEAVES: usize = 10_000;
/// Inputs that a boosted tree asks where there are more.
const PER_TREE: f64 = 64.0;

/// The rows as trees read them.
pub(super) struct Rows {
    pub features: Features,
    pub tasks: Vec<polytask_trees::Task>,
}

/// A way to grow trees.
#[derive(Clone, Debug)]
pub(super) enum Method {
    Boosted(Boosting),
    Forest(Forest),
}

impl Rows {
    pub(super) fn new(table: &Table, prepared: &Prepared) -> Result<Self, TrainError> {
        let all: Vec<u32> = (0..prepared.data.rows() as u32).collect();
        let features = columns(&prepared.encoder, &prepared.data.features, &all)?;
        let task = |(own, &at): (&Task, &usize)| {
            let labels = &prepared.data.labels[at];
            let objective = objective(own);
            let width = objective.label_width();
            let known = |row: usize| labels.weights.get(row).is_some_and(|weight| *weight > 0.0);
            let values = match &labels.target {
                Target::Real(values) => values
                    .iter()
                    .enumerate()
                    .map(|(i, value)| if known(i / width) { f64::from(*value) } else { f64::NAN })
                    .collect(),
                Target::Class(classes) => classes
                    .iter()
                    .enumerate()
                    .map(|(row, class)| if known(row) { f64::from(*class) } else { f64::NAN })
                    .collect(),
            };
            let mut task = polytask_trees::Task::new(objective, values);
            let mut weights = labels.weights.clone();
            // Trees sum over the intervals of a row, and no mean has to be made good for.
            if matches!(own.kind, Kind::Survival(_)) {
                for (row, weight) in task.labels.chunks_exact(width).zip(&mut weights) {
                    *weight /= row.iter().filter(|flag| !flag.is_nan()).count().max(1) as f32 / width as f32;
                }
            }
            if weights.iter().any(|weight| *weight != 1.0 && *weight != 0.0) {
                task.weights = Some(weights);
            }
            task
        };
        Ok(Rows { features, tasks: table.tasks.iter().zip(&table.labels).map(task).collect() })
    }
}

/// What trees minimise for a task.
fn objective(task: &Task) -> Objective {
    let outcome = task.outcome();
    match outcome.loss() {
        LossKind::Mse | LossKind::Custom(_) => Objective::Squared,
        LossKind::Mae => Objective::Absolute,
        LossKind::Huber { delta } => Objective::Huber { delta: f64::from(delta) },
        LossKind::BinaryCrossEntropy => match task.is_of_events() {
            true => Objective::Multilabel { labels: outcome.width() },
            false => Objective::Binary,
        },
        // Tasks of sequences are refused before.
        LossKind::CrossEntropy | LossKind::Crf { .. } | LossKind::Arcs { .. } => {
            Objective::Category { classes: outcome.width() }
        }
        LossKind::Poisson => Objective::Poisson,
    }
}

impl Method {
    /// What a config says.
    pub(super) fn of(config: &TreesConfig, encoder: &Encoder, seed: u64) -> Self {
        let sharing = match config.sharing {
            TreesSharing::Shared => Sharing::Shared,
            TreesSharing::Partial => Sharing::Partial,
            TreesSharing::None => Sharing::None,
        };
        let growing = |default: Growing| Growing {
            max_leaves: config.leaves.unwrap_or(default.max_leaves),
            max_depth: config.depth.unwrap_or(default.max_depth),
            min_rows: config.min_rows.unwrap_or(default.min_rows),
            l2: config.l2.unwrap_or(default.l2),
            features_per_split: config.inputs.unwrap_or(default.features_per_split),
            monotone: monotone(config, encoder),
            ..default
        };
        let forest = |default: Forest| {
            let growing = growing(default.growing.clone());
            Method::Forest(Forest {
                trees: config.trees.unwrap_or(default.trees),
                sharing: sharing.clone(),
                growing,
                seed,
                ..default
            })
        };
        match config.method {
            TreesMethod::Boosted => {
                let default = Boosting::default();
                Method::Boosted(Boosting {
                    rounds: config.trees.unwrap_or(default.rounds),
                    learning_rate: config.learning_rate.unwrap_or(default.learning_rate),
                    patience: match config.patience {
                        Some(0) => None,
                        Some(patience) => Some(patience),
                        None => default.patience,
                    },
                    sharing,
                    rows_per_tree: config.rows.unwrap_or(default.rows_per_tree),
                    growing: growing(default.growing.clone()),
                    seed,
                    ..default
                })
            }
            TreesMethod::Forest => forest(Forest::default()),
            TreesMethod::Extra => forest(Forest::extremely_randomised()),
        }
    }
}

impl Method {
    /// No trees: the mean of the labels.
    pub(super) fn constant(seed: u64) -> Self {
        Method::Boosted(Boosting { rounds: 0, seed, ..Boosting::default() })
    }

    /// The same with bins and sampling of inputs that go with the size of the table: few rows fill few bins, and of many
    /// inputs each tree asks a part.
    ///
    /// With many rows boosting takes longer steps, and fewer of them; `folds` share the trees of a forest.
    pub(super) fn sized(self, rows: usize, inputs: usize, folds: usize) -> Self {
        let bins = (rows / 3).clamp(32, 255);
        let part = (PER_TREE / inputs.max(1) as f64).clamp(0.25, 1.0);
        match self {
            Method::Boosted(boosting) => {
                let growing = Growing { max_bins: bins, features_per_tree: part, ..boosting.growing };
                let few = rows < LONG_STEPS;
                let (learning_rate, rounds) = if few { (0.05, boosting.rounds) } else { (0.1, boosting.rounds / 2) };
                Method::Boosted(Boosting { growing, learning_rate, rounds, ..boosting })
            }
            Method::Forest(forest) => {
                let min_rows = forest.growing.min_rows.max(rows / LEAVES);
                let growing = Growing { max_bins: bins, min_rows, ..forest.growing };
                let all = if rows < MANY { forest.trees } else { forest.trees / 3 };
                let trees = (all / folds.max(1)).max(FEWEST);
                Method::Forest(Forest { growing, trees, ..forest })
            }
        }
    }
}

/// The constraints on inputs, which are columns of the trees in the order of the encoder.
fn monotone(config: &TreesConfig, encoder: &Encoder) -> Vec<Monotone> {
    let columns = tree_columns(encoder);
    let place = |column: &String| columns.iter().position(|read| read.input.column == *column);
    let of = |(column, direction): (&String, &Direction)| {
        Some(Monotone { feature: place(column)?, task: None, increasing: *direction == Direction::Increasing })
    };
    config.monotone.iter().filter_map(of).collect()
}

/// Refuses constraints on what has no order.
fn check_monotone(config: &TreesConfig, encoder: &Encoder) -> Result<(), TrainError> {
    let numbers = |column: &String| {
        encoder.inputs.iter().any(|input| input.column == *column && !matches!(input.code, Code::Category(_)))
    };
    match config.monotone.keys().find(|column| !numbers(column)) {
        Some(column) => Err(TrainError::Monotone(column.clone())),
        None => Ok(()),
    }
}

pub(super) fn length(config: &TreesConfig) -> u64 {
    let default = match config.method {
        TreesMethod::Boosted => Boosting::default().rounds,
        TreesMethod::Forest | TreesMethod::Extra => Forest::default().trees,
    };
    config.trees.unwrap_or(default) as u64
}

/// Fits the trees of a config.
pub(super) fn fit(table: &Table, prepared: &Prepared, callback: &mut dyn Callback) -> Result<Fitted, TrainError> {
    let began = Instant::now();
    let config = &table.config.model.trees;
    check_monotone(config, &prepared.encoder)?;
    let rows = Rows::new(table, prepared)?;
    let names: Vec<&str> = table.tasks.iter().map(|task| task.name.as_str()).collect();
    let places = |rows: &[u32]| rows.iter().map(|row| *row as usize).collect::<Vec<_>>();
    let (train, valid) = (places(&table.train), places(&table.valid));
    let mut method = Method::of(config, &prepared.encoder, table.config.train.seed);
    if let (Method::Boosted(boosting), true, None) = (&mut method, valid.is_empty(), config.trees) {
        boosting.rounds = UNCHOSEN;
    }
    let all = match &method {
        Method::Boosted(boosting) => boosting.rounds,
        Method::Forest(forest) => forest.trees,
    };
    let (mut history, mut first, mut best, mut stopped) = (Vec::<Round>::new(), Vec::new(), None, false);
    let mut look = |round: &polytask_trees::Round<'_>| {
        callback.step(round.number as u64, all as u64);
        if first.is_empty() {
            first = round.validation.to_vec();
        }
        let ends = round.number == all || !round.active.contains(&true);
        if round.number.is_multiple_of(EVERY) || ends {
            let chosen = criterion::value(&table.config.train.criterion, &names, round.validation, &first);
            let better = chosen.is_some_and(|value| best.is_none_or(|best| value < best));
            best = if better { chosen } else { best };
            let round = line(round, &names, chosen, better, began);
            callback.round(&round);
            history.push(round);
        }
        stopped = callback.stop();
        if stopped { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let fitted = match &method {
        Method::Boosted(boosting) => {
            polytask_trees::boost(&rows.features, &rows.tasks, &train, &valid, boosting, &mut look)?
        }
        Method::Forest(forest) => {
            polytask_trees::forest(&rows.features, &rows.tasks, &train, forest, &mut look)?.fitted
        }
    };
    let stop_reason = match (stopped, fitted.rounds < all) {
        (true, _) => StopReason::Stopped,
        (false, true) => StopReason::EarlyStopping,
        (false, false) => StopReason::Complete,
    };
    Ok(Fitted {
        body: Body::Trees(fitted.model),
        stop_reason,
        best_epoch: fitted.trees.iter().max().map(|trees| *trees as u64),
        steps: fitted.rounds as u64,
        seconds: began.elapsed().as_secs_f64(),
        history,
        solved: None,
        out_of_fold: None,
    })
}

/// A line of the history: a round is a tree.
fn line(
    round: &polytask_trees::Round<'_>,
    names: &[&str],
    criterion: Option<f64>,
    best: bool,
    began: Instant,
) -> Round {
    let valid = names.iter().zip(round.validation).filter_map(|(name, loss)| Some(((*name).to_owned(), (*loss)?)));
    Round {
        epoch: round.number as u64,
        step: round.number as u64,
        seconds: began.elapsed().as_secs_f64(),
        valid: valid.collect::<IndexMap<_, _>>(),
        criterion,
        best,
        ..Round::default()
    }
}
