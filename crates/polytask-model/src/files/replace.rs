//! Several files of a directory that take the places of older ones all at once.
//!
//! They are written to a temporary folder in the directory, which is then renamed to `.committed`: from that one rename on the
//! new files count, and [`find`] says where each of them is while they are moved to their places. What a killed program left
//! in `.committed` the next one that writes moves on.

use super::tensors::{Array, encode_arrays};
use super::write::{take_after, unnamed};
use super::{FileError, TEMPORARY, make_folder};
use std::fs::File;
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Files that count already and are not in their places yet.
pub(super) const COMMITTED: &str = ".committed";
/// In that folder, the names of the files that are replaced, and so gone where no new one is.
const LIST: &str = "files.json";

/// New files of a directory, which replace the older ones together or not at all.
pub struct Replacement {
    folder: PathBuf,
    staged: TempDir,
    names: Vec<String>,
}

/// Where a file of a directory is, which need not be there.
pub fn find(folder: &Path, name: &str) -> PathBuf {
    let committed = folder.join(COMMITTED);
    let new = committed.join(name);
    let gone = || listed(&committed).is_some_and(|(gone, _)| gone.iter().any(|gone| gone == name));
    if new.exists() || gone() { new } else { folder.join(name) }
}

/// The files that are gone and those that are new, of a folder of committed ones.
fn listed(committed: &Path) -> Option<(Vec<String>, Vec<String>)> {
    serde_json::from_slice(&std::fs::read(committed.join(LIST)).ok()?).ok()
}

impl Replacement {
    /// Begins to write to a directory, which is made where it is not there.
    ///
    /// # Errors
    /// It cannot be made or written.
    pub fn begin(folder: &Path) -> Result<Self, FileError> {
        make_folder(folder)?;
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY);
        #[cfg(unix)]
        let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let staged = builder.tempdir_in(folder).map_err(|e| failed(folder)(unnamed(e)))?;
        Ok(Replacement { folder: folder.to_owned(), staged, names: Vec::new() })
    }

    /// Adds a file. The last one to be added is the last to be in its place.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&mut self, name: &str, content: &[u8]) -> Result<(), FileError> {
        let path = self.folder.join(name);
        let written = || {
            let mut file = File::create(self.staged.path().join(name))?;
            file.write_all(content)?;
            if let Ok(there) = std::fs::metadata(&path) {
                take_after(&file, &there)?;
            }
            file.sync_all()
        };
        written().map_err(failed(&path))?;
        self.names.push(name.to_owned());
        Ok(())
    }

    /// Adds a file of arrays, and says the CRC-32 of what it holds.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn arrays(&mut self, name: &str, arrays: &[Array<'_>]) -> Result<u32, FileError> {
        let content = encode_arrays(&self.folder.join(name), arrays)?;
        self.write(name, &content)?;
        Ok(crc32fast::hash(&content))
    }

    /// Lets the new files count, and those of `old` that are not among them be gone.
    ///
    /// # Errors
    /// A folder or a file cannot be renamed: before the new files count, or after that, when a later run moves on.
    pub fn commit(self, old: &[&str]) -> Result<(), FileError> {
        let Replacement { folder, staged, names } = self;
        let gone: Vec<&str> = old.iter().copied().filter(|old| names.iter().all(|name| name != old)).collect();
        let write = |list: Vec<u8>| {
            let mut file = File::create(staged.path().join(LIST))?;
            file.write_all(&list)?;
            file.sync_all()?;
            sync(staged.path());
            settle(&folder)?;
            std::fs::rename(staged.path(), folder.join(COMMITTED))?;
            sync(&folder);
            settle(&folder)
        };
        write(serde_json::to_vec(&(gone, &names))?).map_err(failed(&folder))
    }
}

fn failed(path: &Path) -> impl Fn(Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::Write { path: path.clone(), source }
}

/// Makes sure that a rename outlives a loss of power, where the system can.
fn sync(folder: &Path) {
    File::open(folder).and_then(|folder| folder.sync_all()).ok();
}

/// Moves files that count to their places.
pub(super) fn settle(folder: &Path) -> std::io::Result<()> {
    let committed = folder.join(COMMITTED);
    if !committed.exists() {
        return Ok(());
    }
    let (gone, names) = listed(&committed).unwrap_or_default();
    for name in gone.iter().map(String::as_str).filter(|name| plain(name)) {
        absent(std::fs::remove_file(folder.join(name)))?;
    }
    for name in names.iter().map(String::as_str).filter(|name| plain(name)) {
        absent(std::fs::rename(committed.join(name), folder.join(name)))?;
    }
    sync(folder);
    absent(std::fs::remove_file(committed.join(LIST)))?;
    std::fs::remove_dir(&committed)
}

/// Whether a name stays in its folder.
fn plain(name: &str) -> bool {
    Path::new(name).file_name().is_some_and(|file| file == name)
}

/// What is not there need not be moved or removed.
fn absent(done: std::io::Result<()>) -> std::io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
