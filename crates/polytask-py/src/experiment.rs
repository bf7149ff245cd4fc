//! What is to be learnt, from which rows, and how.

use crate::callback::Told;
use crate::config::{Written, check_in_memory};
use crate::errors;
use crate::frame::Frame;
use crate::run::Run;
use crate::work::detached;
use polytask::config::Config;
use polytask::data::Table;
use polytask::{Error, Prepared, Source, prepare, read_options};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// A config, as it was written and as it is understood.
#[pyclass(frozen, module = "polytask._polytask")]
pub struct Experiment {
    pub(crate) written: Written,
    pub(crate) overrides: Vec<String>,
    pub(crate) config: Config,
}

#[pymethods]
impl Experiment {
    /// A config from a TOML file, a text, or JSON of keys and values, with `KEY=VALUE` over it.
    #[new]
    #[pyo3(signature = (file=None, text=None, json=None, overrides=Vec::new()))]
    fn new(file: Option<PathBuf>, text: Option<String>, json: Option<&str>, overrides: Vec<String>) -> PyResult<Self> {
        let written = Written::of(file, text, json)?;
        let config = written.template(&overrides).and_then(|template| template.config()).map_err(errors::of)?;
        Ok(Experiment { written, overrides, config })
    }

    /// The config as TOML with the defaults filled in.
    fn to_toml(&self) -> PyResult<String> {
        self.config.to_toml().map_err(errors::of)
    }

    /// The names of the tasks.
    fn tasks(&self) -> Vec<&str> {
        self.config.tasks.keys().map(String::as_str).collect()
    }

    /// Trains on rows in memory, or on those that the config names.
    #[pyo3(signature = (frame, threads, callback, scores))]
    fn fit(
        &self,
        py: Python<'_>,
        frame: Option<Py<Frame>>,
        threads: Option<u16>,
        callback: Option<Py<PyAny>>,
        scores: bool,
    ) -> PyResult<Run> {
        let rows = frame.as_ref().map(Py::get);
        self.check(rows)?;
        let stop = AtomicBool::new(false);
        let mut told = Told::new(callback.as_ref(), scores, &stop);
        let run = detached(py, threads, Some(&stop), || -> Result<_, Error> {
            let experiment = polytask::Experiment::new(self.config.clone());
            let prepared = self.prepare(rows)?;
            let plan = experiment.plan(&prepared, &mut told)?.ok_or(polytask::FitError::Stopped)?;
            Ok(polytask::Experiment::train(prepared, plan, None, &mut told)?)
        })?;
        let raised = told.raised.take();
        match (run, raised) {
            (_, Some(error)) => Err(error),
            // Ctrl-C before there was anything to keep.
            (Err(_), None) if stop.load(Ordering::Relaxed) => Err(PyKeyboardInterrupt::new_err(())),
            (run, None) => Ok(Run::new(run.map_err(errors::of)?, frame)),
        }
    }
}

impl Experiment {
    /// Refuses rows in memory where the config reads files.
    pub fn check(&self, rows: Option<&Frame>) -> PyResult<()> {
        rows.map_or(Ok(()), |_| check_in_memory(&self.config))
    }

    /// Rows in memory as the config reads them.
    pub fn table(&self, rows: &Frame) -> Result<Table, Error> {
        let mut table = rows.table(&read_options(&self.config)?)?;
        for (from, to) in &self.config.data.rename {
            table.rename(from, to)?;
        }
        Ok(table)
    }

    /// Rows in memory, or those that the config names, ready to train on.
    pub fn prepare(&self, rows: Option<&Frame>) -> Result<Prepared, Error> {
        Ok(match rows {
            Some(rows) => Source::of_table(&self.config, self.table(rows)?)?.prepare(&self.config)?,
            None => prepare(&self.config)?,
        })
    }
}
