//! Why a search cannot be made.

use polytask_model::files::FileError;
use std::path::PathBuf;

/// Why a search for settings cannot be made, or not gone on with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuneError {
    /// Trials are compared on the validation rows.
    #[error("there are no validation rows to compare trials on")]
    NoValid,
    /// There are trials already.
    #[error("{} holds trials already; nothing was written", .0.display())]
    There(PathBuf),
    /// The trials belong to another search.
    #[error("{} belongs to another search: {what}", path.display())]
    Other {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// A line is none of ours.
    #[error("{}:{line}: this is no line of trials, or a damaged one: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What does not hold.
        reason: String,
    },
    /// No settings can be trained.
    #[error("none of the trials could be trained and measured: {0}")]
    Nothing(String),
    /// A trial that cannot be written as JSON.
    #[error("a trial cannot be written: {0}")]
    Line(serde_json::Error),
    /// Values that cannot be written as TOML.
    #[error("the best config cannot be written: {0}")]
    Value(toml::ser::Error),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl TuneError {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            TuneError::NoValid => "give a share in data.split.valid, or a column or file of validation rows",
            TuneError::There(_) => "--resume goes on with them; --out takes another folder",
            TuneError::Other { .. } => "go back to the config and the call it was made with, or give another --out",
            TuneError::Damaged { .. } => "take the line out, and its trial is made again; or give another --out",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the call or the config is wrong, and not the work failed.
    pub fn is_of_call(&self) -> bool {
        matches!(self, TuneError::NoValid | TuneError::There(_) | TuneError::Other { .. })
    }
}
