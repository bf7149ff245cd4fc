//! Files and folders into tables: the format is found from the content and the name.

mod arrow;
mod compress;
mod delimited;
pub(crate) mod guard;
mod infer;
mod jsonl;
mod moment;
mod parquet;
mod sniff;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::image::{idx, read_folder};
use crate::place::Place;
use crate::table::Table;
use crate::text;

/// What a column is declared to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Numbers: a word is an error.
    Number,
    /// Text exactly as written: `01` stays `01`.
    Text,
    /// Images, or their paths exactly as written.
    Image,
}

/// Labels in files of their own, for images in IDX files, in the order of the images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelFiles {
    /// IDX labels, which become the column `label`, or a table.
    One(PathBuf),
    /// IDX labels, which become columns of these names.
    Named(Vec<(String, PathBuf)>),
}

/// How to read a file. The default finds everything out.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// The byte between fields; found among comma, semicolon, tab and bar where it is not given.
    pub delimiter: Option<u8>,
    /// The words that stand for a missing value, blanks around them ignored. Left out, they are the empty field, `NA`,
    /// `N/A`, `NaN`, `nan`, `null`, `NULL` and `None` in CSV and TSV; JSON and Parquet have their own null, so there
    /// a text is missing only if it is listed here.
    pub missing: Option<Vec<String>>,
    /// Columns of CSV and TSV that are passed over: the table does not have them.
    pub skip: BTreeSet<String>,
    /// The kinds of columns, by name; the others are inferred. A name the file does not have is ignored.
    pub hints: BTreeMap<String, Hint>,
    /// The names of the columns of a file with a token a line, in their order: `_` passes one over, a last one such as
    /// `frames...` takes the argument columns of all predicates. Given, every text file is taken for one of these.
    pub columns: Option<Vec<String>>,
    /// The labels of images in an IDX file; found by their names where they are not given.
    pub labels: Option<LabelFiles>,
    /// What paths of images in a file are relative to; the folder of the file where it is not given.
    pub folder: Option<PathBuf>,
    /// What the image column of a folder or an IDX file is called; `image` where it is not given.
    pub image: Option<String>,
}

impl ReadOptions {
    /// The words that stand for a missing value in CSV and TSV.
    pub fn missing_words(&self) -> Vec<String> {
        self.missing.clone().unwrap_or_else(|| infer::MISSING_WORDS.map(str::to_owned).to_vec())
    }
}

/// The format of a table that is held in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BytesFormat {
    /// CSV or TSV.
    Delimited,
    /// One JSON object a line.
    JsonLines,
    /// Arrow IPC, a stream or a file.
    Arrow,
}

/// Reads a table that is held in memory; `name` stands for the file in messages.
///
/// # Errors
/// Those of [`read`] but for the file itself.
pub fn read_bytes(name: &str, bytes: Vec<u8>, format: BytesFormat, options: &ReadOptions) -> Result<Table, DataError> {
    if bytes.trim_ascii_start().is_empty() {
        return Err(DataError::Empty { file: name.to_owned() });
    }
    match format {
        BytesFormat::Delimited => delimited::read(name, &utf8(name, bytes)?, options),
        BytesFormat::JsonLines => jsonl::read(name, &utf8(name, bytes)?, options),
        BytesFormat::Arrow => arrow::read(name, bytes, options),
    }
}

/// Reads a table of JSON objects, one a row; `name` stands for the file in messages.
///
/// # Errors
/// Those of [`read`] but for the file itself.
pub fn read_objects(
    name: &str,
    objects: &[&serde_json::value::RawValue],
    options: &ReadOptions,
) -> Result<Table, DataError> {
    jsonl::read_objects(name, objects, options)
}

