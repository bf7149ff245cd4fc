//! Why the file of `polytask compare --groups` cannot be used.

use polytask::files::FileError;
use std::path::PathBuf;

/// Why a file of groups cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum GroupsError {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is no such file.
    #[error("{path}: {reason}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}
