//! What became of a model, as HTML.

use crate::errors::{self, Kind};
use crate::work::detached;
use polytask_report::{Options, ReportError};
use pyo3::prelude::*;
use std::path::PathBuf;

/// The page of a model directory; `data` is a file of rows to measure instead of those of its config.
#[pyfunction]
pub fn report(
    py: Python<'_>,
    folder: PathBuf,
    data: Option<PathBuf>,
    importance: bool,
    threads: Option<u16>,
) -> PyResult<String> {
    let options = Options { data, no_importance: !importance, ..Options::default() };
    let page = detached(py, threads, None, || polytask_report::report(&folder, &options))?;
    page.map_err(|error| match error {
        ReportError::Library(error) => errors::of(error),
        other => errors::raise(Kind::Data, &other.to_string(), None),
    })
}
