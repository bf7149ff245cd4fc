//! Where a row came from.

use std::fmt;

/// A row's place in the file it was read from, for error messages.
///
/// Shown as `people.csv line 17` for text files and `people.parquet row 17` otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named by the caller.
    pub file: String,
    /// The position inside the file.
    pub at: At,
}

/// A position inside a file, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// A line of a text file; a record that spans several lines is known by its first.
    Line(u64),
    /// A row of a file without lines.
    Row(u64),
}

impl Place {
    pub(crate) fn line(file: &str, line: u64) -> Self {
        Self { file: file.to_owned(), at: At::Line(line) }
    }

    pub(crate) fn row(file: &str, row: u64) -> Self {
        Self { file: file.to_owned(), at: At::Row(row) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.file, self.at)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            At::Line(line) => write!(f, "line {line}"),
            At::Row(row) => write!(f, "row {row}"),
        }
    }
}
