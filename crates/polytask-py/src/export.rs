//! Models elsewhere.

use crate::errors::{self, Kind};
use crate::model::Model;
use crate::study::word;
use polytask_export::Format;
use pyo3::prelude::*;
use std::path::PathBuf;

/// Takes a model elsewhere; the names of the files that were written.
#[pyfunction]
pub fn export(py: Python<'_>, model: &Model, format: &str, folder: PathBuf) -> PyResult<Vec<String>> {
    let formats = [
        ("onnx", Format::Onnx),
        ("safetensors", Format::Safetensors),
        ("pytorch", Format::Pytorch),
        ("keras", Format::Keras),
    ];
    let format = word("format", format, &formats)?;
    py.detach(|| polytask_export::export(model.get(), format, &folder)).map_err(|error| {
        let hint = error.hint().map(|hint| hint.replace("`--format safetensors`", "format=\"safetensors\""));
        let hint = hint.map(|hint| hint.replace("`--format onnx`", "format=\"onnx\""));
        errors::raise(Kind::Config, &error.to_string(), hint)
    })
}
