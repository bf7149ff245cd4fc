//! Predictions over flat arrays, block of rows by block of rows: rows become bytes, then each tree finds their leaves.

mod bytes;
mod select;
mod walk;

use std::ops::Range;

use pulp::NullaryFnOnce;
use rayon::prelude::*;

use self::bytes::Columns;
use self::select::{Slots, Step};
use self::walk::{Flat, TOGETHER};
use super::{Head, Kind, Model, Schema, Test};
use crate::binning::{Bins, finite};
use crate::{Column, Features, Objective, TreesError};

/// Rows that go through all trees before the next rows do.
const BLOCK: usize = 256;
/// Rows of a block that are not there are left out by the chunk.
const CHUNK: usize = 64;

/// One tree among the flat arrays.
struct Span {
    nodes: usize,
    depth: usize,
    inner: usize,
    /// Empty if the tree is large.
    steps: Range<usize>,
    large: bool,
    values: usize,
    outputs: Vec<u32>,
}

/// A model made ready to predict.
pub struct Predictor {
    kind: Kind,
    heads: Vec<Head>,
    start: Vec<f64>,
    bins: Vec<Bins>,
    columns: Columns,
    nodes: Vec<Flat>,
    steps: Vec<Step>,
    values: Vec<f32>,
    spans: Vec<Span>,
}

impl Predictor {
    /// Lays a model's trees out flat.
    pub fn new(model: &Model) -> Self {
        let mut predictor = Self {
            kind: model.kind,
            heads: model.heads.clone(),
            start: model.start.clone(),
            bins: model.columns.iter().map(Schema::bins).collect(),
            columns: Columns::new(model),
            nodes: Vec::new(),
            steps: Vec::new(),
            values: Vec::new(),
            spans: Vec::new(),
        };
        for tree in &model.trees {
            let asks: Vec<_> = tree.nodes.iter().map(|node| predictor.columns.ask(node.feature, &node.test)).collect();
            let (nodes, first) = (predictor.nodes.len(), predictor.steps.len());
            walk::write(tree, &asks, &mut predictor.nodes);
            let large = tree.leaves() > select::MOST;
            if !large {
                select::write(tree, &asks, &mut predictor.steps);
            }
            predictor.spans.push(Span {
                nodes,
                depth: tree.depth(),
                inner: tree.nodes.len(),
                steps: first..predictor.steps.len(),
                large,
                values: predictor.values.len(),
                outputs: tree.outputs.clone(),
            });
            predictor.values.extend_from_slice(&tree.values);
        }
        predictor
    }

    pub(crate) fn check(&self, features: &Features) -> Result<(), TreesError> {
        let columns = features.columns();
        if columns.len() != self.bins.len() {
            let reason = format!("the model has {} columns, the rows have {}", self.bins.len(), columns.len());
            return Err(TreesError::Columns(reason));
        }
        for (index, pair) in columns.iter().zip(&self.bins).enumerate() {
            match pair {
                (Column::Numbers(_), Bins::Numbers { .. }) | (Column::Categories(_), Bins::Categories { .. }) => {}
                (Column::Numbers(_), Bins::Categories { .. }) => {
                    return Err(TreesError::Columns(format!(
                        "column {index} has numbers, but the model has categories there"
                    )));
                }
                (Column::Categories(_), Bins::Numbers { .. }) => {
                    return Err(TreesError::Columns(format!(
                        "column {index} has categories, but the model has numbers there"
                    )));
                }
            }
        }
        Ok(())
    }

    /// Scores before any link, row by row.
    ///
    /// # Errors
    /// Rows without the model's columns.
    pub fn scores(&self, features: &Features) -> Result<Vec<f64>, TreesError> {
        self.check(features)?;
        let outputs = self.start.len();
        let mut scores = vec![0.0; features.rows() * outputs];
        if outputs > 0 {
            let arch = pulp::Arch::new();
            scores.par_chunks_mut(BLOCK * outputs).enumerate().for_each(|(block, scores)| {
                arch.dispatch(Block { predictor: self, features, first: block * BLOCK, scores });
            });
        }
        Ok(scores)
    }

    /// Predictions: numbers, probabilities or rates.
    ///
    /// # Errors
    /// Rows without the model's columns.
    pub fn predict(&self, features: &Features) -> Result<Predictions, TreesError> {
        let mut values = self.scores(features)?;
        let outputs = self.start.len().max(1);
        values.par_chunks_mut(outputs).for_each(|row| decode(self.kind, &self.heads, row));
        Ok(Predictions { heads: self.heads.clone(), outputs, values })
    }

    /// A row's values as [`goes_left`] takes them: numbers, and bins of categories.
    pub(crate) fn row(&self, features: &Features, row: usize, into: &mut [f32]) {
        for (value, (column, bins)) in into.iter_mut().zip(features.columns().iter().zip(&self.bins)) {
            *value = match column {
                Column::Numbers(values) => finite(values[row]),
                Column::Categories(codes) => f32::from(bins.category(codes[row])),
            };
        }
    }

