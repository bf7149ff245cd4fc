//! A trained model.

use crate::errors::{self, Kind};
use crate::frame::Frame;
use crate::give::to_json;
use crate::prediction::to_python;
use crate::work::detached;
use polytask::Error;
use polytask::importance::{Options, importance};
use polytask::model::Scores;
use polytask::tasks::Task;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;

/// All that prediction needs.
#[pyclass(frozen, module = "polytask._polytask")]
#[derive(Clone)]
pub struct Model(Arc<polytask::model::Model>);

impl Model {
    /// A model of the library.
    pub fn of(model: polytask::model::Model) -> Self {
        Model(Arc::new(model))
    }

    /// The model of the library.
    pub fn get(&self) -> &polytask::model::Model {
        &self.0
    }
}

#[pymethods]
impl Model {
    /// Reads a model directory.
    #[staticmethod]
    fn load(py: Python<'_>, folder: PathBuf) -> PyResult<Self> {
        py.detach(|| polytask::model::Model::load(&folder)).map(Model::of).map_err(errors::of)
    }

    /// Writes what prediction needs to a folder.
    fn save(&self, py: Python<'_>, folder: PathBuf) -> PyResult<()> {
        py.detach(|| {
            polytask::model::Model::check_room(&folder)?;
            self.0.save(&folder)
        })
        .map_err(errors::of)
    }

    /// The name, the kind and the primary metric of every task.
    fn tasks(&self) -> Vec<(&str, &'static str, &'static str)> {
        self.0.tasks.iter().map(|task| (task.name.as_str(), task.kind_name(), task.outcome().primary().0)).collect()
    }

    /// The columns that are read.
    fn inputs(&self) -> Vec<&str> {
        self.0.encoder.inputs.iter().map(|input| input.column.as_str()).collect()
    }

    /// What family it is of.
    fn family(&self) -> &'static str {
        self.0.body.family()
    }

    /// Of an ensemble, what it is made of, in words; of a network its layers.
    fn text(&self) -> String {
        match &self.0.body {
            polytask::model::Body::Ensemble(ensemble) => {
                let names: Vec<&str> = self.0.tasks.iter().map(|task| task.name.as_str()).collect();
                ensemble.text(&names)
            }
            _ => self.0.network().map_or_else(|| self.0.body.family().to_owned(), |network| network.graph.text()),
        }
    }

    /// Predictions of every task, and what is to be said of the rows.
    fn predict<'py>(
        &self,
        py: Python<'py>,
        frame: &Frame,
        threads: Option<u16>,
    ) -> PyResult<(Bound<'py, PyDict>, Vec<String>)> {
        let predicted = detached(py, threads, None, || -> Result<_, Error> {
            let mut options = self.0.read_options();
            // Labels are not asked for here: what their columns hold does not matter.
            for task in &self.0.tasks {
                options.hints.remove(&task.column);
                if task.over.is_none() && self.0.encoder.inputs.iter().all(|input| input.column != task.column) {
                    options.omit.insert(task.column.clone());
                }
            }
            let table = frame.table(&options)?;
            Ok((self.0.predict(&table)?, self.0.notes(&table)?))
        })?;
        let (predictions, notes) = predicted.map_err(errors::of_rows)?;
        let all = PyDict::new(py);
        for (task, prediction) in self.0.tasks.iter().zip(&predictions) {
            all.set_item(&task.name, to_python(py, prediction)?)?;
        }
        Ok((all, notes))
    }

    /// The metrics of every task whose labels are there, as JSON, and what is to be said of the rows.
    fn evaluate(&self, py: Python<'_>, frame: &Frame, threads: Option<u16>) -> PyResult<(String, Vec<String>)> {
        let scored = detached(py, threads, None, || -> Result<_, Error> {
            let table = frame.table(&self.0.read_options())?;
            Ok((self.0.evaluate(&table)?, self.0.notes(&table)?))
        })?;
        let (scores, notes) = scored.map_err(errors::of_rows)?;
        Ok((scores_json(&scores, &self.0.tasks)?, notes))
    }

    /// How much worse each task gets when an input is permuted, as JSON.
    #[pyo3(signature = (frame, threads, repeats, rows, seed))]
    fn importance(
        &self,
        py: Python<'_>,
        frame: &Frame,
        threads: Option<u16>,
        repeats: u64,
        rows: usize,
        seed: u64,
    ) -> PyResult<String> {
        let options = Options { repeats, rows, seed };
        let answer = detached(py, threads, None, || -> Result<_, Error> {
            let table = frame.table(&self.0.read_options())?;
            let data = self.0.dataset(&table)?;
            let rows: Vec<u32> = (0..table.rows() as u32).collect();
            Ok(importance(&self.0, &data, &rows, options)?)
        })?;
        to_json(&answer.map_err(errors::of_rows)?)
    }
}

/// By task: the kind, the metric that stands for it, the rows, and the metrics of the model and of the best constant.
pub fn scores_json(scores: &Scores, tasks: &[Task]) -> PyResult<String> {
    let all: Vec<_> = scores
        .tasks
        .iter()
        .map(|(name, score)| {
            let task = tasks.iter().find(|task| task.name == *name);
            let metrics = score.metrics.scores.iter().map(|metric| {
                json!({ "name": metric.name, "value": metric.value, "better": metric.better,
                        "constant": score.baseline.value(metric.name) })
            });
            json!({ "task": name, "kind": task.map(Task::kind_name), "rows": score.metrics.n,
                    "primary": task.map(|task| task.outcome().primary().0), "metrics": metrics.collect::<Vec<_>>() })
        })
        .collect();
    serde_json::to_string(&all).map_err(|error| errors::raise(Kind::Data, &error.to_string(), None))
}
