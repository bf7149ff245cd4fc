//! A finished training.

use crate::errors;
use crate::frame::Frame;
use crate::give::to_json;
use crate::model::{Model, scores_json};
use polytask::files::Lock;
use polytask::train::StopReason;
use pyo3::prelude::*;
use std::path::PathBuf;

/// A finished training: the model, how it came about, and what it scores.
#[pyclass(frozen, module = "polytask._polytask")]
pub struct Run {
    run: polytask::Run,
    /// The rows, where they were in memory.
    frame: Option<Py<Frame>>,
    model: Model,
}

impl Run {
    /// A run, with the rows in memory that it was trained on.
    pub fn new(run: polytask::Run, frame: Option<Py<Frame>>) -> Self {
        let model = Model::of(run.model().clone());
        Run { run, frame, model }
    }
}

#[pymethods]
impl Run {
    /// The trained model.
    fn model(&self) -> Model {
        self.model.clone()
    }

    /// The config that it was trained by, as TOML.
    fn to_toml(&self) -> PyResult<String> {
        self.run.config().to_toml().map_err(errors::of)
    }

    /// The metrics of every task on the measured rows, as JSON, and which rows they are.
    fn scores(&self) -> PyResult<(String, &'static str, usize)> {
        let (what, rows) = self.run.prepared().measured();
        Ok((scores_json(self.run.scores(), &self.run.model().tasks)?, what, rows.len()))
    }

    /// Every round, as JSON.
    fn history(&self) -> PyResult<String> {
        to_json(&self.run.fitted().history)
    }

    /// What gates weigh experts by, as JSON.
    fn gates(&self) -> PyResult<String> {
        to_json(&self.run.gates())
    }

    /// Why training ended, in a word, and in words where it diverged.
    fn stop_reason(&self) -> (&'static str, Option<String>) {
        match &self.run.fitted().stop_reason {
            StopReason::Complete => ("complete", None),
            StopReason::EarlyStopping => ("early_stopping", None),
            StopReason::Stopped => ("stopped", None),
            StopReason::TimeOver => ("time_over", None),
            StopReason::Diverged(by) => ("diverged", Some(by.to_string())),
        }
    }

    /// The round the model is of, the steps taken, and the seconds it took.
    fn spent(&self) -> (Option<u64>, u64, f64) {
        let fitted = self.run.fitted();
        (fitted.best_epoch, fitted.steps, fitted.seconds)
    }

    /// Things worth saying about the data.
    fn notes(&self) -> Vec<String> {
        self.run.prepared().notes.clone()
    }

    /// The rows of a part of the data: `train`, `valid`, `test`.
    fn rows(&self) -> (Vec<u32>, Vec<u32>, Vec<u32>) {
        let split = &self.run.prepared().split;
        (split.train.clone(), split.valid.clone(), split.test.clone())
    }

    /// Whether the rows were in memory.
    fn in_memory(&self) -> bool {
        self.frame.is_some()
    }

    /// Writes the measured rows as an Arrow file, where they were in memory.
    fn write_measured(&self, path: PathBuf) -> PyResult<()> {
        let Some(frame) = &self.frame else { return Ok(()) };
        let written = frame.get().write(self.run.prepared().measured().1, &path);
        written.map_err(|error| errors::raise(errors::Kind::Data, &error.to_string(), None))
    }

    /// Writes the model directory.
    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        py.detach(|| {
            polytask::model::Model::check_room(&folder)?;
            let _lock = Lock::take(&folder)?;
            Ok::<_, polytask::Error>(self.run.save(&folder)?)
        })
        .map_err(errors::of)
    }
}
