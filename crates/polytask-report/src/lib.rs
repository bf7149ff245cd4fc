//! What became of a model, as one HTML file: no network, no script, light and dark, on paper and on a phone.
//!
//! A report is built from [`block`] by block, a section a file in `page/`, each kind of task in `task/`; charts are inline SVG
//! with a title, a description and a table of what they show.

#![forbid(unsafe_code)]

pub mod block;
mod card;
mod chart;
mod context;
pub mod number;
mod page;
mod rows;
mod run;
mod sheet;
mod slices;
mod task;

pub use card::{Card, Score, Sharing, TaskCard, card};
pub use page::{LIMIT, render};
pub use run::{COMPARISON, Run, SELECTION};
pub use slices::Slice;

use std::path::PathBuf;

/// Why a report cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A model or a file that cannot be used.
    #[error(transparent)]
    Library(#[from] polytask::Error),
    /// A file that should hold JSON.
    #[error("{path} holds no JSON: {reason}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        reason: String,
    },
    /// The page cannot be put together; a mistake of ours.
    #[error("the page cannot be put together: {0}")]
    Page(#[from] minijinja::Error),
}

macro_rules! of_the_library {
    ($($error:ty),*) => {
        $(impl From<$error> for ReportError {
            fn from(error: $error) -> Self {
                ReportError::Library(error.into())
            }
        })*
    };
}

of_the_library!(
    polytask::BuildError,
    polytask::FitError,
    polytask::StudyError,
    polytask::files::FileError,
    polytask::model::ModelError
);

/// What a report is made from besides the directory.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// A file of rows to measure instead of the test rows of the config.
    pub data: Option<PathBuf>,
    /// What `polytask compare` wrote, where it is not in the directory.
    pub comparison: Option<PathBuf>,
    /// What `polytask select` wrote, where it is not in the directory.
    pub selection: Option<PathBuf>,
    /// Whether to leave out what the inputs are worth, which takes a few hundred passes over the rows.
    pub no_importance: bool,
}

/// The report on one model directory, as HTML.
///
/// # Errors
/// No model there; a file that was asked for and cannot be used.
pub fn report(folder: &std::path::Path, options: &Options) -> Result<String, ReportError> {
    let run = Run::read(folder, options.comparison.as_deref(), options.selection.as_deref())?;
    page::of_one(&run, options)
}

/// The report on several model directories side by side, as HTML.
///
/// # Errors
/// No model in one of them.
pub fn report_several(folders: &[PathBuf]) -> Result<String, ReportError> {
    let runs = folders.iter().map(|folder| Run::read(folder, None, None)).collect::<Result<Vec<_>, _>>()?;
    page::of_several(&runs)
}
