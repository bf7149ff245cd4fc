//! One file, written as a whole or not at all.

use super::{FileError, TEMPORARY};
use std::fs::{File, Metadata};
use std::io::{BufWriter, Error, Result, Write};
use std::path::{Path, PathBuf};

/// Writes a whole file or nothing: to a temporary file beside it, which takes its place once it is complete. Symbolic links
/// are followed to the file that they name; a file that is there keeps its mode and, where the system allows, its owner.
/// Devices, pipes and sockets are written to as they are.
///
/// # Errors
/// The file cannot be written; what was there before stays.
pub fn write(path: &Path, content: &[u8]) -> std::result::Result<(), FileError> {
    write_with(path, |out| out.write_all(content).map_err(|source| FileError::Write { path: path.to_owned(), source }))
}

/// The same with what is written bit by bit.
///
/// # Errors
/// The file cannot be written, or what `fill` says; what was there before stays.
pub fn write_with<E: From<FileError>>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    let there = std::fs::metadata(path).ok();
    if there.as_ref().is_some_and(Metadata::is_dir) {
        return Err(FileError::Folder(path.to_owned()).into());
    }
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        // Nothing to replace: whoever is at the other end takes what comes.
        let mut file = BufWriter::new(File::options().write(true).open(path).map_err(failed)?);
        fill(&mut file)?;
        return Ok(file.flush().map_err(failed)?);
    }
    let target = followed(path).map_err(failed)?;
    let mut file = BufWriter::new(temporary(folder_of(path, &target)?).map_err(failed)?);
    fill(&mut file)?;
    let file = file.into_inner().map_err(|error| failed(error.into_error()))?;
    file.as_file().sync_all().map_err(failed)?;
    if let Some(there) = there {
        take_after(file.as_file(), &there).map_err(failed)?;
    }
    file.persist(&target).map_err(|e| failed(e.error))?;
    Ok(())
}

/// The folder that a file is to stand in.
fn folder_of<'a>(path: &Path, target: &'a Path) -> std::result::Result<&'a Path, FileError> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match folder.is_dir() {
        true => Ok(folder),
        false => Err(FileError::NoFolder { path: path.to_owned(), file: folder.to_owned() }),
    }
}

/// Makes sure that a file can be written, as far as that can be told before there is anything to write.
///
/// # Errors
/// It is a directory, or would have to stand in something that is none.
pub fn check_file(path: &Path) -> std::result::Result<(), FileError> {
    if path.is_dir() {
        return Err(FileError::Folder(path.to_owned()));
    }
    let target = followed(path).map_err(|source| FileError::Write { path: path.to_owned(), source })?;
    if path.exists() {
        return Ok(());
    }
    folder_of(path, &target).map(drop)
}

/// Whether two paths name one file, by whatever links.
pub fn same(one: &Path, other: &Path) -> bool {
    let (Ok(a), Ok(b)) = (std::fs::metadata(one), std::fs::metadata(other)) else { return false };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        a.is_file() && (a.dev(), a.ino()) == (b.dev(), b.ino())
    }
    #[cfg(not(unix))]
    {
        a.is_file() && b.is_file() && one.canonicalize().ok() == other.canonicalize().ok()
    }
}

/// A new file in a folder with the rights that new files have, gone when dropped.
pub(super) fn temporary(folder: &Path) -> Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(TEMPORARY);
    #[cfg(unix)]
    let builder = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder).map_err(unnamed)
}

/// Without the name of the temporary file, which would only confuse.
pub(super) fn unnamed(error: Error) -> Error {
    let text = error.to_string();
    Error::new(error.kind(), text.split(" at path ").next().unwrap_or_default())
}

/// Gives a new file the mode and the owner of the one that it replaces.
pub(super) fn take_after(file: &File, there: &Metadata) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let own = file.metadata()?;
        if (own.uid(), own.gid()) != (there.uid(), there.gid()) {
            // Only the owner of the system may give files away; what others write is theirs.
            std::os::unix::fs::fchown(file, Some(there.uid()), Some(there.gid())).ok();
        }
    }
    file.set_permissions(there.permissions())
}

/// Most links that are followed, as the system has it.
const LINKS: usize = 40;

/// The file that a path names in the end, which need not be there.
fn followed(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let Ok(next) = std::fs::read_link(&path) else { return Ok(path) };
        path = match path.parent() {
            Some(folder) => folder.join(next),
            None => next,
        };
    }
    Err(Error::other("its symbolic links lead nowhere"))
}
