//! Files and folders into tables: the format is found from the content and the name.

mod arrow;
mod compress;
mod conll;
mod date;
mod delimited;
mod document;
mod encoding;
mod folder;
pub mod idx;
mod infer;
mod jsonl;
mod limit;
mod missing;
mod moment;
mod number;
mod options;
mod parquet;
mod parts;
mod preamble;
mod sniff;
mod style;
mod vectors;

use std::borrow::Cow;
use std::path::Path;

use encoding::{trimmed, unmarked, utf8};

use crate::column::Column;
use crate::error::DataError;
use crate::split;
use crate::table::Table;

pub use arrow::read_arrays;
pub use date::{DateFormat, Dates, dates};
pub use folder::is_name as is_image_name;
pub use options::{Dialect, LabelFiles, Only, ReadOptions};
pub use vectors::{WordVectors, word_vectors};

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
    let text = |bytes| utf8(name, encoding::from_utf16(name, bytes)?);
    match format {
        BytesFormat::Delimited => delimited::read(name, &text(bytes)?, options),
        BytesFormat::JsonLines => jsonl::read(name, &text(bytes)?, options),
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

/// Reads a CSV, TSV, JSON lines, JSON, Parquet, Arrow or CoNLL file, one with a token a line ([`Dialect::columns`]), IDX
/// images with their labels, or a folder of images (`image`, the path, and `label`, the subfolder). gzip and zstd are
/// known by their first bytes, whatever the name, and UTF-16 by its zero bytes. `-` is standard input. A folder of tables,
/// or a name with `*` and `?`, is one table in several files, in the order of their names. If all are called like parts of a
/// split (`train.csv`, `dev-00001.parquet`, `test/part.jsonl`), the column `split` says which, and a column that some of them
/// lack is missing there.
///
/// A column is a number column if every value that is there is a finite number, and text otherwise; `true` and `false`
/// are text. In CSV numbers may be written `1,805.06`, `1.234,56`, `$905.03` or `12 %`, which a note tells. Dates and
/// times of Parquet are text as well (`2004-03-10`, `2004-03-10 18:00:00`), or with [`Hint::Number`](crate::Hint::Number) days and seconds
/// since 1970.
///
/// What is wrong with the values of one column is told to whoever needs that column: see [`Table::faults`].
///
/// # Errors
/// See [`DataError`]: the file cannot be read, is empty, damaged or of no known format, or unpacks to too much; a row or a
/// name is wrong, with its place.
pub fn read(path: &Path, options: &ReadOptions) -> Result<Table, DataError> {
    let Some(parts) = parts::of(path)? else { return read_one(path, options) };
    let mut whole: Option<Table> = None;
    // Parts of a split may lack labels, or have further columns.
    let named = parts.iter().any(|part| part.split.is_some()) && !options.omit.contains(split::COLUMN);
    for part in parts {
        let hints = whole.iter().flat_map(Table::hints).chain(options.hints.clone()).collect();
        // Columns of later parts are read as those of the first were.
        let mut table = read_one(&part.path, &ReadOptions { hints, ..options.clone() })?;
        if let Some(split) = part.split.filter(|_| named && table.column(split::COLUMN).is_none()) {
            table.push(Column::text(split::COLUMN, vec![Some(split); table.rows()]))?;
        }
        match &mut whole {
            None => whole = Some(table),
            Some(whole) if part.split.is_some() => whole.unite(table)?,
            Some(whole) => whole.append(table)?,
        }
    }
    let mut whole = whole.ok_or_else(|| DataError::NoMatch { pattern: path.display().to_string() })?;
    if named {
        whole.set_aside(split::COLUMN);
        let (path, column) = (path.display(), split::COLUMN);
        whole.note(format!(
            "{path}: the names of its files were taken for the parts of the split, the column `{column}`"
        ));
    }
    Ok(whole)
}

/// Reads a file, or a folder of images.
fn read_one(path: &Path, options: &ReadOptions) -> Result<Table, DataError> {
    let file = if path == Path::new(compress::STDIN) { "stdin".to_owned() } else { path.display().to_string() };
    let stray = || options.labels.is_some().then(|| DataError::StrayLabels { file: file.clone() }).map_or(Ok(()), Err);
    if path.is_dir() {
        stray()?;
        return folder::read(path, options.image.as_deref());
    }
    let bytes = compress::load(path, &file, options.max_unpacked)?;
    if idx::is_idx(path, &bytes) {
        return idx::read_images(path, bytes, options);
    }
    stray()?;
    let bytes = encoding::from_utf16(&file, bytes)?;
    let mut table = match format(path, &file, &bytes, options)? {
        Format::Parquet => parquet::read(&file, bytes, options),
        Format::Arrow => arrow::read(&file, bytes, options),
        Format::JsonLines => jsonl::read(&file, &utf8(&file, bytes)?, options),
        Format::JsonDocument => jsonl::read_document(&file, &utf8(&file, bytes)?, options),
        Format::JsonList => jsonl::read_list(&file, &utf8(&file, bytes)?, options),
        Format::Delimited => delimited::read(&file, &utf8(&file, bytes)?, options),
        Format::ConllU => conll::read_conllu(&file, &utf8(&file, bytes)?),
        Format::Tokens(names) => {
            let mut table = conll::read_columns(&file, &utf8(&file, bytes)?, &names)?;
            if let Cow::Owned(names) = names {
                table
                    .note(format!("{file}: its columns were taken for {}; name them in data.columns", names.join(" ")));
            }
            Ok(table)
        }
    }?;
    if let Some(folder) = &options.folder {
        table.set_folder(folder);
    }
    Ok(table)
}

/// The bytes of a file, unpacked.
pub(crate) fn load_bytes(path: &Path) -> Result<Vec<u8>, DataError> {
    compress::load(path, &path.display().to_string(), None)
}

/// A whole text file, unpacked.
pub(crate) fn open_text(path: &Path, file: &str) -> Result<String, DataError> {
    utf8(file, compress::load(path, file, None)?)
}

enum Format<'a> {
    Delimited,
    JsonLines,
    /// One list of objects.
    JsonList,
    /// One object.
    JsonDocument,
    Parquet,
    Arrow,
    /// CoNLL-U, or CoNLL-U Plus.
    ConllU,
    /// A token a line, with the names of the columns.
    Tokens(Cow<'a, [String]>),
}

/// The format by the content where that is certain, then by the name, then by what the first lines look like.
fn format<'a>(path: &Path, file: &str, bytes: &[u8], options: &'a ReadOptions) -> Result<Format<'a>, DataError> {
    let unknown = |found| Err(DataError::UnknownFormat { file: file.to_owned(), found });
    match bytes {
        [b'P', b'A', b'R', b'1', ..] => return Ok(Format::Parquet),
        _ if bytes.starts_with(arrow::MAGIC) || bytes.starts_with(arrow::STREAM) => return Ok(Format::Arrow),
        _ if bytes.starts_with(b"FEA1") => return unknown("Feather of version 1; write it as version 2"),
        [b'P', b'K', 3, 4, ..] => return unknown("a zip archive or a spreadsheet"),
        _ if bytes.starts_with(b"version https://git-lfs") => {
            return unknown("a pointer of Git LFS; `git lfs pull` fetches the file itself");
        }
        _ => {}
    }
    let text = trimmed(unmarked(bytes)).trim_ascii_start();
    if text.is_empty() {
        return Err(DataError::Empty { file: file.to_owned() });
    }
    let names = &options.dialect.columns;
    match extension(path).as_str() {
        "parquet" | "pq" => {
            return Err(DataError::Corrupt {
                file: file.to_owned(),
                format: "Parquet",
                message: "it does not begin with the mark of a Parquet file".into(),
            });
        }
        "jsonl" | "ndjson" | "json" if text.starts_with(b"[") => return Ok(Format::JsonList),
        "json" if is_one(text) => return Ok(Format::JsonDocument),
        "jsonl" | "ndjson" | "json" => return Ok(Format::JsonLines),
        "conllu" | "conllup" => return Ok(Format::ConllU),
        _ if text.iter().take(8192).any(|byte| *byte == 0) => return unknown("binary data"),
        _ if is_page(text) => return unknown("a page of the web, perhaps of an error, in place of the file"),
        _ if is_object(text) => return Ok(Format::JsonLines),
        _ if conll::is_conllu(text) => return Ok(Format::ConllU),
        _ if names.is_some() => return Ok(Format::Tokens(names.as_deref().unwrap_or_default().into())),
        _ if let Some(names) = conll::guess_columns(text) => return Ok(Format::Tokens(names.into())),
        "csv" | "tsv" | "tab" | "txt" => return Ok(Format::Delimited),
        _ if text.starts_with(b"{") => return Ok(Format::JsonLines),
        _ if text.starts_with(b"[{") => return Ok(Format::JsonList),
        _ => {}
    }
    if options.dialect.delimiter.is_some() || sniff::delimiter(text, sniff::Form::default()).is_some() {
        return Ok(Format::Delimited);
    }
    unknown("text without a delimiter")
}

/// Whether a text is HTML.
fn is_page(text: &[u8]) -> bool {
    let begins = |mark: &str| text.get(..mark.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(mark.as_bytes()));
    begins("<!doctype html") || begins("<html")
}

/// Whether a text is one object of JSON, and no line of it by itself.
fn is_one(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let text = jsonl::numbers(text);
    // Of JSON lines no more than two are read.
    let mut values = serde_json::Deserializer::from_str(&text).into_iter::<&serde_json::value::RawValue>();
    match values.next() {
        Some(Ok(_)) => values.next().is_none(),
        Some(Err(_)) => {
            text.starts_with('{') && !text.lines().next().is_some_and(|line| line.trim_end().ends_with('}'))
        }
        None => false,
    }
}

/// Whether the first line of a text is an object of JSON, whatever the file is called.
fn is_object(text: &[u8]) -> bool {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    text.starts_with(b"{\"") && serde_json::from_slice::<&serde_json::value::RawValue>(line).is_ok()
}

/// The extension in lower case, that of the compression left away.
fn extension(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = [".gz", ".zst"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    name.rsplit_once('.').map(|(_, end)| end.to_owned()).unwrap_or_default()
}
