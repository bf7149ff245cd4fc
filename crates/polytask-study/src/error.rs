//! What can go wrong in this crate, in one type: the message, what would be right, and whose fault it is.

use crate::select::SelectError;
use crate::tune::TuneError;
use polytask_data::DataError;
use polytask_exec::{PortError, Unsupported};
use polytask_graph::GraphError;
use polytask_model::config::ConfigError;
use polytask_model::files::FileError;
use polytask_model::inputs::EncodeError;
use polytask_model::model::ModelError;
use polytask_model::tasks::TaskError;
use polytask_train::train::TrainError;

/// Anything that keeps a question from being answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model that had to be trained could not be.
    #[error(transparent)]
    Train(#[from] polytask_train::Error),
    /// Tasks cannot be selected.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A search for settings cannot go on.
    #[error(transparent)]
    Tune(#[from] TuneError),
    /// A table without a column that could be predicted.
    #[error("{data}: there is nothing to predict: {found}")]
    NoTarget {
        /// What was read.
        data: String,
        /// Its columns, in words.
        found: String,
    },
    /// A comparison without rows to measure on.
    #[error("there are no test rows to compare on")]
    NoTest,
}

impl Error {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Train(error) => error.hint(),
            Error::Select(error) => error.hint(),
            Error::Tune(error) => error.hint(),
            Error::NoTarget { .. } => Some(
                "labels are a column beside the inputs: numbers, classes, or lists as long as the tokens; name it with --tasks"
                    .to_owned(),
            ),
            Error::NoTest => Some("give a share in data.split.test, or a column or file of test rows".to_owned()),
        }
    }

    /// Whether the call or the config is wrong, not the data or the machine.
    pub fn is_usage(&self) -> bool {
        match self {
            Error::Train(error) => error.is_usage(),
            Error::Select(error) => error.is_usage(),
            Error::Tune(error) => error.is_of_call(),
            Error::NoTest => true,
            Error::NoTarget { .. } => false,
        }
    }
}

macro_rules! of_training {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Error::Train(error.into())
            }
        })*
    };
}

of_training!(
    polytask_model::Error,
    ConfigError,
    DataError,
    TaskError,
    EncodeError,
    GraphError,
    PortError,
    ModelError,
    FileError,
    TrainError,
    Unsupported
);
