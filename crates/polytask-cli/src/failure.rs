//! Why the program fails.

use crate::command::{AggregateError, GroupsError};
use crate::track::MlflowError;
use polytask::model::ModelError;
use polytask_balance::BalanceError;
use polytask_data::DataError;
use polytask_export::ExportError;
use polytask_report::ReportError;
use std::io;

/// Anything that ends the program with a message.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The library could not do it.
    #[error(transparent)]
    Library(#[from] polytask::Error),
    /// There is no such balancing method, or its keys are wrong.
    #[error(transparent)]
    Method(#[from] BalanceError),
    /// `polytask aggregate` cannot weigh what it was given.
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
    /// The groups of `polytask compare --groups` cannot be used.
    #[error(transparent)]
    Groups(#[from] GroupsError),
    /// What belongs to one report, asked of several models.
    #[error("--data, --compare, --selection and --no-importance belong to the report on one model")]
    ReportOfSeveral,
    /// The page of a report cannot be made.
    #[error(transparent)]
    Report(ReportError),
    /// What `polytask train --mlflow` was given is no address.
    #[error(transparent)]
    Mlflow(#[from] MlflowError),
    /// The model cannot be taken elsewhere.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// A text for a model that reads none.
    #[error("the model reads no text")]
    NoText,
    /// Predictions of pixels for a table of plain values.
    #[error("task `{0}` labels pixels, which have no place in a table")]
    NoMasks(String),
    /// Standard output could not be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    pub fn hint(&self) -> Option<String> {
        match self {
            Failure::Library(error) => error.hint(),
            Failure::Method(BalanceError::UnknownMethod { nearest, .. }) if nearest.is_empty() => {
                Some("`polytask balancers` lists them".to_owned())
            }
            Failure::Method(error) => error.hint(),
            Failure::Aggregate(error) => error.hint(),
            Failure::Groups(_) => Some(
                "the file holds {\"groups\": [[\"a\", \"b\"], [\"c\"]]}, as `polytask select` writes it".to_owned(),
            ),
            Failure::Export(error) => error.hint(),
            Failure::NoText => Some("give a file with its inputs by --data".to_owned()),
            Failure::ReportOfSeveral => Some("`polytask report A B` compares what the directories hold".to_owned()),
            Failure::Mlflow(_) => Some("for example http://127.0.0.1:5000, as `mlflow server` prints it".to_owned()),
            Failure::NoMasks(_) => {
                Some("write them as images by --masks FOLDER, or as lists by --format jsonl".to_owned())
            }
            Failure::Report(_) | Failure::Output(_) => None,
        }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Library(error) => error.exit_code(),
            Failure::Method(_) => 2,
            Failure::Aggregate(error) => error.exit_code(),
            Failure::Groups(_)
            | Failure::ReportOfSeveral
            | Failure::Mlflow(_)
            | Failure::NoText
            | Failure::NoMasks(_) => 2,
            Failure::Report(_) | Failure::Export(_) | Failure::Output(_) => 1,
        }
    }

    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Library(error) => Failure::Library(error),
            other => Failure::Report(other),
        }
    }
}

/// Errors of the library's parts are errors of the library.
macro_rules! from_part {
    ($($part:ty),*) => {
        $(impl From<$part> for Failure {
            fn from(error: $part) -> Self {
                Failure::Library(error.into())
            }
        })*
    };
}

from_part!(
    polytask::config::ConfigError,
    polytask::files::FileError,
    polytask::train::TrainError,
    ModelError,
    DataError
);
