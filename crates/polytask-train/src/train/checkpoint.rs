//! All that is needed to go on with a run bit for bit: one safetensors file with a checksum, the state among its tensors.

use super::Job;
use super::fingerprint::Fingerprint;
use super::history::{Round, Sums};
use polytask_exec::{OptimizerState, Parameters};
use polytask_model::files::{self, Array, Numbers};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A run in the middle.
pub struct Checkpoint {
    pub(super) state: State,
    pub(super) tensors: Tensors,
}

/// All of a run but its tensors. `order`, `held_out`, `averaged` and `best`'s parameters are not written with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub fingerprint: Fingerprint,
    pub step: u64,
    pub epoch: u64,
    pub seconds: f64,
    pub rate: f64,
    pub stale: u64,
    pub first: Vec<Option<f64>>,
    pub sums: Sums,
    pub history: Vec<Round>,
    pub balancer: serde_json::Value,
    /// Of the scalars that the balancer has the run's optimiser learn, one each.
    pub learners: Vec<OptimizerState>,
    pub optimizer_step: u64,
    pub best: Option<Best>,
    /// The mean of recent states, where `train.average` asks for it.
    #[serde(skip)]
    pub averaged: Option<Parameters>,
    #[serde(skip)]
    pub order: Vec<u32>,
    /// The order that held-out batches come in, where they are not parts of the others.
    #[serde(skip)]
    pub held_out: Vec<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Best {
    pub epoch: u64,
    pub criterion: Option<f64>,
    #[serde(skip)]
    pub parameters: Parameters,
}

pub(super) struct Tensors {
    pub parameters: Parameters,
    /// Of the parameters that learn, end to end.
    pub moments: Vec<Vec<f32>>,
}

impl State {
    pub(super) fn new(fingerprint: Fingerprint, tasks: usize) -> Self {
        State {
            fingerprint,
            step: 0,
            epoch: 0,
            seconds: 0.0,
            rate: 0.0,
            stale: 0,
            first: vec![None; tasks],
            sums: Sums::new(tasks),
            history: Vec::new(),
            balancer: serde_json::Value::Null,
            learners: Vec::new(),
            optimizer_step: 0,
            best: None,
            averaged: None,
            order: Vec::new(),
            held_out: Vec::new(),
        }
    }
}

/// Why a checkpoint cannot be used or stored.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// There is none.
    #[error("there is no checkpoint to go on from: {} does not exist", .0.display())]
    None(PathBuf),
    /// It belongs to another run: other tasks, settings, layers or data.
    #[error("the checkpoint belongs to another run: {0}")]
    Other(String),
    /// A linear model is not trained step by step.
    #[error("a linear model has no checkpoint: it is found in one go")]
    Linear,
    /// A run that cannot be described.
    #[error("the run cannot be described: {0}")]
    Fingerprint(#[from] serde_json::Error),
    /// It is not readable.
    #[error("{path}: this is no checkpoint, or a damaged one: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        reason: String,
    },
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] files::FileError),
}

impl CheckpointError {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            CheckpointError::None(_) => "start without --resume, or give --out the directory of the run to go on with",
            CheckpointError::Other(_) => {
                "start without --resume and with another --out, or go back to the config and data it was made with"
            }
            CheckpointError::Damaged { .. } | CheckpointError::Linear => "start without --resume",
            CheckpointError::Fingerprint(_) | CheckpointError::File(_) => return None,
        };
        Some(hint.to_owned())
    }
}

impl Checkpoint {
    pub(super) fn new(state: State, tensors: Tensors) -> Self {
        Checkpoint { state, tensors }
    }

    /// Optimiser steps taken.
    pub fn steps(&self) -> u64 {
        self.state.step
    }

    /// Rounds so far.
    pub fn history(&self) -> &[Round] {
        &self.state.history
    }

    /// Writes it to a file, and makes the folder where that is not there.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        // Whole flat vectors: their layout is the graph's.
        fn array(name: String, values: &[f32]) -> Array<'_> {
            Array { name, dims: vec![values.len()], numbers: Numbers::F32(values.into()) }
        }
        let mut arrays = vec![array("model".to_owned(), self.tensors.parameters.values())];
        for (i, moment) in self.tensors.moments.iter().enumerate() {
            arrays.push(array(format!("moment{i}"), moment));
        }
        if let Some(best) = &self.state.best {
            arrays.push(array("best".to_owned(), best.parameters.values()));
        }
        if let Some(averaged) = &self.state.averaged {
            arrays.push(array("averaged".to_owned(), averaged.values()));
        }
        Ok(files::write_sealed(path, &arrays, &serde_json::to_string(&self.state)?)?)
    }

    /// Reads it to go on with a job. Its end (`epochs` or `steps`, and `patience`) may have changed, nothing else.
    ///
    /// # Errors
    /// No such file, a damaged one, or one of another job.
    pub fn load(path: &Path, job: &Job<'_>) -> Result<Self, CheckpointError> {
        if job.linear.is_some() {
            return Err(CheckpointError::Linear);
        }
        if !path.exists() {
            return Err(CheckpointError::None(path.to_owned()));
        }
        let damaged = |reason: String| CheckpointError::Damaged { path: path.to_owned(), reason };
        let (arrays, state) = files::read_sealed(path)?;
        let mut state: State = serde_json::from_str(&state).map_err(|e| damaged(e.to_string()))?;
        if let Some(difference) = state.fingerprint.difference(&Fingerprint::of(job)?) {
            return Err(CheckpointError::Other(difference));
        }
        if state.first.len() != job.tasks.len() || !state.sums.is_of(job.tasks.len()) {
            return Err(damaged("its numbers are of other tasks".to_owned()));
        }
        let find = |name: &str| match &arrays.iter().find(|array| array.name == name)?.numbers {
            Numbers::F32(values) => Some(values.to_vec()),
            Numbers::U32(_) | Numbers::I32(_) => None,
        };
        let parameters = |name: &str| {
            let values = find(name).ok_or_else(|| damaged(format!("it has no tensor {name:?}")))?;
            let mut parameters = Parameters::zeros(job.graph);
            if values.len() != parameters.values().len() {
                return Err(damaged(format!("its tensor {name:?} has {} values", values.len())));
            }
            parameters.values_mut().copy_from_slice(&values);
            Ok(parameters)
        };
        if let Some(best) = &mut state.best {
            best.parameters = parameters("best")?;
        }
        if job.config.average > 0.0 {
            state.averaged = Some(parameters("averaged")?);
        }
        let moments = (0..).map_while(|i| find(&format!("moment{i}"))).collect();
        let tensors = Tensors { parameters: parameters("model")?, moments };
        Ok(Checkpoint::new(state, tensors))
    }
}
