//! What is remembered of every round: a line of `history.jsonl`.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// One round of training: an epoch, or the steps between two looks at the validation rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Counted from 1.
    pub epoch: u64,
    /// Optimiser steps taken so far.
    pub step: u64,
    /// Seconds of training so far.
    pub seconds: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean over the round's steps of what was minimised: the weighted losses and the L2 term, before each step.
    pub loss: f64,
    /// The L2 term's part of it.
    pub penalty: f64,
    /// Each task's loss, averaged over the round's steps that had labels for it, before each step.
    pub train: IndexMap<String, f64>,
    /// Each task's loss on the validation rows after the round.
    pub valid: IndexMap<String, f64>,
    /// Each task's weight, averaged likewise.
    pub weights: IndexMap<String, f64>,
    /// What the best model is chosen by; lower is better. None without validation rows.
    pub criterion: Option<f64>,
    /// Whether this is the best model so far.
    pub best: bool,
}

/// Sums over the steps of a round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sums {
    steps: u64,
    total: f64,
    penalty: f64,
    /// By task: steps with labels, sum of losses, sum of weights.
    tasks: Vec<(u64, f64, f64)>,
}

impl Sums {
    pub(super) fn new(tasks: usize) -> Self {
        Sums { tasks: vec![(0, 0.0, 0.0); tasks], ..Sums::default() }
    }

    pub(super) fn add(&mut self, losses: &[Option<f64>], weights: &[f64], penalty: f64) {
        self.steps += 1;
        self.penalty += penalty;
        self.total += penalty;
        for ((sums, loss), weight) in self.tasks.iter_mut().zip(losses).zip(weights) {
            if let Some(loss) = loss {
                *sums = (sums.0 + 1, sums.1 + loss, sums.2 + weight);
                self.total += weight * loss;
            }
        }
    }

    /// Means for the tasks' names: total, penalty, losses, weights.
    pub(super) fn means(&self, names: &[&str]) -> (f64, f64, IndexMap<String, f64>, IndexMap<String, f64>) {
        let steps = self.steps.max(1) as f64;
        let of = |pick: fn(&(u64, f64, f64)) -> f64| {
            let seen = names.iter().zip(&self.tasks).filter(|(_, sums)| sums.0 > 0);
            seen.map(|(name, sums)| ((*name).to_owned(), pick(sums) / sums.0 as f64)).collect()
        };
        (self.total / steps, self.penalty / steps, of(|s| s.1), of(|s| s.2))
    }
}
