//! What each input adds to each prediction.

use crate::errors::{self, Kind};
use crate::frame::Frame;
use crate::work::detached;
use numpy::{PyArray1, PyArrayMethods};
use polytask::Error;
use polytask::explain::{Explainer, Unexplained, background, outputs};
use polytask::model::Model;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::path::PathBuf;

/// Rows that are explained at a time.
const ROWS: usize = 256;

/// By task, what each input adds.
struct Explained {
    inputs: Vec<String>,
    rows: usize,
    tasks: Vec<Own>,
}

/// One task.
struct Own {
    name: String,
    /// The classes or labels, where the outputs stand for such.
    outputs: Vec<Option<String>>,
    base: Vec<f64>,
    /// `rows x inputs x outputs`
    values: Vec<f64>,
}

/// The inputs, and by task the classes, the base and `rows x inputs x outputs` of what each input adds, for the model of a
/// directory.
#[pyfunction]
#[allow(clippy::type_complexity, reason = "what Python takes apart")]
pub fn explain<'py>(
    py: Python<'py>,
    folder: PathBuf,
    frame: &Frame,
    threads: Option<u16>,
) -> PyResult<(Vec<String>, Bound<'py, PyDict>)> {
    let unexplained = |error: Unexplained| errors::raise(Kind::Data, &error.to_string(), error.hint());
    let done = detached(py, threads, None, || -> Result<_, Error> {
        let model = Model::load(&folder)?;
        let background = match background(&folder, &model) {
            Ok(background) => background,
            Err(error) => return Ok(Err(error)),
        };
        let explainer = match Explainer::new(&model, background.as_ref()) {
            Ok(explainer) => explainer,
            Err(error) => return Ok(Err(error)),
        };
        let data = model.read(&frame.table(&model.read_options())?)?;
        let all: Vec<u32> = (0..data.rows() as u32).collect();
        let own = |task: &polytask::tasks::Task| Own {
            name: task.name.clone(),
            outputs: outputs(task).into_iter().map(|name| name.map(str::to_owned)).collect(),
            base: Vec::new(),
            values: Vec::new(),
        };
        let mut tasks: Vec<Own> = model.tasks.iter().map(own).collect();
        for rows in all.chunks(ROWS) {
            for (own, part) in tasks.iter_mut().zip(explainer.explain(&data, rows)?) {
                own.base = part.base;
                own.values.extend(part.values);
            }
        }
        Ok(Ok(Explained { inputs: explainer.inputs().to_vec(), rows: all.len(), tasks }))
    })?;
    let Explained { inputs, rows, tasks } = done.map_err(errors::of_rows)?.map_err(unexplained)?;
    let all = PyDict::new(py);
    for Own { name, outputs, base, values } in tasks {
        let dims = [rows, inputs.len(), base.len()];
        let said = PyDict::new(py);
        said.set_item("outputs", outputs)?;
        said.set_item("base", PyArray1::from_vec(py, base))?;
        said.set_item("values", PyArray1::from_vec(py, values).reshape(dims)?)?;
        all.set_item(name, said)?;
    }
    Ok((inputs, all))
}
