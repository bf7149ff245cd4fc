//! All that is needed to go on with a run bit for bit: one safetensors file with the state as its metadata.

use super::history::{Round, Sums};
use crate::files;
use polytask_cpu::{OptimizerState, Parameters};
use polytask_graph::Graph;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// A run in the middle.
pub struct Checkpoint {
    pub(super) state: State,
    pub(super) tensors: Tensors,
}

/// The scalars of a run. `order` and `best`'s parameters are not written with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub step: u64,
    pub epoch: u64,
    pub seconds: f64,
    pub rate: f64,
    pub stale: u64,
    pub first: Vec<Option<f64>>,
    pub sums: Sums,
    pub history: Vec<Round>,
    pub balancer: serde_json::Value,
    pub learners: Vec<Learner>,
    pub optimizer_step: u64,
    pub best: Option<Best>,
    #[serde(skip)]
    pub order: Vec<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Best {
    pub epoch: u64,
    pub criterion: Option<f64>,
    #[serde(skip)]
    pub parameters: Parameters,
}

/// An optimiser of one scalar.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Learner {
    step: u64,
    moments: Vec<Vec<f32>>,
}

pub(super) struct Tensors {
    pub parameters: Parameters,
    pub moments: Vec<Vec<f32>>,
}

impl State {
    pub(super) fn new(tasks: usize) -> Self {
        State {
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
            order: Vec::new(),
        }
    }
}

impl From<OptimizerState> for Learner {
    fn from(OptimizerState { step, moments }: OptimizerState) -> Self {
        Learner { step, moments }
    }
}

impl From<Learner> for OptimizerState {
    fn from(Learner { step, moments }: Learner) -> Self {
        OptimizerState { step, moments }
    }
}

/// Why a checkpoint cannot be used or stored.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It belongs to another model or config.
    #[error("the checkpoint belongs to another model; start without --resume, or with the config it was made with")]
    Other,
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

const STATE: &str = "state";

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

    /// Writes it to a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CheckpointError> {
        // Whole flat vectors: their layout is the graph's.
        let tensor = |name: String, values: &'_ [f32]| files::Tensor {
            name,
            dims: vec![values.len()],
            values: values.to_vec().into(),
        };
        let mut tensors = vec![tensor("model".to_owned(), self.tensors.parameters.values())];
        for (i, moment) in self.tensors.moments.iter().enumerate() {
            tensors.push(tensor(format!("moment{i}"), moment));
        }
        if let Some(best) = &self.state.best {
            tensors.push(tensor("best".to_owned(), best.parameters.values()));
        }
        let damaged =
            |reason: serde_json::Error| CheckpointError::Damaged { path: path.to_owned(), reason: reason.to_string() };
        let state = serde_json::to_string(&self.state).map_err(damaged)?;
        let metadata = HashMap::from([(STATE.to_owned(), state)]);
        Ok(files::write_tensors(path, &tensors, metadata)?)
    }

    /// Reads it for a graph.
    ///
    /// # Errors
    /// No such file, a damaged one, or one of another model.
    pub fn load(path: &Path, graph: &Graph) -> Result<Self, CheckpointError> {
        let damaged = |reason: String| CheckpointError::Damaged { path: path.to_owned(), reason };
        let (tensors, metadata) = files::read_tensors(path)?;
        let state = metadata.get(STATE).ok_or_else(|| damaged("it has no state".into()))?;
        let mut state: State = serde_json::from_str(state).map_err(|e| damaged(e.to_string()))?;
        let find = |name: &str| tensors.iter().find(|t| t.name == name).map(|t| t.values.to_vec());
        let parameters = |name: &str| {
            let values = find(name).ok_or_else(|| damaged(format!("it has no tensor {name:?}")))?;
            let mut parameters = Parameters::zeros(graph);
            if values.len() != parameters.values().len() {
                return Err(CheckpointError::Other);
            }
            parameters.values_mut().copy_from_slice(&values);
            Ok(parameters)
        };
        if let Some(best) = &mut state.best {
            best.parameters = parameters("best")?;
        }
        let moments = (0..).map_while(|i| find(&format!("moment{i}"))).collect();
        let tensors = Tensors { parameters: parameters("model")?, moments };
        Ok(Checkpoint::new(state, tensors))
    }
}
