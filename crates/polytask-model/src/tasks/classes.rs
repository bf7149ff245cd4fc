//! What the two kinds of classification share: the classes of the training rows.

use super::labels::{LabelColumn, MISSING, UNSEEN};
use super::{Prediction, Said, TaskError};
use crate::column::levels;
use crate::metric::{self, Better, Metrics};
use crate::section::{ClassWeights, TaskConfig};
use polytask_exec::Values;
use serde::{Deserialize, Serialize};

/// The classes of the training rows, in the order of their outputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Classes {
    /// Their labels.
    pub labels: Vec<String>,
    /// The share of the labelled training rows of each.
    pub shares: Vec<f64>,
    /// What a row of each weighs in the loss.
    pub weights: Vec<f32>,
    /// Whether the column held numbers, and is to be read as numbers again.
    pub numbers: bool,
}

impl Classes {
    /// The classes among `rows`, at least two, numbers by value and words by their characters.
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let counted = levels(source.column).ordered(rows.iter().map(|row| *row as usize));
        Self::from_counts(source, config, &counted)
    }

    /// The classes from their labels and how many rows have each.
    pub(super) fn from_counts(
        source: &LabelColumn,
        config: &TaskConfig,
        counted: &[(String, usize)],
    ) -> Result<Self, TaskError> {
        let known: usize = counted.iter().map(|(_, count)| count).sum();
        match counted {
            [] => return Err(source.no_label()),
            [(value, _)] => return Err(TaskError::OneLabel { task: source.task.to_owned(), value: value.clone() }),
            _ => {}
        }
        let labels: Vec<String> = counted.iter().map(|(label, _)| label.clone()).collect();
        let weights = match &config.class_weights {
            None => vec![1.0; labels.len()],
            Some(ClassWeights::Balanced) => {
                let balanced = |count: usize| known as f64 / (labels.len() * count) as f64;
                counted.iter().map(|(_, count)| balanced(*count) as f32).collect()
            }
            Some(ClassWeights::Labels(named)) => {
                if let Some(label) = named.keys().find(|label| !labels.contains(label)) {
                    return Err(unknown_label(source.task, "class_weights", label, &labels));
                }
                labels.iter().map(|label| named.get(label).map_or(1.0, |w| *w as f32)).collect()
            }
        };
        let shares = counted.iter().map(|(_, count)| *count as f64 / known as f64).collect();
        let numbers = matches!(source.column.values, polytask_data::Values::Number(_));
        Ok(Classes { labels, shares, weights, numbers })
    }

    /// The class of every row of a column: an index, [`MISSING`] or [`UNSEEN`].
    pub(super) fn read(&self, source: &LabelColumn) -> Vec<u32> {
        let levels = levels(source.column);
        let positions = levels.positions(&self.labels, UNSEEN);
        levels.codes.iter().map(|code| positions.get(*code as usize).copied().unwrap_or(MISSING)).collect()
    }

    /// What each row weighs in the loss.
    pub(super) fn row_weights(&self, classes: &[u32]) -> Vec<f32> {
        classes.iter().map(|class| self.weights.get(*class as usize).copied().unwrap_or(0.0)).collect()
    }

    /// A prediction of `n` rows from their probabilities.
    pub(super) fn prediction(&self, probabilities: Vec<f64>, said: Said) -> Prediction {
        Prediction::Classes { labels: self.labels.clone(), probabilities, said }
    }

    /// The likeliest class of every element of each row, by their logits.
    pub(super) fn of_elements(&self, logits: &Values) -> Vec<Vec<u32>> {
        let width = logits.width().max(1);
        let of = |row| logits.of(row).chunks_exact(width).map(|logits| largest(logits) as u32).collect();
        (0..logits.rows()).map(of).collect()
    }

    /// accuracy, macro_f1 and log_loss. A row whose class training never saw counts as a mistake in accuracy and as a
    /// further class with an F1 of 0; it has no probability, so log_loss leaves it out.
    pub(super) fn score(&self, truth: &[u32], predicted: &[u32], probabilities: &[f64]) -> Metrics {
        let mut metrics = Metrics::new(truth.len());
        metrics.push("accuracy", Better::Higher, metric::accuracy(truth, predicted));
        metrics.push("macro_f1", Better::Higher, metric::macro_f1(truth, predicted));
        metrics.push("log_loss", Better::Lower, metric::log_loss(truth, probabilities, self.labels.len()));
        metrics.unseen = truth.iter().filter(|class| **class == UNSEEN).count();
        metrics
    }

    /// Whether a stored value holds together.
    pub(super) fn check(&self) -> Result<(), String> {
        let n = self.labels.len();
        if n < 2 || self.shares.len() != n || self.weights.len() != n {
            return Err(format!("{n} classes with {} shares and {} weights", self.shares.len(), self.weights.len()));
        }
        let distinct: std::collections::BTreeSet<&String> = self.labels.iter().collect();
        if distinct.len() != n {
            return Err("a class is there twice".into());
        }
        if !self.shares.iter().all(|s| *s > 0.0 && *s < 1.0) || !self.weights.iter().all(|w| *w > 0.0) {
            return Err("the shares or weights of the classes are out of range".into());
        }
        Ok(())
    }
}

/// The place of the largest number, the first of equals.
pub(super) fn largest<T: PartialOrd + Copy>(numbers: &[T]) -> usize {
    let larger = |best: usize, i: usize| if numbers[i] > numbers[best] { i } else { best };
    (0..numbers.len()).fold(0, larger)
}

pub(super) fn unknown_label(task: &str, key: &'static str, label: &str, labels: &[String]) -> TaskError {
    TaskError::UnknownLabel { task: task.to_owned(), key, label: label.to_owned(), labels: labels.to_vec() }
}
