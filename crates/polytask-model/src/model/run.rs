//! `run.json`: how a model came about, for those who read about it. Prediction does without.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// How a run went.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The version of the program.
    pub polytask: String,
    /// The folder that paths of `config.toml` are relative to, from the model directory.
    pub folder: PathBuf,
    /// Why training ended, in words.
    pub ending: String,
    /// The round the model is of.
    pub best_epoch: Option<u64>,
    /// Optimiser steps taken.
    pub steps: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Threads it ran on.
    pub threads: usize,
    /// Most memory that the program had at once, in bytes, data included; where the system tells.
    pub peak_memory: Option<u64>,
    /// Rows by part: `train`, `valid`, `test`.
    pub rows: IndexMap<String, usize>,
    /// Labels by task, and by part.
    pub labels: IndexMap<String, IndexMap<String, usize>>,
}

/// Most memory that this program has had at once, in bytes.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(1024 * line.split_whitespace().nth(1)?.parse::<u64>().ok()?)
}
