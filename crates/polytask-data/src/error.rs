//! What can be wrong with data, said with the place and with what would be right.

use std::sync::Arc;

use crate::place::{At, Place};

/// Every way reading, joining or splitting a table can fail; [`DataError::hint`] gives the remedy where there is one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The path leads nowhere.
    #[error("no such file: {file}")]
    NoSuchFile {
        /// The path.
        file: String,
    },
    /// The path is a directory.
    #[error("{file} is a directory, not a file")]
    IsDirectory {
        /// The path.
        file: String,
    },
    /// The file may not be read.
    #[error("no permission to read {file}")]
    Denied {
        /// The path.
        file: String,
    },
    /// The operating system reported another failure.
    #[error("cannot read {file}: {source}")]
    Io {
        /// The path.
        file: String,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The file holds nothing.
    #[error("{file} is empty")]
    Empty {
        /// The path.
        file: String,
    },
    /// The file names its columns but has no row.
    #[error("{file} names its columns but has no rows")]
    NoRows {
        /// The path.
        file: String,
    },
    /// The file holds objects without a key.
    #[error("{file} has no columns")]
    NoColumns {
        /// The path.
        file: String,
    },
    /// More rows than an index can count.
    #[error("{file} has {rows} rows, more than the {} a table can hold", u32::MAX - 1)]
    TooManyRows {
        /// The path.
        file: String,
        /// The number of rows.
        rows: usize,
    },
    /// Neither the name nor the content tells a format that can be read.
    #[error("{file}: unknown format ({found})")]
    UnknownFormat {
        /// The path.
        file: String,
        /// What the content looks like.
        found: &'static str,
    },
    /// A compressed or binary file is damaged.
    #[error("{file} is damaged: {format}: {message}")]
    Corrupt {
        /// The path.
        file: String,
        /// `gzip`, `zstd`, `Parquet` or `Arrow`.
        format: &'static str,
        /// The decoder's words.
        message: String,
    },
    /// A packed file unpacks to more than is allowed.
    #[error("{file} has {packed} bytes and unpacks to more than {limit}, which is refused")]
    Bomb {
        /// The path.
        file: String,
        /// Bytes of the file.
        packed: u64,
        /// Bytes it may unpack to.
        limit: u64,
    },
    /// So many columns have so few values that the table would take far more memory than the file.
    #[error("{file}: {columns} columns and {rows} rows, of which nearly all values are missing, are too many")]
    Sparse {
        /// The path.
        file: String,
        /// The columns so far.
        columns: usize,
        /// All rows.
        rows: usize,
    },
    /// A key that nobody asked for.
    #[error("{place}: column `{column}` is not one of those that are read")]
    StrayColumn {
        /// The row.
        place: Place,
        /// Its name.
        column: String,
    },
    /// Above the header stands something else.
    #[error("{file}: line {line} looks like a title: the lines from line {header} on have {fields} fields")]
    Title {
        /// The path.
        file: String,
        /// The line that was taken for the header.
        line: u64,
        /// The line that looks like it.
        header: u64,
        /// Its fields.
        fields: usize,
        /// Lines to pass over.
        skip: usize,
    },
    /// No file has a name like this.
    #[error("no file is called {pattern}")]
    NoMatch {
        /// The name with its wildcards.
        pattern: String,
    },
    /// Columns that are needed cannot be read.
    #[error("{}", all(.0))]
    BadColumns(
        /// What is wrong with each.
        Vec<Arc<DataError>>,
    ),
    /// A text file is not UTF-8.
    #[error("{place}: the text is not UTF-8")]
    NotUtf8 {
        /// The line.
        place: Place,
    },
    /// A row has more or fewer fields than the header.
    #[error("{place}: expected {expected} field{}, found {found}", if *expected == 1 { "" } else { "s" })]
    Ragged {
        /// The line.
        place: Place,
        /// Fields in the header.
        expected: usize,
        /// Fields in this row.
        found: usize,
        /// Whether it begins like a comment.
        comment: bool,
    },
    /// A quoted field runs to the end of the file.
    #[error("{place}: a quote is opened in this record and never closed")]
    OpenQuote {
        /// The line the record begins on.
        place: Place,
    },
    /// Two columns share a name.
    #[error("{file}: two columns are called `{column}` (numbers {first} and {second})")]
    DuplicateColumn {
        /// The path.
        file: String,
        /// The name.
        column: String,
        /// The first one's number, from 1.
        first: usize,
        /// The second one's number, from 1.
        second: usize,
    },
    /// A column has no name.
    #[error("{file}: column {number} has no name")]
    UnnamedColumn {
        /// The path.
        file: String,
        /// The column's number, from 1.
        number: usize,
    },
    /// A word stands where a number should.
    #[error("{place}: column `{column}`: `{value}` is not a number")]
    NotNumber {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// The word.
        value: String,
        /// The column was declared as a number; otherwise it was taken for one because nearly all its values are.
        declared: bool,
    },
    /// A number is infinite.
    #[error("{place}: column `{column}`: `{value}` is not a finite number")]
    NotFinite {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// The value as written.
        value: String,
    },
    /// A line is not JSON.
    #[error("{place}, column {column}: not valid JSON: {message}")]
    Json {
        /// The line.
        place: Place,
        /// The character column, from 1.
        column: usize,
        /// The parser's words.
        message: String,
    },
    /// A JSON key holds a list or an object in one line and a plain value in another.
    #[error("{place}: the value of `{key}` is {kind}, but {other} in {first}")]
    MixedValue {
        /// The line.
        place: Place,
        /// The key.
        key: String,
        /// `a list`, `an object` or `a plain value`.
        kind: &'static str,
        /// The line that has the other kind.
        first: At,
        /// The other kind.
        other: &'static str,
    },
    /// A line of a file of sentences is wrong.
    #[error("{place}{}: {reason}", if column.is_empty() { String::new() } else { format!(", field {column}") })]
    Sentence {
        /// The line.
        place: Place,
        /// The field of CoNLL-U; empty for the line as a whole.
        column: String,
        /// What is wrong.
        reason: String,
    },
    /// Columns of arguments without one that says which tokens are predicates.
    #[error("`{column}` takes columns of arguments, but no column is called `predicate`")]
    NoPredicates {
        /// As the config has it.
        column: String,
    },
    /// A line of a file of word vectors is wrong.
    #[error("{place}: {reason}")]
    Vectors {
        /// The line.
        place: Place,
        /// What is wrong.
        reason: String,
    },
    /// A JSON object has a key twice.
    #[error("{place}: the key `{key}` appears twice")]
    DuplicateKey {
        /// The line.
        place: Place,
        /// The key.
        key: String,
    },
    /// A Parquet or Arrow column has a type no table column can hold.
    #[error("{file}: column `{column}` is {kind}; a table holds numbers, texts and booleans")]
    UnsupportedColumn {
        /// The path.
        file: String,
        /// The column.
        column: String,
        /// Its type, in words.
        kind: String,
    },
    /// There is no such column.
    #[error("there is no column `{column}`")]
    UnknownColumn {
        /// The name asked for.
        column: String,
        /// Names that look like it, best first.
        nearest: Vec<String>,
        /// Every column there is.
        known: Vec<String>,
    },
    /// Columns of one table differ in length.
    #[error("column `{column}` has {found} rows, the columns before it have {expected}")]
    Lengths {
        /// The column.
        column: String,
        /// Its rows.
        found: usize,
        /// The others' rows.
        expected: usize,
    },
    /// A text column's code points past its levels.
    #[error("column `{column}`, row {row}: code {code} is out of range for {levels} levels")]
    BadCode {
        /// The column.
        column: String,
        /// The row, from 1.
        row: usize,
        /// The code.
        code: u32,
        /// The number of levels.
        levels: usize,
    },
    /// The ends of a column's lists do not rise to the number of its items.
    #[error("column `{column}`: the ends of its lists are not those of its items")]
    BadList {
        /// The column.
        column: String,
    },
    /// A text column lists a level twice.
    #[error("column `{column}`: the level `{level}` is listed twice")]
    DuplicateLevel {
        /// The column.
        column: String,
        /// The level.
        level: String,
    },
    /// Two files to be joined have different columns.
    #[error("{file} has other columns than {first}: {}", differences(missing, extra))]
    ColumnsDiffer {
        /// The file that differs.
        file: String,
        /// The file it is appended to.
        first: String,
        /// Columns it lacks.
        missing: Vec<String>,
        /// Columns it has on top.
        extra: Vec<String>,
    },
    /// A column holds numbers in one file and text in another.
    #[error("column `{column}` holds {expected} in {first} but {found} in {file}")]
    KindsDiffer {
        /// The column.
        column: String,
        /// The first file.
        first: String,
        /// Its kind, such as `numbers` or `text`.
        expected: String,
        /// The other file.
        file: String,
        /// Its kind.
        found: String,
    },
    /// A column that is to hold images or their paths holds something else.
    #[error("column `{column}` holds {kind}, not images or paths of images")]
    NotImages {
        /// The column.
        column: String,
        /// What it holds, in a word.
        kind: &'static str,
    },
    /// A folder without images.
    #[error("{folder} holds no {lacks}")]
    NoImages {
        /// The path.
        folder: String,
        /// The formats that are read, and what is there instead.
        lacks: String,
    },
    /// A name that cannot stand in a table.
    #[error("the name of {file} is not UTF-8")]
    FileName {
        /// The path, as far as it can be shown.
        file: String,
    },
    /// An IDX file that does not hold together, or does not go with another one.
    #[error("{file}: {problem}")]
    Idx {
        /// The path.
        file: String,
        /// What is wrong, in words.
        problem: String,
    },
    /// Labels in files of their own beside something that is no array of images.
    #[error("{file} is no IDX file of images, to which alone labels in files of their own belong")]
    StrayLabels {
        /// The path.
        file: String,
    },
    /// A share lies outside its range.
    #[error("the {part} share {value} is out of range, allowed is 0 <= share < 1")]
    BadShare {
        /// `valid` or `test`.
        part: &'static str,
        /// The value.
        value: f64,
    },
    /// The shares leave nothing to train on.
    #[error("the shares of valid ({valid}) and test ({test}) leave nothing to train on")]
    SharesTooLarge {
        /// The validation share.
        valid: f64,
        /// The test share.
        test: f64,
    },
    /// A part that was asked for has no row.
    #[error("the {part} part of the split would be empty ({why})")]
    EmptyPart {
        /// `train`, `valid` or `test`.
        part: &'static str,
        /// Why, in words.
        why: String,
    },
    /// A split column holds something other than the name of a part.
    #[error("{place}: column `{column}` says {}, not train, valid or test", quoted_or_missing(value.as_deref()))]
    UnknownPart {
        /// The row.
        place: Place,
        /// The split column.
        column: String,
        /// The value, none where it is missing.
        value: Option<String>,
    },
    /// A split cannot be stratified and grouped at once.
    #[error("a split cannot be stratified by `{stratify}` and grouped by `{group}` at once")]
    StratifyAndGroup {
        /// The column of strata.
        stratify: String,
        /// The column of groups.
        group: String,
    },
    /// The period of a periodic split is too short.
    #[error("every {0} rows a test row leaves nothing to train on, allowed is 2 or more")]
    BadPeriod(usize),
    /// A row range of a split is outside the table or meets another part's.
    #[error("the {part} rows {start}..{end} {problem}")]
    BadRange {
        /// `train`, `valid` or `test`.
        part: &'static str,
        /// First row, from 0.
        start: usize,
        /// One past the last row.
        end: usize,
        /// What is wrong, in words.
        problem: String,
    },
}

