//! What can go wrong in this crate, in one type: the message, what would be right, and whose fault it is.

use crate::config::ConfigError;
use crate::files::FileError;
use crate::inputs::EncodeError;
use crate::model::ModelError;
use crate::tasks::TaskError;
use polytask_data::DataError;
use polytask_exec::{PortError, Unsupported};
use polytask_graph::GraphError;

/// Anything that keeps a model from being described, built, read or asked.
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
    /// A model directory cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The network reads what the inputs do not give.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The device cannot run the network.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// Trees cannot read the rows.
    #[error(transparent)]
    Trees(#[from] polytask_trees::TreesError),
    /// The config's `model.init` does not fit the model.
    #[error("`model.init`: {0}")]
    Init(String),
}

impl Error {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::Config(error) => error.hint(),
            Error::Data(error) => error.hint(),
            Error::Task(error) => error.hint(),
            Error::Encode(error) => error.hint(),
            Error::Model(error) => error.hint(),
            Error::Init(_) => Some(
                "`polytask train` without model.init writes a model.safetensors with the right names and shapes"
                    .to_owned(),
            ),
            Error::Graph(_) | Error::Port(_) | Error::Unsupported(_) | Error::Trees(_) | Error::File(_) => None,
        }
    }

    /// Whether the call or the config is wrong, not the data or the machine.
    pub fn is_usage(&self) -> bool {
        match self {
            Error::Config(_) | Error::Graph(_) | Error::Unsupported(_) | Error::Init(_) => true,
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
            Error::Data(_) | Error::Model(_) | Error::Port(_) | Error::Trees(_) | Error::File(_) => false,
        }
    }
}
