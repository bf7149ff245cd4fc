//! What is remembered of every round: a line of `history.jsonl`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// One round of training: an epoch, or the steps between two looks at the validation rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Counted from 1.
    pub epoch: u64,
    /// Optimiser steps taken so far.
    pub step: u64,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean over the round's steps of what was minimised: the weighted losses, the L2 term and the penalties of
    /// the architecture, before each step.
    pub loss: f64,
    /// The part of it that is no task's loss.
    pub penalty: f64,
    /// Each task's loss, averaged over the round's steps that had labels for it, before each step.
    pub train: IndexMap<String, f64>,
    /// Each task's loss on the validation rows after the round.
    pub valid: IndexMap<String, f64>,
    /// Each task's metrics on the validation rows after the round, where someone looks at them.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub scores: IndexMap<String, IndexMap<String, f64>>,
    /// Each task's weight, averaged likewise.
    pub weights: IndexMap<String, f64>,
    /// Each task's part of the weighted losses, from 0 to 1.
    pub shares: IndexMap<String, f64>,
    /// The share of the round's time that steps waited for images to be unpacked; absent where all are in memory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<f64>,
    /// The share of its threads' time that went into making images ready: unpacked ones into numbers, augmented. Absent
    /// where layers read the pixels in memory as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preparing: Option<f64>,
    /// How the tasks' gradients over the shared parameters stood at the round's first step; looked at now and then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradients: Option<Gradients>,
    /// Of an ensemble, whose rounds are the candidates: which this is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<String>,
    /// Of a linear model, whose rounds are strengths of its penalty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strength: Option<f64>,
    /// The penalty's second number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// What the best model is chosen by; lower is better. None without validation rows.
    pub criterion: Option<f64>,
    /// Whether this is the best model so far.
    pub best: bool,
}

/// Sizes and angles of the tasks' gradients over the shared parameters, on one batch.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Gradients {
    /// Euclidean norms, of the unweighted losses.
    pub norms: IndexMap<String, f64>,
    /// Cosines of pairs, each pair once: below 0 the two tasks pull against each other.
    pub cosines: IndexMap<String, IndexMap<String, f64>>,
}

impl Gradients {
    /// The tasks with the longest and the shortest gradient, and how many times longer the one is.
    pub fn widest(&self) -> Option<(&str, &str, f64)> {
        let longest = self.norms.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
        let shortest = self.norms.iter().filter(|n| *n.1 > 0.0).min_by(|a, b| a.1.total_cmp(b.1))?;
        Some((longest.0, shortest.0, longest.1 / shortest.1))
    }
}

/// Sums over the steps of a round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sums {
    steps: u64,
    total: f64,
    penalty: f64,
    tasks: Vec<TaskSums>,
    /// What the probe saw.
    pub gradients: Option<Gradients>,
}

/// Sums over the steps that had labels for a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct TaskSums {
    steps: u64,
    loss: f64,
    weight: f64,
    weighted: f64,
}

/// Means over a round, by task.
pub(super) struct Means {
    pub loss: f64,
    pub penalty: f64,
    pub losses: IndexMap<String, f64>,
    pub weights: IndexMap<String, f64>,
    pub shares: IndexMap<String, f64>,
}

impl Sums {
    pub(super) fn new(tasks: usize) -> Self {
        Sums { tasks: vec![TaskSums::default(); tasks], ..Sums::default() }
    }

    /// Whether they are of so many tasks.
    pub(super) fn is_of(&self, tasks: usize) -> bool {
        self.tasks.len() == tasks
    }

    pub(super) fn add(&mut self, losses: &[Option<f64>], weights: &[f64], penalty: f64) {
        self.steps += 1;
        self.penalty += penalty;
        self.total += penalty;
        for ((sums, loss), weight) in self.tasks.iter_mut().zip(losses).zip(weights) {
            if let Some(loss) = loss {
                sums.steps += 1;
                sums.loss += loss;
                sums.weight += weight;
                sums.weighted += weight * loss;
                self.total += weight * loss;
            }
        }
    }

    pub(super) fn means(&self, names: &[&str]) -> Means {
        let steps = self.steps.max(1) as f64;
        let of = |value: &dyn Fn(&TaskSums) -> f64| {
            let seen = names.iter().zip(&self.tasks).filter(|(_, sums)| sums.steps > 0);
            seen.map(|(name, sums)| ((*name).to_owned(), value(sums))).collect()
        };
        let all: f64 = self.tasks.iter().map(|sums| sums.weighted).sum();
        Means {
            loss: self.total / steps,
            penalty: self.penalty / steps,
            losses: of(&|sums| sums.loss / sums.steps as f64),
            weights: of(&|sums| sums.weight / sums.steps as f64),
            shares: of(&|sums| if all == 0.0 { 0.0 } else { sums.weighted / all }),
        }
    }
}
