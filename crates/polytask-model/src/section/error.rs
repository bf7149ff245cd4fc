//! What can be wrong with a config, and where.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// A config that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the config {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A key or value is wrong.
    #[error(transparent)]
    Key(Box<KeyError>),
    /// The config cannot be written as TOML (a seed above 2^63 - 1, say).
    #[error("the config cannot be written as TOML: {0}")]
    Write(#[from] toml::ser::Error),
}

impl ConfigError {
    /// What would be right, where that is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            ConfigError::Key(error) => error.problem.hint.clone(),
            _ => None,
        }
    }

    /// The dotted key that is wrong.
    pub fn key(&self) -> Option<String> {
        match self {
            ConfigError::Key(error) if !error.problem.key.is_empty() => Some(dotted(&error.problem.key)),
            _ => None,
        }
    }
}

/// A wrong key or value together with its place.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct KeyError {
    /// What is wrong.
    pub problem: Problem,
    /// Where it stands.
    pub place: Place,
}

/// What is wrong with a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// The key, one part per level of the config.
    pub key: Vec<String>,
    /// A sentence that names the key and the value.
    pub message: String,
    /// What would be right.
    pub hint: Option<String>,
    /// Whether the value is wrong, not the key.
    pub at_value: bool,
}

impl Problem {
    /// What is wrong with the key at a path.
    pub fn new(key: &[&str], message: impl Into<String>) -> Self {
        let key = key.iter().map(|k| (*k).to_owned()).collect();
        Problem { key, message: message.into(), hint: None, at_value: false }
    }

    /// "`key` is VALUE; RULE"
    pub(crate) fn value(key: &[&str], value: impl fmt::Display, rule: &str) -> Self {
        let path: Vec<String> = key.iter().map(|k| (*k).to_owned()).collect();
        let message = format!("`{}` is {value}; {rule}", dotted(&path));
        Problem { key: path, message, hint: None, at_value: true }
    }

    /// The value is meant, not the key.
    pub(crate) fn at_value(mut self) -> Self {
        self.at_value = true;
        self
    }

    /// Says what would be right.
    pub fn hint(mut self, hint: impl Into<Option<String>>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl From<Problem> for ConfigError {
    /// A problem of a config that was not read from a file.
    fn from(problem: Problem) -> Self {
        ConfigError::Key(Box::new(KeyError { problem, place: Place::Nowhere { file: String::new() } }))
    }
}

/// Where a key stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// In a file.
    File {
        /// The file as it was named.
        file: String,
        /// From 1.
        line: usize,
        /// From 1, in characters.
        column: usize,
        /// The whole line.
        text: String,
        /// How many characters are meant, 1 or more.
        width: usize,
    },
    /// In an override, `KEY=VALUE`.
    Override(String),
    /// Not written anywhere, because it is missing or because the config was made by a program.
    Nowhere {
        /// The file it is missing from; may be empty.
        file: String,
    },
}

impl Place {
    /// The place of the bytes `span` of `source`.
    pub(crate) fn of(file: &str, source: &str, span: Range<usize>) -> Self {
        let floor = |mut at: usize| {
            at = at.min(source.len());
            while !source.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (from, to) = (floor(span.start), floor(span.end));
        let start = source[..from].rfind('\n').map_or(0, |at| at + 1);
        let end = source[from..].find('\n').map_or(source.len(), |at| from + at);
        let width = source[from..to.clamp(from, end)].chars().count().max(1);
        Place::File {
            file: file.to_owned(),
            line: source[..from].matches('\n').count() + 1,
            column: source[start..from].chars().count() + 1,
            text: source[start..end].trim_end_matches('\r').to_owned(),
            width,
        }
    }
}

impl fmt::Display for KeyError {
    /// The place, the message, and the line with a caret below what is meant.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = &self.problem.message;
        match &self.place {
            Place::Override(text) => write!(f, "override {text:?}: {message}"),
            Place::Nowhere { file } if file.is_empty() => f.write_str(message),
            Place::Nowhere { file } => write!(f, "{file}: {message}"),
            Place::File { file, line, column, text, width } => {
                let number = line.to_string();
                // Tabs are kept, so that the caret stands below what it points at.
                let indent: String = text.chars().take(column - 1).map(|c| if c == '\t' { c } else { ' ' }).collect();
                let (margin, caret) = (" ".repeat(number.len()), "^".repeat(*width));
                write!(
                    f,
                    "{file}:{line}:{column}: {message}\n{margin} |\n{number} | {text}\n{margin} | {indent}{caret}"
                )
            }
        }
    }
}

/// `a.b."c d"` as it would be written in TOML.
pub fn dotted(key: &[String]) -> String {
    let bare = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let parts: Vec<String> = key.iter().map(|p| if bare(p) { p.clone() } else { format!("{p:?}") }).collect();
    parts.join(".")
}
