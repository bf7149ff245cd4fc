//! What was fitted: trees, and how rows become their inputs.

mod check;
mod predict;
mod tree;

use serde::{Deserialize, Serialize};

pub(crate) use predict::goes_left;
pub use predict::{Predictions, Predictor};
pub use tree::{Node, Test, Tree};

use crate::binning::Bins;
use crate::{Features, Objective, TreesError};

/// How one column of a model's inputs is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schema {
    /// Numbers are taken as they are.
    Numbers,
    /// Bin `b` is code `codes[b]`; with `rare`, bin `codes.len()` holds all other codes. What is missing (or, without
    /// `rare`, unknown) has the bin that comes after these.
    Categories {
        /// Known codes, ascending, at most 255.
        codes: Vec<u32>,
        /// Whether there is a bin for all other codes.
        rare: bool,
    },
}

impl Schema {
    pub(crate) fn new(bins: &Bins) -> Self {
        match bins {
            Bins::Numbers { .. } => Self::Numbers,
            Bins::Categories { codes, rare } => Self::Categories { codes: codes.clone(), rare: *rare },
        }
    }

    /// Bins as trees' tests name them. Those of numbers are not kept: tests have thresholds.
    fn bins(&self) -> Bins {
        match self {
            Self::Numbers => Bins::Numbers { edges: Vec::new() },
            Self::Categories { codes, rare } => Bins::Categories { codes: codes.clone(), rare: *rare },
        }
    }
}

/// The outputs of one task.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Kind of the task.
    pub objective: Objective,
    /// Its first output among those of the model.
    pub first: usize,
    /// How many it has.
    pub width: usize,
}

/// How the sums of trees become predictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Through the link of each task's loss.
    Boosted,
    /// They are predictions already, averages of labels.
    Forest,
}

/// A fitted model: `score_k(row) = start_k + sum over trees of the value for k in the row's leaf`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "check::Unchecked")]
pub struct Model {
    pub(crate) kind: Kind,
    pub(crate) columns: Vec<Schema>,
    pub(crate) heads: Vec<Head>,
    pub(crate) start: Vec<f64>,
    pub(crate) trees: Vec<Tree>,
    /// Rounds that were fitted, before any was taken back; names the random streams of further rounds.
    pub(crate) rounds: usize,
}

impl Model {
    /// A model of these parts, for one that was stored.
    ///
    /// # Errors
    /// Parts that do not fit together: after this no index in them can miss.
    pub fn new(
        kind: Kind,
        columns: Vec<Schema>,
        heads: Vec<Head>,
        start: Vec<f64>,
        trees: Vec<Tree>,
        rounds: usize,
    ) -> Result<Self, TreesError> {
        let model = Self { kind, columns, heads, start, trees, rounds };
        model.check().map_err(TreesError::Model)?;
        Ok(model)
    }

    /// Rounds that were fitted, before any was taken back.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// How the sums of trees become predictions.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Columns that rows must have.
    pub fn columns(&self) -> &[Schema] {
        &self.columns
    }

    /// Outputs of each task.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// Scores before the first tree, one an output.
    pub fn start(&self) -> &[f64] {
        &self.start
    }

    /// All trees, in the order in which they are added up.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// The model of the tasks with these heads, ascending: trees that add to none of them are left out.
    ///
    /// # Panics
    /// If there is no such head.
    #[must_use]
    pub fn only(&self, heads: &[usize]) -> Self {
        let mut moved = vec![None; self.outputs()];
        let (mut kept, mut start) = (Vec::with_capacity(heads.len()), Vec::new());
        for head in heads.iter().map(|at| self.heads[*at]) {
            kept.push(Head { first: start.len(), ..head });
            let own = head.first..head.first + head.width;
            for (moved, value) in moved[own.clone()].iter_mut().zip(&self.start[own]) {
                *moved = Some(start.len() as u32);
                start.push(*value);
            }
        }
        let part = |tree: &Tree| {
            let mut tree = tree.clone();
            let is_kept = tree.retain(|output| moved[output as usize].is_some());
            tree.outputs = tree.outputs.iter().filter_map(|output| moved[*output as usize]).collect();
            is_kept.then_some(tree)
        };
        Self {
            kind: self.kind,
            columns: self.columns.clone(),
            heads: kept,
            start,
            trees: self.trees.iter().filter_map(part).collect(),
            rounds: self.rounds,
        }
    }

    /// Number of outputs of all tasks.
    pub fn outputs(&self) -> usize {
        self.start.len()
    }

    /// Scores of some rows before any link, row by row.
    ///
    /// # Errors
    /// Rows without the model's columns.
    pub fn scores(&self, features: &Features) -> Result<Vec<f64>, TreesError> {
        Predictor::new(self).scores(features)
    }

    /// Predictions for some rows: numbers, probabilities or rates. To predict often, keep a [`Predictor`].
    ///
    /// # Errors
    /// Rows without the model's columns.
    pub fn predict(&self, features: &Features) -> Result<Predictions, TreesError> {
        Predictor::new(self).predict(features)
    }

    /// Gain of all splits on each feature, for each task: `[task][feature]`, each split counted whole for every task
    /// that its tree serves.
    pub fn gains(&self) -> Vec<Vec<f64>> {
        let mut gains = vec![vec![0.0; self.columns.len()]; self.heads.len()];
        for tree in &self.trees {
            for (task, head) in self.heads.iter().enumerate() {
                if tree.outputs.iter().any(|&output| (head.first..head.first + head.width).contains(&(output as usize)))
                {
                    tree.nodes.iter().for_each(|node| gains[task][node.feature as usize] += f64::from(node.gain));
                }
            }
        }
        gains
    }
}
