//! Input kinds that a program brings: a column becomes one or more numbers a row, which every family of models reads.

use super::{EncodeError, InputColumn};
use crate::section::own::{Kinds, OWN_INPUTS, Stored};
use crate::section::{InputKind, OwnWord};
use polytask_data::Column;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;

/// An input kind of a program's own.
pub trait OwnInput: std::fmt::Debug + Send + Sync {
    /// What configs and models call it: no word of a built-in kind.
    fn word(&self) -> &'static str;

    /// Learns what must be known of the values of the training rows, `rows`.
    ///
    /// # Errors
    /// What is wrong with the column.
    fn fit(&self, column: &Column, rows: &[u32]) -> Result<Arc<dyn OwnFeatures>, String>;

    /// What [`OwnFeatures::state`] gave, made a kind again.
    ///
    /// # Errors
    /// What is wrong with it.
    fn restore(&self, state: &Value) -> Result<Arc<dyn OwnFeatures>, String>;
}

/// An input kind of a program's own with what it learnt from the training rows.
pub trait OwnFeatures: std::fmt::Debug + Send + Sync {
    /// What its features are called, behind the name of the column; at least one.
    fn parts(&self) -> Vec<String>;

    /// Its features, `parts x rows`, about as large as 1: NaN, which becomes 0, where a value is missing.
    ///
    /// # Errors
    /// The row of a value that is none of this kind, and what would be right.
    fn read(&self, column: &Column) -> Result<Vec<Vec<f64>>, (usize, String)>;

    /// What `model.json` keeps of it, for [`OwnInput::restore`]; nothing by default.
    fn state(&self) -> Value {
        Value::Null
    }
}

/// A fitted kind and its word, as it stands in an [`Input`](super::Input).
#[derive(Clone, Debug)]
pub struct Own {
    word: OwnWord,
    parts: Vec<String>,
    features: Arc<dyn OwnFeatures>,
}

/// The kinds of this program, by word.
static KINDS: Kinds<dyn OwnInput> = Kinds::new();

/// Makes a kind known to this program, in place of one of the same word; configs and models may name it from now on. The
/// word of a built-in kind stays that kind's.
pub fn register(kind: Arc<dyn OwnInput>) -> InputKind {
    let word = OWN_INPUTS.add(kind.word());
    KINDS.set(word, kind);
    InputKind::Own(word)
}

impl Own {
    pub(super) fn fit(word: OwnWord, source: &InputColumn, rows: &[u32]) -> Result<Self, EncodeError> {
        let wrong = |reason| EncodeError::Own { input: source.column.name.clone(), reason };
        let kind = KINDS.get(word).map_err(wrong)?;
        Self::of(word, kind.fit(source.column, rows).map_err(wrong)?).map_err(wrong)
    }

    fn of(word: OwnWord, features: Arc<dyn OwnFeatures>) -> Result<Self, String> {
        let parts = features.parts();
        match parts.is_empty() {
            true => Err("it gives no feature".to_owned()),
            false => Ok(Own { word, parts, features }),
        }
    }

    /// Its word.
    pub(crate) fn word(&self) -> OwnWord {
        self.word
    }

    /// What its features are called, behind the name of the column.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }

    /// Its features, each with a value a row, NaN where missing.
    pub(super) fn read(&self, source: &InputColumn) -> Result<Vec<Vec<f64>>, EncodeError> {
        let input = source.column.name.clone();
        let features = self.features.read(source.column).map_err(|(row, reason)| EncodeError::OwnValue {
            place: source.table.place(row),
            input: input.clone(),
            value: source.column.shown(row).unwrap_or_else(|| "nothing".to_owned()),
            reason,
        })?;
        let rows = source.table.rows();
        match features.len() == self.parts.len() && features.iter().all(|feature| feature.len() == rows) {
            true => Ok(features),
            false => Err(EncodeError::Own {
                input,
                reason: format!(
                    "kind \"{}\" does not give {} features of {rows} rows",
                    self.word.as_str(),
                    self.parts.len()
                ),
            }),
        }
    }
}

/// Equal words and states are equal kinds.
impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word && self.features.state() == other.features.state()
    }
}

impl Serialize for Own {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored { word: self.word.as_str().to_owned(), state: self.features.state() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Own {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let (word, kind) = stored.kind(&OWN_INPUTS, &KINDS).map_err(D::Error::custom)?;
        kind.restore(&stored.state).and_then(|features| Own::of(word, features)).map_err(D::Error::custom)
    }
}
