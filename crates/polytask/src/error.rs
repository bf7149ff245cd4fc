//! What can go wrong, in one type for all crates: the message, what would be right, and the exit status.

use polytask_data::DataError;
use polytask_graph::GraphError;
use polytask_model::config::ConfigError;
use polytask_model::files::FileError;
use polytask_model::inputs::EncodeError;
use polytask_model::model::ModelError;
use polytask_model::tasks::TaskError;
use polytask_study::select::SelectError;
use polytask_study::tune::TuneError;
use polytask_train::train::TrainError;

/// Anything that keeps polytask from doing what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A model cannot be described, built, read or asked.
    #[error(transparent)]
    Model(Box<polytask_model::Error>),
    /// A model cannot be trained.
    #[error(transparent)]
    Train(Box<polytask_train::Error>),
    /// A question cannot be answered.
    #[error(transparent)]
    Study(Box<polytask_study::Error>),
    /// The number of threads cannot be had.
    #[error("cannot start {threads} threads: {reason}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What the system says.
        reason: String,
    },
}

impl Error {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Model(error) => error.hint(),
            Error::Train(error) => error.hint(),
            Error::Study(error) => error.hint(),
            Error::Threads { .. } => None,
        }
    }

    /// The program's exit status: 2 where the call or the config is wrong, 1 where the work failed.
    pub fn exit_code(&self) -> u8 {
        let usage = match self {
            Error::Model(error) => error.is_usage(),
            Error::Train(error) => error.is_usage(),
            Error::Study(error) => error.is_usage(),
            Error::Threads { .. } => true,
        };
        if usage { 2 } else { 1 }
    }
}

macro_rules! through {
    ($variant:ident($of:ty): $($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Error::$variant(Box::new(<$of>::from(error)))
            }
        })*
    };
}

through!(Model(polytask_model::Error): polytask_model::Error, ConfigError, DataError, TaskError, EncodeError, GraphError, ModelError, FileError);
through!(Train(polytask_train::Error): polytask_train::Error, TrainError);
through!(Study(polytask_study::Error): polytask_study::Error, SelectError, TuneError);