impl DataError {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::UnknownFormat { .. } => {
                "accepted are CSV and TSV (.csv .tsv .txt), JSON lines (.jsonl .ndjson) and lists (.json), Parquet (.parquet), \
                 Arrow (.arrow .feather) and CoNLL-U (.conllu .conllup .conll), text also packed as .gz or .zst; images as IDX \
                 or as a folder"
            }
            Self::Bomb { .. } => "if it is to be trusted, allow more megabytes: data.max_unpacked = 16384",
            Self::StrayColumn { .. } => "take it out, or look at how it is spelt",
            Self::Sparse { .. } => "a key that names a row belongs into a value: {\"name\": \"k1\", \"value\": 1}",
            Self::Title { skip, .. } => {
                return Some(format!("if it is one, have the lines above the header passed over: data.skip = {skip}"));
            }
            Self::BadColumns(faults) => return hints(faults),
            Self::Corrupt { .. } => "the file may be cut short: fetch or write it again",
            Self::NotUtf8 { .. } => "save the file as UTF-8",
            Self::Ragged { comment: true, .. } => {
                "if it is a comment, have such lines passed over: data.comment = \"#\""
            }
            Self::Ragged { .. } => "a value that holds the delimiter must stand in double quotes",
            Self::OpenQuote { .. } => "close the quote, and double a quote that belongs to the value",
            Self::DuplicateColumn { .. } => "rename one of them",
            Self::UnnamedColumn { .. } => "name it in the header; if it is a row index, write the file without one",
            Self::NotNumber { declared: true, .. } => {
                "declare the column as a category, or list the word in data.missing if it stands for a missing value"
            }
            Self::NotNumber { declared: false, column, .. } => {
                return Some(format!(
                    "nearly all values of `{column}` are numbers: declare it as a category, or list the word in \
                     data.missing if it stands for a missing value"
                ));
            }
            Self::NotFinite { .. } => "list the word in data.missing if it stands for a missing value",
            Self::Json { .. } => "JSON lines hold an object each, a .json file a list of them or what pandas writes",
            Self::MixedValue { .. } => "a key holds lists, objects or plain values, and `null` where there is none",
            Self::UnsupportedColumn { .. } => "take the column out or spread it over columns",
            Self::UnknownColumn { nearest, known, .. } => return suggestion(nearest, known),
            Self::KindsDiffer { expected, found, .. } if expected.contains("image") || found.contains("image") => {
                "the images of all files must stand there in the same way, and those of IDX files have one size"
            }
            Self::StrayLabels { .. } => "a table, or a folder a class, has its labels inside: take data.labels out",
            Self::KindsDiffer { column, .. } => {
                return Some(format!(
                    "declare `{column}` as a number or a category, so that both files are read alike"
                ));
            }
            Self::NoPredicates { .. } => {
                "it says for every token its sense or lemma if it is a predicate, and `-` if not"
            }
            Self::Vectors { .. } => "word vectors are text, a word and its numbers a line with blanks between them",
            Self::UnknownPart { .. } => "accepted are train, valid (also validation, val, dev) and test",
            Self::EmptyPart { .. } => "use a larger share or more rows",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether no value of a column can be had.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::UnsupportedColumn { .. } | Self::DuplicateColumn { .. })
    }

    /// The error for a file the operating system would not give.
    pub(crate) fn io(file: &str, source: std::io::Error) -> Self {
        let file = file.to_owned();
        match source.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => Self::NoSuchFile { file },
            std::io::ErrorKind::IsADirectory => Self::IsDirectory { file },
            std::io::ErrorKind::PermissionDenied => Self::Denied { file },
            _ => Self::Io { file, source },
        }
    }

    pub(crate) fn unknown_column<'a>(column: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let known: Vec<String> = known.map(str::to_owned).collect();
        Self::UnknownColumn { column: column.to_owned(), nearest: nearest(column, &known), known }
    }
}

