//! Predictions as Python has them: NumPy arrays where each row has a number, lists otherwise.

use crate::give::list;
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use polytask::data::text::Frame;
use polytask::tasks::Prediction;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// A dictionary of the kind of prediction and what it holds.
pub fn to_python<'py>(py: Python<'py>, prediction: &Prediction) -> PyResult<Bound<'py, PyDict>> {
    let said = PyDict::new(py);
    let kind = match prediction {
        Prediction::Numbers(values) => {
            said.set_item("values", PyArray1::from_slice(py, values))?;
            "numbers"
        }
        Prediction::Classes { labels, probabilities, .. } => {
            said.set_item("labels", labels)?;
            said.set_item("probabilities", wide(py, probabilities, labels.len())?)?;
            said.set_item("codes", PyArray1::from_vec(py, prediction.classes()))?;
            "classes"
        }
        Prediction::Labels { labels, probabilities, .. } => {
            said.set_item("labels", labels)?;
            said.set_item("probabilities", wide(py, probabilities, labels.len())?)?;
            "labels"
        }
        Prediction::Survival { times, alive } => {
            said.set_item("values", PyArray1::from_vec(py, prediction.expected_times()))?;
            said.set_item("times", PyArray1::from_slice(py, times))?;
            said.set_item("probabilities", wide(py, alive, times.len())?)?;
            "survival"
        }
        Prediction::Spans(rows) => {
            let row = |spans: &Vec<polytask::data::text::Span>| {
                spans.iter().map(|span| (span.label.clone(), span.first, span.last)).collect::<Vec<_>>()
            };
            said.set_item("values", list(py, rows.iter().map(row))?)?;
            "spans"
        }
        Prediction::Tokens { labels, classes } => {
            let row = |row: &Vec<u32>| row.iter().map(|class| labels[*class as usize].clone()).collect::<Vec<_>>();
            said.set_item("values", list(py, classes.iter().map(row))?)?;
            "tokens"
        }
        Prediction::Frames(rows) => {
            let rows = rows.iter().map(|frames| frames.iter().map(|frame| of_frame(py, frame)).collect());
            said.set_item("values", list(py, rows.collect::<PyResult<Vec<Vec<_>>>>()?)?)?;
            "frames"
        }
        Prediction::Arcs { labels, heads, relations } => {
            let arc = |(token, (head, relation)): (usize, (&u32, &u32))| {
                let head = if *head as usize == token { 0 } else { head + 1 };
                (head, labels[*relation as usize].clone())
            };
            let row = |(heads, relations): (&Vec<u32>, &Vec<u32>)| {
                heads.iter().zip(relations).enumerate().map(arc).collect::<Vec<_>>()
            };
            said.set_item("values", list(py, heads.iter().zip(relations).map(row))?)?;
            "arcs"
        }
        Prediction::PixelClasses { labels, size, classes } => {
            said.set_item("labels", labels)?;
            let shape = [prediction.len(), size[0], size[1]];
            said.set_item("values", PyArray1::from_slice(py, classes).reshape(shape)?)?;
            "pixel_classes"
        }
        Prediction::PixelNumbers { size, values } => {
            let shape = [prediction.len(), size[0], size[1]];
            said.set_item("values", PyArray1::from_slice(py, values).reshape(shape)?)?;
            "pixel_numbers"
        }
    };
    said.set_item("kind", kind)?;
    Ok(said)
}

/// `rows x width`.
fn wide<'py>(py: Python<'py>, values: &[f64], width: usize) -> PyResult<Bound<'py, PyArray2<f64>>> {
    PyArray1::from_slice(py, values).reshape([values.len() / width.max(1), width])
}

fn of_frame<'py>(py: Python<'py>, frame: &Frame) -> PyResult<Bound<'py, PyDict>> {
    let said = PyDict::new(py);
    said.set_item("predicate", frame.predicate)?;
    said.set_item("sense", frame.roleset.clone())?;
    let arguments = frame.arguments.iter().map(|argument| (argument.role.clone(), argument.first, argument.last));
    said.set_item("arguments", list(py, arguments)?)?;
    Ok(said)
}