    /// Scores of a block of rows.
    #[inline(always)]
    fn block(&self, features: &Features, first: usize, scores: &mut [f64]) {
        let rows = scores.len() / self.start.len();
        let mut bytes = vec![[0u8; BLOCK]; self.columns.len()];
        self.columns.read(features, first, rows, &mut bytes);
        scores.chunks_exact_mut(self.start.len()).for_each(|row| row.copy_from_slice(&self.start));
        let mut slots = Slots::new();
        for span in &self.spans {
            if span.large || rows * span.depth < 4 * span.inner {
                self.walk(span, &bytes, scores);
            } else {
                let steps = &self.steps[span.steps.clone()];
                let leaves = slots.leaves(steps, &self.columns.sets, &bytes, rows.div_ceil(CHUNK));
                self.add(span, leaves.iter().map(|&leaf| usize::from(leaf)), scores);
            }
        }
    }

    fn walk(&self, span: &Span, bytes: &[[u8; BLOCK]], scores: &mut [f64]) {
        let nodes = &self.nodes[span.nodes..];
        for (group, scores) in scores.chunks_mut(TOGETHER * self.start.len()).enumerate() {
            let leaves = walk::leaves(nodes, span.depth, &self.columns.sets, bytes, group * TOGETHER);
            self.add(span, leaves.into_iter().map(|place| place - span.inner), scores);
        }
    }

    /// Adds the values of rows' leaves to their scores.
    #[inline(always)]
    fn add(&self, span: &Span, leaves: impl Iterator<Item = usize>, scores: &mut [f64]) {
        let values = &self.values[span.values..];
        match (span.outputs.len(), self.start.len()) {
            (1, 1) => add_all::<1>(values, leaves, scores),
            (2, 2) => add_all::<2>(values, leaves, scores),
            (4, 4) => add_all::<4>(values, leaves, scores),
            (8, 8) => add_all::<8>(values, leaves, scores),
            (count, outputs) => {
                for (row, leaf) in scores.chunks_exact_mut(outputs).zip(leaves) {
                    let values = &values[leaf * count..][..count];
                    if count == outputs {
                        row.iter_mut().zip(values).for_each(|(score, &value)| *score += f64::from(value));
                    } else {
                        let each = span.outputs.iter().zip(values);
                        each.for_each(|(&output, &value)| row[output as usize] += f64::from(value));
                    }
                }
            }
        }
    }
}

/// The same for trees with all of `N` outputs.
#[inline(always)]
fn add_all<const N: usize>(values: &[f32], leaves: impl Iterator<Item = usize>, scores: &mut [f64]) {
    let values = values.as_chunks::<N>().0;
    for (row, leaf) in scores.as_chunks_mut::<N>().0.iter_mut().zip(leaves) {
        let mut sums = values[leaf].map(f64::from);
        sums.iter_mut().zip(&*row).for_each(|(sum, score)| *sum += score);
        *row = sums;
    }
}

/// One block, with the vector instructions that there are.
struct Block<'a> {
    predictor: &'a Predictor,
    features: &'a Features,
    first: usize,
    scores: &'a mut [f64],
}

impl NullaryFnOnce for Block<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        self.predictor.block(self.features, self.first, self.scores);
    }
}

/// Whether a row (as trees read it) goes left.
pub(crate) fn goes_left(test: &Test, value: f32) -> bool {
    match test {
        Test::Number { threshold, missing_left } => value <= *threshold || (value.is_nan() && *missing_left),
        Test::Category { left } => left.binary_search(&(value as u8)).is_ok(),
    }
}

/// One row's scores become predictions.
fn decode(kind: Kind, heads: &[Head], row: &mut [f64]) {
    for head in heads {
        let values = &mut row[head.first..head.first + head.width];
        match kind {
            Kind::Boosted => head.objective.decode(values),
            Kind::Forest => settle(&head.objective, values),
        }
    }
}

/// Averages of labels, kept in the range of labels against rounding.
fn settle(objective: &Objective, values: &mut [f64]) {
    match objective {
        Objective::Squared | Objective::Absolute | Objective::Huber { .. } | Objective::Quantile { .. } => {}
        Objective::Binary | Objective::Multilabel { .. } => {
            values.iter_mut().for_each(|value| *value = value.clamp(0.0, 1.0))
        }
        Objective::Poisson => values.iter_mut().for_each(|value| *value = value.max(0.0)),
        Objective::Category { .. } => {
            values.iter_mut().for_each(|value| *value = value.max(0.0));
            let sum: f64 = values.iter().sum();
            let even = 1.0 / values.len() as f64;
            values.iter_mut().for_each(|value| *value = if sum > 0.0 { *value / sum } else { even });
        }
    }
}

/// Predictions for rows, all tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    heads: Vec<Head>,
    outputs: usize,
    values: Vec<f64>,
}

impl Predictions {
    pub(crate) fn new(model: &Model, mut values: Vec<f64>) -> Self {
        let outputs = model.outputs().max(1);
        values.chunks_exact_mut(outputs).for_each(|row| decode(model.kind, &model.heads, row));
        Self { heads: model.heads.clone(), outputs, values }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.outputs
    }

    /// A task's predictions for one row: a number, or one probability a class or label.
    pub fn row(&self, task: usize, row: usize) -> &[f64] {
        let head = &self.heads[task];
        &self.values[row * self.outputs + head.first..][..head.width]
    }

    /// A task's first output for all rows: all there is of tasks with one output.
    pub fn task(&self, task: usize) -> Vec<f64> {
        (0..self.rows()).map(|row| self.row(task, row)[0]).collect()
    }
}
