//! What became of a model, as HTML.

use crate::errors::{self, Kind};
use crate::give::to_json;
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
    page.map_err(raised)
}

/// The model card of a directory, in Markdown and as JSON.
#[pyfunction]
pub fn card(
    py: Python<'_>,
    folder: PathBuf,
    data: Option<PathBuf>,
    threads: Option<u16>,
) -> PyResult<(String, String)> {
    let options = Options { data, ..Options::default() };
    let card = detached(py, threads, None, || polytask_report::card(&folder, &options))?.map_err(raised)?;
    Ok((card.markdown(), to_json(&card)?))
}

fn raised(error: ReportError) -> PyErr {
    match error {
        ReportError::Library(error) => errors::of(error),
        other => errors::raise(Kind::Data, &other.to_string(), None),
    }
}
