//! One table in several files: a folder of parts, or a name with wildcards.

use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::split;

/// Folders below folders.
const DEEPEST: usize = 4;

/// What names of tables end with.
const ENDS: [&str; 14] = [
    "csv", "tsv", "tab", "txt", "jsonl", "ndjson", "json", "parquet", "pq", "arrow", "feather", "conllu", "conllup",
    "conll",
];

/// One of the files of a table.
#[derive(Debug, PartialEq)]
pub(super) struct Part {
    pub(super) path: PathBuf,
    /// The part of the split that its name, or that of its folder, says it is, where those of all files do.
    pub(super) split: Option<&'static str>,
}

/// The files that a path stands for, in the order of their names; none where it is one file, or a folder of images.
///
/// A folder of parts holds tables, or folders of tables, and no image; what begins with `.` or `_` in it, such as `_SUCCESS`,
/// is passed over. In the last part of a path `*` stands for any characters and `?` for one, unless a file is called so.
///
/// # Errors
/// A folder that cannot be read; wildcards that no file fits.
pub(super) fn of(path: &Path) -> Result<Option<Vec<Part>>, DataError> {
    if path.is_dir() {
        return Ok(tables(path, DEEPEST)?.filter(|files| !files.is_empty()).map(|files| parts(path, files)));
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
        false => Ok(Some(parts(folder, found))),
    }
}

/// The files with what their names say of the split: all of them must, training and another part among them.
fn parts(folder: &Path, files: Vec<PathBuf>) -> Vec<Part> {
    let split = |file: &PathBuf| {
        let inside = file.strip_prefix(folder).ok()?;
        let (top, name) = (inside.iter().next()?.to_string_lossy().into_owned(), name(inside));
        split::part(&top).or_else(|| split::part(name.split(['.', '-', '_']).next().unwrap_or_default()))
    };
    let found: Vec<_> = files.iter().map(split).collect();
    let all = found.iter().all(Option::is_some)
        && found.contains(&Some("train"))
        && found.iter().any(|p| *p != Some("train"));
    files.into_iter().zip(found).map(|(path, split)| Part { path, split: split.filter(|_| all) }).collect()
}

/// The tables in a folder and those below it; none where there is anything else.
fn tables(folder: &Path, deepest: usize) -> Result<Option<Vec<PathBuf>>, DataError> {
    let mut all = Vec::new();
    for file in files(folder)? {
        match file.is_dir() {
            true if deepest > 0 => match tables(&file, deepest - 1)? {
                Some(inside) => all.extend(inside),
                None => return Ok(None),
            },
            false if is_table(&file) => all.push(file),
            _ => return Ok(None),
        }
    }
    Ok(Some(all))
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether a file is a table by its name.
fn is_table(path: &Path) -> bool {
    !super::is_image_name(&name(path)) && ENDS.contains(&super::extension(path).as_str())
}

/// What lies beside the parts of data sets and says something of them.
const ABOUT: [&str; 8] = [
    "dataset_info.json",
    "dataset_infos.json",
    "dataset_dict.json",
    "state.json",
    "readme.md",
    "readme.txt",
    "license",
    "license.txt",
];

/// What is in a folder, in the order of the names; hidden files, those that begin with `_`, and what is about the others left
/// away.
fn files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let io = |error| DataError::io(&folder.display().to_string(), error);
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).map_err(io)?.collect();
    let mut files: Vec<PathBuf> = entries.map_err(io)?.iter().map(std::fs::DirEntry::path).collect();
    files.retain(|file| !name(file).starts_with(['.', '_']) && !ABOUT.contains(&name(file).to_lowercase().as_str()));
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
    use super::{Part, matches, parts};
    use std::path::{Path, PathBuf};

    #[test]
    fn names_say_the_split_where_all_do() {
        let splits = |names: &[&str]| -> Vec<Option<&str>> {
            let files = names.iter().map(|name| PathBuf::from(format!("d/{name}"))).collect();
            parts(Path::new("d"), files).into_iter().map(|Part { split, .. }| split).collect()
        };
        assert_eq!(splits(&["Test.csv", "train-00000-of-00002.parquet"]), [Some("test"), Some("train")]);
        assert_eq!(splits(&["dev/a.csv", "training/b.csv"]), [Some("valid"), Some("train")]);
        assert_eq!(splits(&["test.csv", "train.csv", "more.csv"]), [None, None, None]);
        assert_eq!([splits(&["train.csv"]), splits(&["test.csv"])], [[None], [None]]);
    }

    #[test]
    fn wildcards_stand_for_characters() {
        let fits = |pattern: &str, name: &str| matches(pattern.as_bytes(), name.as_bytes());
        assert!(fits("part-*.csv", "part-001.csv") && fits("*", "") && fits("a?c*", "abc") && fits("**.csv", "x.csv"));
        assert!(!fits("part-*.csv", "part-1.csv.gz") && !fits("a?c", "ac") && !fits("", "a"));
    }
}
