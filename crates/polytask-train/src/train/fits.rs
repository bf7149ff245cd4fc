//! The folder that an ensemble keeps its finished fits in.

use super::CheckpointError;
use polytask_model::files::FileError;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What the run is, in the folder of its fits.
pub(crate) const FITS_OF: &str = "run.json";

/// A folder of finished fits.
#[derive(Debug)]
pub struct Fits {
    pub(crate) folder: PathBuf,
    pub(crate) resumes: bool,
    problem: Mutex<Option<CheckpointError>>,
}

impl Fits {
    /// A folder for the fits of a run that begins; what an older run left there goes.
    pub fn begin(folder: &Path) -> Self {
        let fits = Fits { folder: folder.to_owned(), resumes: false, problem: Mutex::default() };
        fits.remove();
        fits
    }

    /// The folder of a run that was interrupted.
    ///
    /// # Errors
    /// There is none.
    pub fn resume(folder: &Path) -> Result<Self, CheckpointError> {
        match folder.join(FITS_OF).exists() {
            true => Ok(Fits { folder: folder.to_owned(), resumes: true, problem: Mutex::default() }),
            false => Err(CheckpointError::None(folder.join(FITS_OF))),
        }
    }

    /// Removes the folder with all that it holds.
    pub fn remove(&self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }

    /// Why the last fit could not be kept, once.
    pub fn take_problem(&self) -> Option<CheckpointError> {
        self.problem.lock().ok()?.take()
    }

    /// Remembers why something could not be kept.
    pub(crate) fn note(&self, written: Result<(), FileError>) {
        if let (Err(error), Ok(mut problem)) = (written, self.problem.lock()) {
            *problem = Some(error.into());
        }
    }
}
