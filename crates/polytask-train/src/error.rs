//! What can go wrong in this crate, in one type: the message, what would be right, and whose fault it is.

use crate::train::{CheckpointError, Divergence, LinearProblem, TrainError};
use polytask_data::DataError;
use polytask_exec::{PortError, Unsupported};
use polytask_graph::GraphError;
use polytask_model::config::ConfigError;
use polytask_model::files::FileError;
use polytask_model::inputs::EncodeError;
use polytask_model::model::ModelError;
use polytask_model::tasks::TaskError;

/// Anything that keeps a model from being trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no model to train, or none to write.
    #[error(transparent)]
    Model(#[from] polytask_model::Error),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Training met numbers that nobody can go on from.
    #[error("{by}{kept}")]
    Diverged {
        /// What it met.
        by: Divergence,
        /// What became of the model.
        kept: String,
    },
    /// More than the machine has.
    #[error(
        "the network takes at least {} of memory to train ({parameters} parameters, {batch} rows a step), and {} are there",
        size(*needed), size(*there)
    )]
    Memory {
        /// Bytes, as an estimate from below.
        needed: u64,
        /// Bytes that may still be allocated.
        there: u64,
        /// Of the network.
        parameters: u64,
        /// Rows a step.
        batch: usize,
    },
    /// Someone ended a search before there was anything to keep.
    #[error("stopped while searching; nothing was written")]
    Stopped,
}

impl Error {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Model(error) => error.hint(),
            Error::Train(TrainError::Checkpoint(error)) => error.hint(),
            Error::Train(TrainError::Linear(error)) => error.hint(),
            Error::Train(TrainError::Image(error)) => error.hint(),
            Error::Memory { .. } => Some("smaller layers, fewer experts or a smaller train.batch take less".to_owned()),
            Error::Diverged { by, .. } => Some(by.hint().to_owned()),
            Error::Train(TrainError::NotTable(_)) => {
                Some("leave `model.family` out, or set it to \"network\"".to_owned())
            }
            Error::Train(
                TrainError::Balance(_)
                | TrainError::HeldOut
                | TrainError::Port(_)
                | TrainError::Unsupported(_)
                | TrainError::Trees(_)
                | TrainError::Monotone(_),
            )
            | Error::Stopped => None,
        }
    }

    /// Whether the call or the config is wrong, not the data or the machine.
    pub fn is_usage(&self) -> bool {
        match self {
            Error::Model(error) => error.is_usage(),
            Error::Train(
                TrainError::Balance(_)
                | TrainError::HeldOut
                | TrainError::NotTable(_)
                | TrainError::Monotone(_)
                | TrainError::Unsupported(_)
                | TrainError::Linear(LinearProblem::Widths { .. }),
            )
            | Error::Memory { .. } => true,
            Error::Train(TrainError::Checkpoint(error)) => {
                matches!(error, CheckpointError::Other(_) | CheckpointError::None(_) | CheckpointError::Linear)
            }
            Error::Train(TrainError::Linear(_) | TrainError::Image(_) | TrainError::Port(_) | TrainError::Trees(_))
            | Error::Diverged { .. }
            | Error::Stopped => false,
        }
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    match bytes >= 10_000_000_000 {
        true => format!("{:.0} GB", bytes as f64 / 1e9),
        false => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

macro_rules! of_models {
    ($($error:ty),*) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Error::Model(error.into())
            }
        })*
    };
}

of_models!(ConfigError, DataError, TaskError, EncodeError, GraphError, ModelError, FileError, PortError, Unsupported);
