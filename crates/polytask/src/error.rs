//! What can go wrong, in one type: the message, what would be right, and whose fault it is.

use crate::config::ConfigError;
use crate::encode::EncodeError;
use crate::files::FileError;
use crate::linear::LinearProblem;
use crate::model::ModelError;
use crate::select::SelectError;
use crate::task::TaskError;
use crate::train::{Breakdown, CheckpointError, TrainError};
use crate::tune::TuneError;
use polytask_data::DataError;
use polytask_graph::GraphError;

/// Anything that keeps polytask from doing what it was asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The config is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A table cannot be read or split.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A task does not fit its column.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// An input does not fit its column.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The network cannot be built.
    #[error("the model cannot be built: {0}")]
    Graph(#[from] GraphError),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// A model directory cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Tasks cannot be selected.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The config's `model.init` does not fit the model.
    #[error("`model.init`: {0}")]
    Init(String),
    /// A comparison without rows to measure on.
    #[error("there are no test rows to compare on")]
    NoTest,
    /// Training met numbers that nobody can go on from.
    #[error("{by}{kept}")]
    Broken {
        /// What it met.
        by: Breakdown,
        /// What became of the model.
        kept: String,
    },
    /// A search for settings cannot go on.
    #[error(transparent)]
    Tune(#[from] TuneError),
    /// Someone ended a search before there was anything to keep.
    #[error("stopped while searching; nothing was written")]
    Stopped,
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
        let hint = match self {
            Error::Config(error) => return error.hint(),
            Error::Data(error) => return error.hint(),
            Error::Task(error) => return error.hint(),
            Error::Encode(error) => return error.hint(),
            Error::Model(error) => return error.hint(),
            Error::Select(error) => return error.hint(),
            Error::Train(TrainError::Checkpoint(error)) => return error.hint(),
            Error::Train(TrainError::Linear(error)) => return error.hint(),
            Error::Train(TrainError::Image(error)) => return error.hint(),
            Error::Tune(error) => return error.hint(),
            Error::NoTest => "give a share in data.split.test, or a column or file of test rows",
            Error::Broken { by, .. } => by.hint(),
            Error::Init(_) => {
                "`polytask train` without model.init writes a model.safetensors with the right names and shapes"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// The program's exit status: 2 where the call or the config is wrong, 1 where the work failed.
    pub fn exit_code(&self) -> u8 {
        let config = match self {
            Error::Config(_) | Error::Graph(_) | Error::Init(_) | Error::NoTest | Error::Threads { .. } => true,
            Error::Tune(error) => error.is_of_call(),
            Error::Select(error) => error.is_usage(),
            Error::Task(error) => matches!(
                error,
                TaskError::Column { .. }
                    | TaskError::WeightColumn { .. }
                    | TaskError::UnknownLabel { .. }
                    | TaskError::StrayKey { .. }
                    | TaskError::Over { .. }
                    | TaskError::OverImage { .. }
                    | TaskError::TwoTexts { .. }
            ),
            Error::Encode(error) => matches!(
                error,
                EncodeError::NoInput
                    | EncodeError::Column { .. }
                    | EncodeError::Ignored(_)
                    | EncodeError::StrayKey { .. }
                    | EncodeError::Sizes { .. }
            ),
            Error::Train(
                TrainError::Balance(_) | TrainError::HeldOut | TrainError::Linear(LinearProblem::Widths { .. }),
            ) => true,
            Error::Train(TrainError::Checkpoint(
                CheckpointError::Other(_) | CheckpointError::None(_) | CheckpointError::Linear,
            )) => true,
            _ => false,
        };
        if config { 2 } else { 1 }
    }
}
