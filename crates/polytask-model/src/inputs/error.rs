//! What can be wrong with the inputs.

use crate::pretrained::CheckpointError;
use crate::section::InputKind;
use polytask_data::{DataError, ImageProblem, Place};

/// Inputs that cannot be encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Nothing to learn from.
    #[error("the table has no input column: every column is a label, ignored, or used for splitting or weighing")]
    NoInput,
    /// An input column is not in the table.
    #[error("input `{input}`: {source}")]
    Column {
        /// The input.
        input: String,
        /// What it is to hold, where that is known.
        kind: Option<InputKind>,
        /// What the table says.
        source: Box<DataError>,
    },
    /// A value of an input column could not be read as what the rest of the column is.
    #[error(transparent)]
    Values(Box<DataError>),
    /// `data.ignore` names a column that is not there.
    #[error("`data.ignore`: {0}")]
    Ignored(Box<DataError>),
    /// Nothing to fit on.
    #[error("input `{input}`: every value is missing in the training rows")]
    AllMissing {
        /// The input.
        input: String,
    },
    /// Lists, objects or images where a row should have one plain value.
    #[error("input `{input}` holds {found}; an input holds a number, a word, a truth value or a text a row")]
    NotPlain {
        /// The input.
        input: String,
        /// What it holds.
        found: &'static str,
    },
    /// Numbers or objects where texts should be.
    #[error("input `{input}` is a text, but holds {found}")]
    NotText {
        /// The input.
        input: String,
        /// What it holds.
        found: &'static str,
    },
    /// A token without a character.
    #[error("{place}: input `{input}`: token {token} is empty")]
    EmptyToken {
        /// The row.
        place: Box<Place>,
        /// The input.
        input: String,
        /// Its number, from 1.
        token: usize,
    },
    /// A file of vectors that cannot be read.
    #[error("input `{input}`: {source}")]
    VectorsFile {
        /// The input.
        input: String,
        /// What is wrong with it, and where.
        source: Box<DataError>,
    },
    /// A file of vectors that does not fit, or a tokenizer that cannot be read or used.
    #[error("input `{input}`: {reason}")]
    TextFile {
        /// The input.
        input: String,
        /// What does not fit.
        reason: String,
    },
    /// A pretrained encoder that does not fit its input.
    #[error("input `{input}`: {reason}")]
    Encoder {
        /// The input.
        input: String,
        /// What does not fit.
        reason: String,
    },
    /// A pretrained encoder that cannot be used.
    #[error("input `{input}`: {source}")]
    Pretrained {
        /// The input.
        input: String,
        /// What is wrong with it.
        source: Box<CheckpointError>,
    },
    /// A word in a column of numbers.
    #[error("{place}: input `{input}` is a number, but holds `{value}`")]
    NotNumber {
        /// The row.
        place: Place,
        /// The input.
        input: String,
        /// The word.
        value: String,
    },
    /// A number so large that a network can compute nothing with it.
    #[error(
        "{place}: input `{input}` is `{value}`, which is too far from the values of the training rows to compute with"
    )]
    TooLarge {
        /// The row.
        place: Place,
        /// The input.
        input: String,
        /// The value.
        value: String,
    },
    /// A value that is neither true nor false.
    #[error("{place}: input `{input}` is a boolean, but holds `{value}`")]
    NotBoolean {
        /// The row.
        place: Place,
        /// The input.
        input: String,
        /// The value.
        value: String,
    },
    /// A value that is no date.
    #[error("{place}: input `{input}` is a date, but holds `{value}`")]
    NotDate {
        /// The row.
        place: Place,
        /// The input.
        input: String,
        /// The value.
        value: String,
    },
    /// A column that a kind of the program's own refuses.
    #[error("input `{input}`: {reason}")]
    Own {
        /// The input.
        input: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A value that a kind of the program's own refuses.
    #[error("{place}: input `{input}` holds `{value}`: {reason}")]
    OwnValue {
        /// The row.
        place: Place,
        /// The input.
        input: String,
        /// The value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An identifier or free text.
    #[error("input `{input}`: {levels} different words in {rows} rows; this is an identifier or free text")]
    ManyLevels {
        /// The input.
        input: String,
        /// How many.
        levels: usize,
        /// Training rows with a value.
        rows: usize,
        /// Whether the config called it a category.
        declared: bool,
    },
    /// An image that cannot be used.
    #[error("{image}: {problem}{}", and_more(*others))]
    Image {
        /// Where it is.
        image: String,
        /// What is wrong with it.
        problem: ImageProblem,
        /// How many more cannot be used.
        others: usize,
    },
    /// Images of several sizes where the config names none.
    #[error("input `{input}`: the images differ in size: {first}, {other}")]
    Sizes {
        /// The input.
        input: String,
        /// An image with its size.
        first: String,
        /// Another one.
        other: String,
    },
    /// A key that does nothing for the kind that was inferred.
    #[error("input `{input}` was taken for a {kind}, for which `{key}` has no meaning")]
    StrayKey {
        /// The input.
        input: String,
        /// The kind inferred.
        kind: &'static str,
        /// The key.
        key: &'static str,
    },
    /// A stored encoder that does not hold together.
    #[error("input `{input}` is damaged: {reason}")]
    Damaged {
        /// The input.
        input: String,
        /// What does not hold.
        reason: &'static str,
    },
}

fn and_more(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => " (and 1 more image cannot be used)".to_owned(),
        _ => format!(" (and {others} more images cannot be used)"),
    }
}

