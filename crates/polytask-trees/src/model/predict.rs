//! Predictions over flat arrays: blocks of rows go down a tree together, without a branch a step.

use rayon::prelude::*;

use super::{Head, Kind, Model, Schema, Test};
use crate::binning::{Bins, finite};
use crate::{Column, Features, Objective, TreesError};

/// Rows that go through all trees before the next rows do.
const BLOCK: usize = 256;
/// Rows that go down a tree together.
const TOGETHER: usize = 8;
/// Mark of a node that asks for a category.
const CATEGORY: u32 = 1 << 31;
/// Mark of a node that sends missing numbers left.
const MISSING_LEFT: u32 = 1 << 30;

/// A node or leaf. A leaf has itself as both children.
#[derive(Clone, Copy)]
struct Flat {
    /// Feature and marks.
    feature: u32,
    /// Threshold, or bits of the number of a set.
    threshold: f32,
    /// Children within the tree, right then left.
    children: [u32; 2],
}

/// One tree among the flat arrays.
struct Span {
    first: usize,
    inner: usize,
    depth: usize,
    categories: bool,
    values: usize,
    outputs: Vec<u32>,
}

/// A model made ready to predict.
pub struct Predictor {
    kind: Kind,
    heads: Vec<Head>,
    start: Vec<f64>,
    columns: Vec<Bins>,
    nodes: Vec<Flat>,
    values: Vec<f32>,
    sets: Vec<[u64; 4]>,
    spans: Vec<Span>,
}

impl Predictor {
    /// Lays a model's trees out flat.
    pub fn new(model: &Model) -> Self {
        let column = |schema: &Schema| match schema {
            Schema::Numbers => Bins::Numbers { edges: Vec::new() },
            Schema::Categories { codes, rare } => Bins::Categories { codes: codes.clone(), rare: *rare },
        };
        let columns = model.columns.iter().map(column).collect();
        let mut predictor = Self {
            kind: model.kind,
            heads: model.heads.clone(),
            start: model.start.clone(),
            columns,
            nodes: Vec::new(),
            values: Vec::new(),
            sets: Vec::new(),
            spans: Vec::new(),
        };
        for tree in &model.trees {
            let inner = tree.nodes.len();
            let place = |child: i32| if child >= 0 { child as u32 } else { inner as u32 + (-1 - child) as u32 };
            predictor.spans.push(Span {
                first: predictor.nodes.len(),
                inner,
                depth: tree.depth(),
                categories: tree.nodes.iter().any(|node| matches!(node.test, Test::Category { .. })),
                values: predictor.values.len(),
                outputs: tree.outputs.clone(),
            });
            for node in &tree.nodes {
                let children = [place(node.children[1]), place(node.children[0])];
                let (mark, threshold) = match &node.test {
                    Test::Number { threshold, missing_left } => {
                        (if *missing_left { MISSING_LEFT } else { 0 }, *threshold)
                    }
                    Test::Category { left } => {
                        let mut set = [0u64; 4];
                        left.iter().for_each(|&bin| set[usize::from(bin >> 6)] |= 1 << (bin & 63));
                        predictor.sets.push(set);
                        (CATEGORY, f32::from_bits(predictor.sets.len() as u32 - 1))
                    }
                };
                predictor.nodes.push(Flat { feature: node.feature | mark, threshold, children });
            }
            let leaf = |leaf: usize| Flat { feature: 0, threshold: 0.0, children: [(inner + leaf) as u32; 2] };
            predictor.nodes.extend((0..tree.leaves()).map(leaf));
            predictor.values.extend_from_slice(&tree.values);
        }
        predictor
    }

    pub(crate) fn check(&self, features: &Features) -> Result<(), TreesError> {
        let columns = features.columns();
        if columns.len() != self.columns.len() {
            let reason = format!("the model has {} columns, the rows have {}", self.columns.len(), columns.len());
            return Err(TreesError::Columns(reason));
        }
        for (index, pair) in columns.iter().zip(&self.columns).enumerate() {
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
            scores
                .par_chunks_mut(BLOCK * outputs)
                .enumerate()
                .for_each(|(block, scores)| self.block(features, block * BLOCK, scores));
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

    /// A row's values as trees read them: numbers, and bins of categories.
    pub(crate) fn row(&self, features: &Features, row: usize, into: &mut [f32]) {
        for (value, (column, bins)) in into.iter_mut().zip(features.columns().iter().zip(&self.columns)) {
            *value = match column {
                Column::Numbers(values) => finite(values[row]),
                Column::Categories(codes) => f32::from(bins.category(codes[row])),
            };
        }
    }

    fn block(&self, features: &Features, first: usize, scores: &mut [f64]) {
        let outputs = self.start.len();
        let width = self.columns.len().max(1);
        let rows = scores.len() / outputs;
        let mut inputs = vec![0.0f32; rows.next_multiple_of(TOGETHER) * width];
        for (place, input) in inputs.chunks_exact_mut(width).enumerate().take(rows) {
            self.row(features, first + place, input);
        }
        scores.chunks_exact_mut(outputs).for_each(|row| row.copy_from_slice(&self.start));
        for span in &self.spans {
            let count = span.outputs.len();
            for (group, inputs) in inputs.chunks_exact(width * TOGETHER).enumerate() {
                let leaves = if span.categories {
                    self.walk::<true>(span, inputs, width)
                } else {
                    self.walk::<false>(span, inputs, width)
                };
                for (lane, leaf) in leaves.into_iter().enumerate().take(rows - group * TOGETHER) {
                    let values = &self.values[span.values + (leaf - span.inner) * count..][..count];
                    let row = &mut scores[(group * TOGETHER + lane) * outputs..][..outputs];
                    if count == outputs {
                        row.iter_mut().zip(values).for_each(|(score, &value)| *score += f64::from(value));
                    } else {
                        span.outputs
                            .iter()
                            .zip(values)
                            .for_each(|(&output, &value)| row[output as usize] += f64::from(value));
                    }
                }
            }
        }
    }

    /// The leaves of a few rows, as places in the tree.
    fn walk<const CATEGORIES: bool>(&self, span: &Span, inputs: &[f32], width: usize) -> [usize; TOGETHER] {
        let nodes = &self.nodes[span.first..];
        let mut at = [0usize; TOGETHER];
        for _ in 0..span.depth {
            for (lane, at) in at.iter_mut().enumerate() {
                let node = nodes[*at];
                let value = inputs[lane * width + (node.feature & !(CATEGORY | MISSING_LEFT)) as usize];
                let left = if CATEGORIES && node.feature & CATEGORY != 0 {
                    let bin = value as usize;
                    self.sets[node.threshold.to_bits() as usize][bin >> 6] >> (bin & 63) & 1 == 1
                } else {
                    value <= node.threshold || (value.is_nan() & (node.feature & MISSING_LEFT != 0))
                };
                *at = node.children[usize::from(left)] as usize;
            }
        }
        at
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
