//! Balancing methods on their own.

use crate::errors::{self, Kind};
use crate::give::to_json;
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArray2};
use polytask::balance::{
    BalanceError, Gramian, LossFamily, METHODS, Needs, Step, TaskInfo, build, direction, method, note,
};
use pyo3::prelude::*;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Every method with its keys, as JSON.
#[pyfunction]
pub fn methods() -> PyResult<String> {
    let all: Vec<serde_json::Value> = METHODS
        .iter()
        .map(|info| {
            let mut said = serde_json::json!(info);
            said["keys"] = serde_json::json!(info.all_keys().collect::<Vec<_>>());
            said
        })
        .collect();
    to_json(&all)
}

/// A balancing method with its state.
#[pyclass(frozen, module = "polytask._polytask")]
pub struct Balancer {
    inner: Mutex<Box<dyn polytask::balance::Balancer>>,
    tasks: Vec<String>,
}

type Answer<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>);

#[pymethods]
impl Balancer {
    /// The method called `name` for these tasks, with its keys as JSON.
    #[new]
    fn new(name: &str, keys: &str, tasks: Vec<String>, classes: Vec<bool>, seed: u64) -> PyResult<Self> {
        let keys = serde_json::from_str(keys).map_err(errors::of_json)?;
        let family = |class: bool| if class { LossFamily::Classification } else { LossFamily::Regression };
        let infos: Vec<TaskInfo> =
            tasks.iter().zip(classes).map(|(task, class)| TaskInfo::new(task, family(class))).collect();
        let inner = Mutex::new(build(name, &keys, &infos, seed).map_err(refused)?);
        Ok(Balancer { inner, tasks })
    }

    /// What is to be said of the method with so many tasks.
    fn note(&self) -> PyResult<Option<String>> {
        Ok(note(method(self.lock().name()).map_err(refused)?, self.tasks.len()))
    }

    /// Direction, weights of shared parameters and weights of heads, from a row of gradients a task.
    #[pyo3(signature = (jacobian, losses, index, epoch))]
    fn direction<'py>(
        &self,
        py: Python<'py>,
        jacobian: PyReadonlyArray2<'py, f64>,
        losses: Option<PyReadonlyArray1<'py, f64>>,
        index: u64,
        epoch: u64,
    ) -> PyResult<(Bound<'py, PyArray1<f64>>, Answer<'py>)> {
        let rows: Vec<Vec<f64>> = jacobian.as_array().rows().into_iter().map(|row| row.to_vec()).collect();
        let losses = losses.map(|losses| losses.as_array().to_vec()).unwrap_or_default();
        let answer = py
            .detach(|| {
                let tasks: Vec<usize> = (0..rows.len()).collect();
                let step = Step { index, epoch, tasks: &tasks, losses: &losses };
                direction(self.lock().as_mut(), &step, &rows)
            })
            .map_err(refused)?;
        let array = |values| PyArray1::from_vec(py, values);
        Ok((array(answer.direction), (array(answer.weights.shared), array(answer.weights.heads))))
    }

    /// Weights of shared parameters and of heads, from losses, and from inner products of gradients where there are some.
    #[pyo3(signature = (losses, gramian, index, epoch))]
    fn weights<'py>(
        &self,
        py: Python<'py>,
        losses: Option<PyReadonlyArray1<'py, f64>>,
        gramian: Option<PyReadonlyArray2<'py, f64>>,
        index: u64,
        epoch: u64,
    ) -> PyResult<Answer<'py>> {
        let losses = losses.map(|losses| losses.as_array().to_vec()).unwrap_or_default();
        let gramian = gramian.map(|gramian| {
            let values = gramian.as_array();
            Gramian::new(values.nrows(), values.iter().copied().collect()).map_err(refused)
        });
        let gramian = gramian.transpose()?;
        let tasks: Vec<usize> = (0..self.tasks.len()).collect();
        let step = Step { index, epoch, tasks: &tasks, losses: &losses };
        let mut inner = self.lock();
        let weights = inner.weights(&step, gramian.as_ref()).map_err(refused)?;
        if losses.len() == tasks.len() {
            inner.observe(&step).map_err(refused)?;
        }
        Ok((PyArray1::from_vec(py, weights.shared), PyArray1::from_vec(py, weights.heads)))
    }

    /// What the method must see: `state`, `losses`, `gramian`, `jacobian` or `model`.
    fn needs(&self) -> &'static str {
        match self.lock().needs() {
            Needs::State => "state",
            Needs::Losses => "losses",
            Needs::Gramian => "gramian",
            Needs::Jacobian => "jacobian",
            Needs::Model => "model",
        }
    }

    /// Shows the losses of the same batch after the optimiser's step.
    fn observe_after(&self, losses: PyReadonlyArray1<'_, f64>, index: u64, epoch: u64) -> PyResult<()> {
        let losses = losses.as_array().to_vec();
        let tasks: Vec<usize> = (0..self.tasks.len()).collect();
        let step = Step { index, epoch, tasks: &tasks, losses: &losses };
        let mut inner = self.lock();
        if inner.wants_losses_after() { inner.observe_after(&step).map_err(refused) } else { Ok(()) }
    }

    /// Shows how well a task does on validation rows.
    fn observe_score(&self, task: usize, score: f64) -> PyResult<()> {
        self.lock().observe_kpi(task, score).map_err(refused)
    }

    /// Ends a pass over the data.
    fn end_epoch(&self) {
        self.lock().end_epoch();
    }

    /// Forgets everything.
    fn reset(&self) {
        self.lock().reset();
    }

    /// All of the state that changes, as JSON.
    fn state(&self) -> PyResult<String> {
        to_json(&self.lock().state())
    }

    /// Takes back a state.
    fn restore(&self, state: &str) -> PyResult<()> {
        let state = serde_json::from_str(state).map_err(errors::of_json)?;
        self.lock().restore(&state).map_err(refused)
    }
}

impl Balancer {
    fn lock(&self) -> MutexGuard<'_, Box<dyn polytask::balance::Balancer>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(error: BalanceError) -> PyErr {
    let hint = error.hint();
    let kind = match error {
        BalanceError::UnknownMethod { .. }
        | BalanceError::UnknownKey { .. }
        | BalanceError::BadValue { .. }
        | BalanceError::OutOfRange { .. }
        | BalanceError::MissingKey { .. }
        | BalanceError::UnknownTask { .. }
        | BalanceError::TooFewTasks { .. } => Kind::Config,
        _ => Kind::Data,
    };
    errors::raise(kind, &error.to_string(), hint)
}