impl EncodeError {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoInput => "name the columns to read in [inputs], or ignore fewer",
            Self::Column { kind: None, source, .. } => return source.hint(),
            Self::Column { kind: Some(kind), source, .. } => {
                let nearest = source.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                return Some(format!("it is to hold a {}{nearest}", kind.word()));
            }
            Self::Values(source) | Self::Ignored(source) => return source.hint(),
            Self::AllMissing { input } | Self::NotPlain { input, .. } => {
                return Some(format!("take it out with data.ignore = [\"{input}\"]"));
            }
            Self::NotNumber { .. } => {
                "list the word in data.missing if it stands for a missing value; if the column holds words, train \
                 with it as a \"category\""
            }
            Self::NotDate { .. } => {
                "all dates of a column are written alike: the year first (2024-03-10), the day first (10.03.2024), the month \
                 first (03/10/2024), or as seconds since 1970; say which with format = \"year\", \"day\", \"month\" or \
                 \"unix\""
            }
            Self::TooLarge { .. } => "list the value in data.missing if it stands for a missing one",
            Self::NotBoolean { .. } => "a boolean is true or false, yes or no, t or f, y or n, 1 or 0, in any case",
            Self::ManyLevels { input, declared, .. } => {
                let ignore = format!("take it out with data.ignore = [\"{input}\"]");
                return Some(match declared {
                    true => ignore,
                    false => format!("{ignore}, or say in [inputs] what it is: a \"category\", \"text\" or a \"date\""),
                });
            }
            Self::VectorsFile { source, .. } => return source.hint(),
            Self::Pretrained { source, .. } => return source.hint().map(str::to_owned),
            Self::NotText { .. } => "a text is words, or a list of tokens",
            Self::EmptyToken { .. } => "every token has at least one character that is no blank, tab or line end",
            Self::Image { problem: ImageProblem::TooLarge { .. } | ImageProblem::Bomb { .. }, .. } => {
                "scale it down, or raise data.max_pixels if it is meant to be that large"
            }
            Self::Image { .. } => {
                "mend it or take its row out; data.on_error = \"skip\" leaves out all rows whose image cannot be \
                 used, and `predict --on-error skip` all predictions for them"
            }
            Self::Sizes { input, .. } => {
                return Some(format!(
                    "say what they are to be scaled to: inputs.{input} = {{ kind = \"image\", size = [28, 28] }}"
                ));
            }
            Self::StrayKey { .. } => "say the kind of the input, or take the key out",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
