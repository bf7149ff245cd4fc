//! Whether inputs look like those that a model learnt from.

use crate::errors::{self, Kind};
use crate::frame::Frame;
use crate::work::detached;
use polytask::drift::{Limits, Summary};
use polytask::model::Model;
use polytask::{BuildError, Error};
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::path::PathBuf;

/// How the inputs of a table differ from those of the training rows of a model directory, as JSON.
#[pyfunction]
pub fn check(
    py: Python<'_>,
    folder: PathBuf,
    frame: &Frame,
    threads: Option<u16>,
    limits: (f64, f64, f64, f64),
) -> PyResult<String> {
    let (psi, missing, outside, unseen) = limits;
    let limits = Limits { index: psi, missing, outside, unseen };
    let answer = detached(py, threads, None, || -> Result<Option<Value>, Error> {
        let model = Model::load(&folder)?;
        let Some(summary) = Summary::load(&folder).map_err(BuildError::from)? else { return Ok(None) };
        let table = frame.table(&model.read_options())?;
        // What cannot be read as the model reads it has done more than drift.
        model.read(&table)?;
        let drift = summary.drift(&table);
        let inputs: Vec<Value> = drift
            .iter()
            .map(|own| {
                json!({ "column": own.column, "psi": own.index, "missing": own.missing, "outside": own.outside,
                        "unseen": own.unseen, "beyond": own.beyond(&limits) })
            })
            .collect();
        Ok(Some(json!({ "rows": table.rows(), "training_rows": summary.rows, "inputs": inputs })))
    })?;
    match answer.map_err(errors::of_rows)? {
        Some(answer) => Ok(answer.to_string()),
        None => {
            let words = format!("{} holds no summary of the training rows", folder.display());
            let hint = "train the model again: `polytask train` keeps a summary with it".to_owned();
            Err(errors::raise(Kind::Data, &words, Some(hint)))
        }
    }
}
