//! Callbacks of Python.

use polytask::train::{Callback, Round};
use pyo3::prelude::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells a Python function of every round. What it raises ends the training and is raised from `fit`.
pub struct Told<'a> {
    /// Called with the round as JSON; `True` ends the training.
    function: Option<&'a Py<PyAny>>,
    /// Whether it wants the tasks' metrics on the validation rows.
    scores: bool,
    stop: &'a AtomicBool,
    /// What it raised.
    pub raised: Option<PyErr>,
}

impl<'a> Told<'a> {
    /// One that is told of rounds, where there is one, and ends when `stop` is set.
    pub fn new(function: Option<&'a Py<PyAny>>, scores: bool, stop: &'a AtomicBool) -> Self {
        Told { function, scores, stop, raised: None }
    }
}

impl Callback for Told<'_> {
    fn round(&mut self, round: &Round) {
        let Some(function) = self.function else { return };
        let text = serde_json::to_string(round).unwrap_or_default();
        let ends = Python::attach(|py| function.call1(py, (text,)).and_then(|answer| answer.is_truthy(py)));
        match ends {
            Ok(false) => {}
            Ok(true) => self.stop.store(true, Ordering::Relaxed),
            Err(error) => {
                self.raised.get_or_insert(error);
                self.stop.store(true, Ordering::Relaxed);
            }
        }
    }

    fn scores(&self) -> bool {
        self.scores
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl polytask::select::Onlooker for Told<'_> {
    fn models(&mut self, _count: usize, _what: &str) {}

    fn model_done(&self) {}
}