/// Reads a CSV, TSV, JSON lines, Parquet, Arrow or CoNLL-U file, one with a token a line
/// ([`ReadOptions::columns`]), IDX images with their labels, or a folder of images (`image`, the path, and `label`, the
/// subfolder). gzip and zstd are known by their first bytes, whatever the name.
///
/// A column is a number column if every value that is there is a finite number, and text otherwise; `true` and `false`
/// are text. Dates and times of Parquet are text as well (`2004-03-10`, `2004-03-10 18:00:00`), or with
/// [`Hint::Number`] days and seconds since 1970.
///
/// # Errors
/// See [`DataError`]: the file cannot be read, is empty, damaged or of no known format; a row, a name or a value is
/// wrong, with its place.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Table, DataError> {
    let file = path.display().to_string();
    let stray = || options.labels.is_some().then(|| DataError::StrayLabels { file: file.clone() }).map_or(Ok(()), Err);
    if path.is_dir() {
        stray()?;
        return read_folder(path, options.image.as_deref());
    }
    let bytes = compress::load(path, &file)?;
    if idx::is_idx(path, &bytes) {
        return idx::read_images(path, bytes, options);
    }
    stray()?;
    let mut table = match format(path, &file, &bytes, options)? {
        Format::Parquet => parquet::read(&file, bytes, options),
        Format::Arrow => arrow::read(&file, bytes, options),
        Format::JsonLines => jsonl::read(&file, &utf8(&file, bytes)?, options),
        Format::Delimited => delimited::read(&file, &utf8(&file, bytes)?, options),
        Format::ConllU => text::read_conllu(&file, &utf8(&file, bytes)?),
        Format::Tokens(names) => text::read_columns(&file, &utf8(&file, bytes)?, names),
    }?;
    if let Some(folder) = &options.folder {
        table.set_folder(folder);
    }
    Ok(table)
}

/// The bytes of a file, unpacked.
pub(crate) fn load_bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    compress::load(path, &path.display().to_string())
}

/// A whole text file, unpacked.
pub(crate) fn open_text(path: &Path, file: &str) -> Result<String, DataError> {
    utf8(file, compress::load(path, file)?)
}

enum Format<'a> {
    Delimited,
    JsonLines,
    Parquet,
    Arrow,
    ConllU,
    /// A token a line, with the names of the columns.
    Tokens(&'a [String]),
}

/// The format by the content where that is certain, then by the name, then by what the first lines look like.
fn format<'a>(path: &Path, file: &str, bytes: &[u8], options: &'a ReadOptions) -> Result<Format<'a>, DataError> {
    let unknown = |found| Err(DataError::UnknownFormat { file: file.to_owned(), found });
    match bytes {
        [b'P', b'A', b'R', b'1', ..] => return Ok(Format::Parquet),
        _ if bytes.starts_with(arrow::MAGIC) || bytes.starts_with(arrow::STREAM) => return Ok(Format::Arrow),
        [b'P', b'K', 3, 4, ..] => return unknown("a zip archive or a spreadsheet"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => return unknown("UTF-16 text"),
        _ => {}
    }
    let text = bytes.strip_prefix(BOM).unwrap_or(bytes).trim_ascii_start();
    if text.is_empty() {
        return Err(DataError::Empty { file: file.to_owned() });
    }
    match extension(path).as_str() {
        "parquet" | "pq" => {
            return Err(DataError::Corrupt {
                file: file.to_owned(),
                format: "Parquet",
                message: "it does not begin with the mark of a Parquet file".into(),
            });
        }
        "jsonl" | "ndjson" | "json" => return Ok(Format::JsonLines),
        "conllu" => return Ok(Format::ConllU),
        _ if bytes.iter().take(8192).any(|byte| *byte == 0) => return unknown("binary data"),
        _ if options.columns.is_some() => return Ok(Format::Tokens(options.columns.as_deref().unwrap_or_default())),
        "csv" | "tsv" | "tab" | "txt" => return Ok(Format::Delimited),
        _ if text.starts_with(b"{") => return Ok(Format::JsonLines),
        _ => {}
    }
    if options.delimiter.is_some() || sniff::delimiter(text).is_some() {
        return Ok(Format::Delimited);
    }
    unknown("text without a delimiter")
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The extension in lower case, that of the compression left away.
fn extension(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    name.rsplit_once('.').map(|(_, end)| end.to_owned()).unwrap_or_default()
}

/// The text without a byte order mark.
fn utf8(file: &str, mut bytes: Vec<u8>) -> Result<String, DataError> {
    if bytes.starts_with(BOM) {
        bytes.drain(..BOM.len());
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        DataError::NotUtf8 { place: Place::line(file, line) }
    })
}
