//! What goes to Python: lists, and JSON that its side reads.

use crate::errors;
use pyo3::prelude::*;
use pyo3::types::PyList;
use serde::Serialize;

/// Anything as JSON.
pub fn to_json(value: &impl Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(errors::of_json)
}

/// A list of anything.
pub fn list<'py, T>(py: Python<'py>, items: impl IntoIterator<Item = T>) -> PyResult<Bound<'py, PyList>>
where
    T: IntoPyObject<'py>,
{
    let list = PyList::empty(py);
    for item in items {
        list.append(item)?;
    }
    Ok(list)
}
