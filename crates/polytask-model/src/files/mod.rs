//! Files: written to a temporary name and renamed, so that a reader never sees half of one.

mod lock;
mod replace;
mod tensors;
mod write;

pub use lock::Lock;
pub(crate) use lock::only_leftovers;
pub use replace::{Replacement, find};
pub use tensors::{
    Array, Numbers, Tensor, decode_arrays, decode_tensors, read_sealed, read_tensors, write_sealed, write_tensors,
};
pub use write::{check_file, same, write, write_with};

use std::path::{Component, Path, PathBuf};
use write::temporary;

/// What temporary files and folders are called; the rest of the name is drawn.
const TEMPORARY: &str = ".polytask-";

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It would have to stand in something that is no folder.
    #[error("cannot write {path}: {file} is no folder")]
    NoFolder {
        /// What was to be written.
        path: PathBuf,
        /// What is not there, or a file.
        file: PathBuf,
    },
    /// A directory where a file is to be written.
    #[error("cannot write {0}: it is a directory; give the name of a file")]
    Folder(PathBuf),
    /// Another program is at it.
    #[error("another run is writing to {0}; nothing was written")]
    Busy(PathBuf),
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It has no JSON form.
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is no safetensors file of f32 tensors.
    #[error("{path} is damaged or no safetensors file: {reason}")]
    Tensors {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        reason: String,
    },
}

/// Makes a folder and those above it, where they are not there.
///
/// # Errors
/// It cannot be made.
pub fn make_folder(folder: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(folder).map_err(|source| FileError::Write { path: folder.to_owned(), source })
}

/// Makes sure that files can be written to a folder, which need not be there yet; leaves nothing behind.
///
/// # Errors
/// It, or the nearest folder above it that is there, is no folder or cannot be written.
pub fn check_folder(folder: &Path) -> Result<(), FileError> {
    let there = folder.ancestors().find(|path| path.as_os_str().is_empty() || path.exists()).unwrap_or(folder);
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    if !there.is_dir() {
        return Err(FileError::NoFolder { path: folder.to_owned(), file: there.to_owned() });
    }
    match temporary(there) {
        Ok(_) => Ok(()),
        Err(source) => Err(FileError::Write { path: folder.to_owned(), source }),
    }
}

/// The way from one folder to another, both there; the whole path of the other where they have nothing in common.
pub fn way(from: &Path, to: &Path) -> PathBuf {
    let whole = |folder: &Path| {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
    };
    let (from, to) = (whole(from), whole(to));
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    if from.components().take(common).all(|c| matches!(c, Component::RootDir | Component::Prefix(_))) && common < 2 {
        return to;
    }
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    up.chain(to.components().skip(common)).collect()
}

/// Reads a text file.
///
/// # Errors
/// The file cannot be read, or is no UTF-8.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(|source| FileError::Read { path: path.to_owned(), source })
}
