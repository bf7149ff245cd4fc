//! One program a directory.

use super::replace::{COMMITTED, settle};
use super::{FileError, TEMPORARY, make_folder};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// Keeps other programs from writing to a directory for as long as it lives. The directory itself is locked, so that nothing
/// has to be cleaned up after a program that was killed.
pub struct Lock {
    _folder: Option<File>,
    /// Folders that were made for it, the deepest first; gone in the end where nothing was written to them.
    made: Vec<PathBuf>,
    /// Whether a program was killed in the middle of writing here.
    pub interrupted: bool,
}

impl Lock {
    /// Locks a directory, which is made where it is not there, and tidies up after programs that were killed: files that count
    /// are moved to their places, temporary ones removed.
    ///
    /// # Errors
    /// Another program has locked it, or it cannot be made.
    pub fn take(folder: &Path) -> Result<Self, FileError> {
        let missing = folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
        let made = missing.map(Path::to_owned).collect();
        make_folder(folder)?;
        let held = File::open(folder).ok();
        if let Some(Err(TryLockError::WouldBlock)) = held.as_ref().map(File::try_lock) {
            return Err(FileError::Busy(folder.to_owned()));
        }
        // Any other error comes of a file system without locks.
        let mut lock = Lock { _folder: held, made, interrupted: false };
        settle(folder).map_err(|source| FileError::Write { path: folder.to_owned(), source })?;
        lock.interrupted = sweep(folder, DEPTH);
        Ok(lock)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // One that holds something stays, and so do those above it.
        self.made.iter().for_each(|folder| drop(std::fs::remove_dir(folder)));
    }
}

/// How deep temporary files are looked for: a set of models has folders of its own.
const DEPTH: usize = 3;

/// Whether a directory holds nothing but what a killed program left.
pub(crate) fn only_leftovers(folder: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return true };
    entries.flatten().all(|entry| is_ours(&entry.file_name().to_string_lossy()))
}

fn is_ours(name: &str) -> bool {
    name.starts_with(TEMPORARY) || name == COMMITTED
}

/// Removes temporary files, in folders of the folder too; whether there were any.
fn sweep(folder: &Path, deep: usize) -> bool {
    let Ok(entries) = std::fs::read_dir(folder) else { return false };
    let mut found = false;
    for entry in entries.flatten() {
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            let removed = if is_folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            found |= removed.is_ok();
        } else if is_folder && deep > 1 {
            found |= sweep(&path, deep - 1);
        }
    }
    found
}
