//! Errors of the library as exceptions of `polytask.errors`: the same words, and the hint on a line below.

use polytask::config::{ConfigError, Place};
use polytask::{BuildError, Error, FitError, StudyError};
use pyo3::prelude::*;

/// The exceptions.
#[derive(Clone, Copy)]
pub enum Kind {
    /// The call or the config is wrong.
    Config,
    /// A table or a model cannot be read, or does not fit.
    Data,
    /// Training failed.
    Train,
}

/// An exception of `polytask.errors` with what would be right.
pub fn raise(kind: Kind, message: &str, hint: Option<String>) -> PyErr {
    let name = match kind {
        Kind::Config => "ConfigError",
        Kind::Data => "DataError",
        Kind::Train => "TrainError",
    };
    Python::attach(|py| {
        let made = py.import("polytask.errors").and_then(|m| m.getattr(name)).and_then(|c| c.call1((message, hint)));
        made.map_or_else(|error| error, PyErr::from_value)
    })
}

/// What Python is told of an error of the library.
pub fn of(error: impl Into<Error>) -> PyErr {
    let error = error.into();
    let build = match &error {
        Error::Model(build) => Some(&**build),
        Error::Train(fit) => built(fit),
        Error::Study(study) => match &**study {
            StudyError::Train(fit) => built(fit),
            _ => None,
        },
        _ => None,
    };
    let kind = match build {
        _ if error.exit_code() == 2 => Kind::Config,
        Some(BuildError::File(_)) | None => Kind::Train,
        Some(_) => Kind::Data,
    };
    let message = match build {
        Some(BuildError::Config(config)) => of_config(config),
        _ => error.to_string(),
    };
    raise(kind, &message, error.hint())
}

/// What Python is told of rows that do not fit a model, which has no config any more.
pub fn of_rows(error: Error) -> PyErr {
    raise(Kind::Data, &error.to_string(), error.hint())
}

/// A config that was made of keyword arguments has no lines to point at.
fn of_config(error: &ConfigError) -> String {
    match error {
        ConfigError::Key(key) => match &key.place {
            Place::File { file, .. } | Place::Nowhere { file } if file.is_empty() => key.problem.message.clone(),
            Place::File { .. } | Place::Nowhere { .. } | Place::Override(_) => error.to_string(),
        },
        ConfigError::Read { .. } | ConfigError::Write(_) => error.to_string(),
    }
}

fn built(error: &FitError) -> Option<&BuildError> {
    match error {
        FitError::Model(build) => Some(build),
        _ => None,
    }
}

/// A config that is not to be read as one.
pub fn of_json(error: impl std::fmt::Display) -> PyErr {
    raise(Kind::Config, &error.to_string(), None)
}
