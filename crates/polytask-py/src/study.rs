//! Questions asked of experiments: `compare`, `select`, `tune`.

use crate::callback::Told;
use crate::errors;
use crate::experiment::Experiment;
use crate::frame::Frame;
use crate::give::to_json;
use crate::work::detached;
use polytask::Error;
use polytask::compare as comparison;
use polytask::select::{self as selection, Rows, Signal};
use polytask::tune::{self as tuning, Audience, Method, Trial};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use serde::Serialize;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

/// Trains the joint model and one model a task; the answer as JSON.
#[pyfunction]
#[pyo3(signature = (experiment, frame, threads, seeds, shares, groups, favour))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub fn compare(
    py: Python<'_>,
    experiment: &Experiment,
    frame: Option<Py<Frame>>,
    threads: Option<u16>,
    seeds: u64,
    shares: Vec<f64>,
    groups: Vec<Vec<usize>>,
    favour: bool,
) -> PyResult<String> {
    let rows = frame.as_ref().map(Py::get);
    experiment.check(rows)?;
    let options = comparison::Options { seeds, shares, groups, favour };
    let stop = AtomicBool::new(false);
    let answer = detached(py, threads, Some(&stop), || -> Result<_, Error> {
        let prepared = experiment.prepare(rows)?;
        Ok(comparison::compare(&experiment.config, &prepared, &options, &stop, &|| {})?)
    })?;
    json(&answer.map_err(errors::of)?)
}

/// Finds which tasks should learn together; the answer as JSON.
#[pyfunction]
#[pyo3(signature = (experiment, frame, threads, out, signal, other_rows, max_groups, max_parameters, max_multiply_adds, overlap, overhead, verify, seeds, resume))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub fn select(
    py: Python<'_>,
    experiment: &Experiment,
    frame: Option<Py<Frame>>,
    threads: Option<u16>,
    out: PathBuf,
    signal: &str,
    other_rows: bool,
    max_groups: Option<usize>,
    max_parameters: Option<usize>,
    max_multiply_adds: Option<usize>,
    overlap: bool,
    overhead: f64,
    verify: bool,
    seeds: u64,
    resume: bool,
) -> PyResult<String> {
    let rows = frame.as_ref().map(Py::get);
    experiment.check(rows)?;
    let options = selection::Options {
        out,
        signal: word(
            "signal",
            signal,
            &[
                ("affinity", Signal::Affinity),
                ("cosine", Signal::Cosine),
                ("linear", Signal::Linear),
                ("pairs", Signal::Pairs),
                ("exhaustive", Signal::Exhaustive),
            ],
        )?,
        rows: if other_rows { Rows::Other } else { Rows::Same },
        groups: max_groups,
        parameters: max_parameters,
        multiply_adds: max_multiply_adds,
        overlap,
        overhead,
        verify,
        seeds,
        resume,
    };
    let stop = AtomicBool::new(false);
    let mut told = Told::new(None, false, &stop);
    let answer = detached(py, threads, Some(&stop), || -> Result<_, Error> {
        let prepared = experiment.prepare(rows)?;
        Ok(selection::select(&experiment.config, &prepared, &options, &mut told, &stop)?
            .map(|selected| selected.file()))
    })?;
    json(&answer.map_err(errors::of)?)
}

/// Tries settings within the ranges of `[tune]`; the answer as JSON.
#[pyfunction]
#[pyo3(signature = (experiment, frame, threads, out, trials, sampler, seed, round, resume))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments of Python")]
pub fn tune(
    py: Python<'_>,
    experiment: &Experiment,
    frame: Option<Py<Frame>>,
    threads: Option<u16>,
    out: PathBuf,
    trials: usize,
    sampler: &str,
    seed: u64,
    round: usize,
    resume: bool,
) -> PyResult<(String, Vec<String>)> {
    let rows = frame.as_ref().map(Py::get);
    experiment.check(rows)?;
    let samplers = [("random", Method::Random), ("tpe", Method::Tpe), ("halving", Method::Halving)];
    let method = word("sampler", sampler, &samplers)?;
    let stop = AtomicBool::new(false);
    let notes = Notes::default();
    let answer = detached(py, threads, Some(&stop), || -> Result<_, Error> {
        let table = rows.map(|rows| experiment.table(rows)).transpose()?;
        let options = tuning::Options { method, trials, seed, round, out, resume, table };
        let tuned = tuning::tune(experiment.written.template(&experiment.overrides)?, &options, &notes, &stop)?;
        if let Some((error, _)) = tuned.as_ref().and_then(|tuned| tuned.unwritten.as_ref()) {
            notes.note(error);
        }
        Ok(tuned)
    })?;
    let answer = json(&answer.map_err(errors::of)?)?;
    Ok((answer, notes.0.into_inner().unwrap_or_default()))
}

/// What a search has to say.
#[derive(Default)]
struct Notes(Mutex<Vec<String>>);

impl Audience for Notes {
    fn note(&self, text: &str) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(text.to_owned());
    }

    fn begin(&self) {}

    fn round(&self, _trials: usize) {}

    fn done(&self, trial: &Trial, _best: &Trial) {
        if let Some(error) = &trial.error {
            self.note(&format!("trial {} cannot be trained: {error}", trial.trial));
        }
    }
}

/// One of several words.
pub fn word<T: Copy>(argument: &str, given: &str, known: &[(&str, T)]) -> PyResult<T> {
    if let Some((_, value)) = known.iter().find(|(word, _)| *word == given) {
        return Ok(*value);
    }
    let words: Vec<String> = known.iter().map(|(word, _)| format!("{word:?}")).collect();
    let hint = format!("it is one of {}", words.join(", "));
    Err(errors::raise(errors::Kind::Config, &format!("{argument} is {given:?}, which is not known"), Some(hint)))
}

/// The answer, or Ctrl-C where there is none.
fn json(answer: &Option<impl Serialize>) -> PyResult<String> {
    match answer {
        None => Err(PyKeyboardInterrupt::new_err(())),
        Some(answer) => to_json(answer),
    }
}