/// Faults that are shown of many.
const SHOWN: usize = 10;

/// What is wrong with columns, one or several.
fn all(faults: &[Arc<DataError>]) -> String {
    match faults {
        [fault] => fault.to_string(),
        _ => {
            let shown = faults.iter().take(SHOWN).map(|fault| format!("\n  {fault}"));
            let more = faults.len().saturating_sub(SHOWN);
            let more = if more > 0 { format!("\n  and {more} more") } else { String::new() };
            format!("{} columns cannot be read:{}{more}", faults.len(), shown.collect::<String>())
        }
    }
}

/// The different remedies of columns.
fn hints(faults: &[Arc<DataError>]) -> Option<String> {
    let mut hints: Vec<String> = faults.iter().take(SHOWN).filter_map(|fault| fault.hint()).collect();
    hints.dedup();
    (!hints.is_empty()).then(|| hints.join("; "))
}

/// At most three names like `name`, best first; equal ones in the order given.
fn nearest(name: &str, known: &[String]) -> Vec<String> {
    let lower = name.to_lowercase();
    let mut scored: Vec<(f64, &String)> = known
        .iter()
        .map(|other| (strsim::jaro_winkler(&lower, &other.to_lowercase()), other))
        // Below 0.75 the names share little more than a few letters.
        .filter(|(score, _)| *score >= 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.into_iter().take(3).map(|(_, name)| name.clone()).collect()
}

fn suggestion(nearest: &[String], known: &[String]) -> Option<String> {
    if !nearest.is_empty() {
        return Some(format!("did you mean {}?", list(nearest, " or ")));
    }
    let more = known.len().saturating_sub(12);
    let shown = list(known.get(..12).unwrap_or(known), ", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    (!known.is_empty()).then(|| format!("the columns are {shown}{more}"))
}

fn list(names: &[String], between: &str) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(between)
}

fn differences(missing: &[String], extra: &[String]) -> String {
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!("it lacks {}", list(missing, ", ")));
    }
    if !extra.is_empty() {
        parts.push(format!("it has {} on top", list(extra, ", ")));
    }
    parts.join(" and ")
}

fn quoted_or_missing(value: Option<&str>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| format!("`{value}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_columns_name_the_nearest_or_the_choice() {
        let known = ["height", "weight", "age"];
        let error = DataError::unknown_column("heigth", known.into_iter());
        assert_eq!(error.to_string(), "there is no column `heigth`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `height` or `weight`?"));
        let error = DataError::unknown_column("zzz", known.into_iter());
        assert_eq!(error.hint().as_deref(), Some("the columns are `height`, `weight`, `age`"));
    }

    #[test]
    fn long_choices_are_cut() {
        let known: Vec<String> = (0..15).map(|i| format!("c{i:02}")).collect();
        let hint = DataError::unknown_column("zzz", known.iter().map(String::as_str)).hint().unwrap();
        assert!(hint.ends_with("`c11` and 3 more"), "{hint}");
    }
}
