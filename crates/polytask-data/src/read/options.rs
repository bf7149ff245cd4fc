//! What is said of a file before it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::missing::MISSING_WORDS;
use crate::hint::Hint;

/// Labels in files of their own, for images in IDX files, in the order of the images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelFiles {
    /// IDX labels, which become the column `label`, or a table.
    One(PathBuf),
    /// IDX labels, which become columns of these names.
    Named(Vec<(String, PathBuf)>),
}

/// How files of text are written, as far as it is known before they are read. The default finds everything out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dialect {
    /// The byte between fields; found among comma, semicolon, tab and bar where it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<u8>,
    /// A quote is a character like any other.
    #[serde(skip_serializing_if = "is_default")]
    pub unquoted: bool,
    /// Lines that begin with this byte are passed over. Left out, those above the header are that begin with `#` and
    /// have another number of fields than the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<u8>,
    /// Lines above the header that are passed over.
    #[serde(skip_serializing_if = "is_default")]
    pub skip: usize,
    /// Words that stand for a missing value, blanks around them ignored, beside the customary ones: see
    /// [`missing_words`](Self::missing_words). JSON and Parquet have their own null, so there a text is missing only if
    /// it is listed here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<String>>,
    /// `1.234` is 1234 where nothing else tells, since other numbers have a decimal comma.
    #[serde(skip_serializing_if = "is_default")]
    pub decimal_comma: bool,
    /// The names of the columns of a file with a token a line, in their order: `_` passes one over, one such as
    /// `frames...` takes the argument columns of all predicates. Given, every text file is taken for one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Dialect {
    /// The words that stand for a missing value in columns of numbers, the customary ones in each case that they are written
    /// in. In columns of text only the empty field of CSV does, and the words that were given.
    pub fn missing_words(&self) -> Vec<String> {
        let given = self.missing.iter().flatten().cloned();
        let capital = |word: &str| {
            word.get(..1).unwrap_or_default().to_uppercase() + &word.get(1..).unwrap_or_default().to_lowercase()
        };
        let cases = MISSING_WORDS.iter().flat_map(|word| {
            let mut cases = vec![(*word).to_owned()];
            for other in [word.to_lowercase(), word.to_uppercase(), capital(word)] {
                if !cases.contains(&other) {
                    cases.push(other);
                }
            }
            cases
        });
        cases.chain(given).collect()
    }

    /// What holds of other files of the same data as well: lines above the header are those of one file.
    #[must_use]
    pub fn lasting(&self) -> Self {
        let found = |byte: &u8| super::sniff::CANDIDATES.contains(byte);
        Self { skip: 0, delimiter: self.delimiter.filter(|byte| !found(byte)), ..self.clone() }
    }
}

/// The columns that someone asks for. Others are told from them by their names alone, before there is a cell of them.
#[derive(Debug, Clone, Default)]
pub struct Only {
    /// Their names.
    pub columns: BTreeSet<String>,
    /// Whether another one is an error; otherwise it is passed over.
    pub strict: bool,
}

/// How to read a file. The default finds everything out.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// How text is written.
    pub dialect: Dialect,
    /// Columns that are passed over: the table does not have them.
    pub omit: BTreeSet<String>,
    /// The kinds of columns, by name; the others are inferred. A name the file does not have is ignored.
    pub hints: BTreeMap<String, Hint>,
    /// The labels of images in an IDX file; found by their names where they are not given.
    pub labels: Option<LabelFiles>,
    /// What paths of images in a file are relative to; the folder of the file where it is not given.
    pub folder: Option<PathBuf>,
    /// What the image column of a folder or an IDX file is called; `image` where it is not given.
    pub image: Option<String>,
    /// The only columns that are read of JSON, where not all are.
    pub only: Option<Arc<Only>>,
    /// Columns times rows that JSON may come to. Left out, 16 million, or more in a larger text.
    pub max_cells: Option<usize>,
    /// Bytes that a packed file may unpack to. Left out, 8 GiB, and of files that are packed more than 200-fold 256 MiB.
    pub max_unpacked: Option<u64>,
}
