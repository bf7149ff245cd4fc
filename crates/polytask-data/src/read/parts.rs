//! One table in several files: a folder of parts, or a name with wildcards.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::image::is_name as is_image_name;

/// What names of tables end with.
const ENDS: [&str; 14] = [
    "csv", "tsv", "tab", "txt", "jsonl", "ndjson", "json", "parquet", "pq", "arrow", "feather", "conllu", "conllup",
    "conll",
];

/// The files that a path stands for, in the order of their names; none where it is one file, or a folder of images.
///
/// A folder of parts holds tables and no image; what begins with `.` or `_` in it, such as `_SUCCESS`, is passed over.
/// In the last part of a path `*` stands for any characters and `?` for one, unless a file is called so.
///
/// # Errors
/// A folder that cannot be read; wildcards that no file fits.
pub(super) fn of(path: &Path) -> Result<Option<Vec<PathBuf>>, DataError> {
    if path.is_dir() {
        let files = files(path)?;
        let tables = !files.is_empty() && files.iter().all(|file| is_table(file));
        return Ok(tables.then_some(files));
    }
    let pattern = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !pattern.contains(['*', '?']) || path.exists() {
        return Ok(None);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fits = |file: &PathBuf| matches(pattern.as_bytes(), name(file).as_bytes());
    let found: Vec<PathBuf> = files(folder)?.into_iter().filter(fits).collect();
    match found.is_empty() {
        true => Err(DataError::NoMatch { pattern: path.display().to_string() }),
        false => Ok(Some(found)),
    }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether a file is a table by its name.
fn is_table(path: &Path) -> bool {
    !path.is_dir() && !is_image_name(&name(path)) && ENDS.contains(&super::extension(path).as_str())
}

/// What is in a folder, in the order of the names; hidden files and those that begin with `_` left away.
fn files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let io = |error| DataError::io(&folder.display().to_string(), error);
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(io)?.collect();
    let mut files: Vec<PathBuf> = entries.map_err(io)?.iter().map(std::fs::DirEntry::path).collect();
    files.retain(|file| !name(file).starts_with(['.', '_']));
    files.sort();
    Ok(files)
}

/// Whether a name fits a pattern.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) => (0..=name.len()).any(|at| matches(rest, name.get(at..).unwrap_or_default())),
        (Some((b'?', pattern)), Some((_, name))) => matches(pattern, name),
        (Some((a, pattern)), Some((b, name))) => a == b && matches(pattern, name),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn wildcards_stand_for_characters() {
        let fits = |pattern: &str, name: &str| matches(pattern.as_bytes(), name.as_bytes());
        assert!(fits("part-*.csv", "part-001.csv") && fits("*", "") && fits("a?c*", "abc") && fits("**.csv", "x.csv"));
        assert!(!fits("part-*.csv", "part-1.csv.gz") && !fits("a?c", "ac") && !fits("", "a"));
    }
}
