//! Task kinds that a program brings. One is registered under the word that configs call it by, and learns in a network like
//! any other; the labels that it reads are of rows.

use super::labels::LabelColumn;
use super::{Outcome, TaskError};
use crate::section::own::{Kinds, OWN_TASKS, Stored};
use crate::section::{OwnWord, TaskKind};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::sync::Arc;

/// A task kind of a program's own.
pub trait OwnTask: std::fmt::Debug + Send + Sync {
    /// What configs and models call it: no word of a built-in kind.
    fn word(&self) -> &'static str;

    /// Learns what must be known of the labels of the training rows, `rows`.
    ///
    /// # Errors
    /// [`TaskError::Own`], with what is wrong with the column.
    fn fit(&self, source: &LabelColumn<'_>, rows: &[u32]) -> Result<Arc<dyn OwnOutcome>, TaskError>;

    /// What [`OwnOutcome::state`] gave, made a kind again.
    ///
    /// # Errors
    /// What is wrong with it.
    fn restore(&self, state: &Value) -> Result<Arc<dyn OwnOutcome>, String>;
}

/// A task kind of a program's own with what it learnt from the training rows.
pub trait OwnOutcome: Outcome + std::fmt::Debug + Send + Sync {
    /// What `model.json` keeps of it, for [`OwnTask::restore`]; nothing by default.
    fn state(&self) -> Value {
        Value::Null
    }
}

/// A fitted kind and its word, as it stands in a [`Task`](super::Task).
#[derive(Clone, Debug)]
pub struct Own {
    word: OwnWord,
    outcome: Arc<dyn OwnOutcome>,
}

/// The kinds of this program, by word.
static KINDS: Kinds<dyn OwnTask> = Kinds::new();

/// Makes a kind known to this program, in place of one of the same word; configs and models may name it from now on. The
/// word of a built-in kind stays that kind's.
pub fn register(kind: Arc<dyn OwnTask>) -> TaskKind {
    let word = OWN_TASKS.add(kind.word());
    KINDS.set(word, kind);
    TaskKind::Own(word)
}

impl Own {
    pub(super) fn fit(word: OwnWord, source: &LabelColumn<'_>, rows: &[u32]) -> Result<Self, TaskError> {
        let kind = KINDS.get(word).map_err(|reason| source.own(None, reason))?;
        Ok(Own { word, outcome: kind.fit(source, rows)? })
    }

    /// Its word.
    pub fn word(&self) -> &'static str {
        self.word.as_str()
    }

    pub(super) fn outcome(&self) -> &dyn Outcome {
        self.outcome.as_ref()
    }
}

/// Equal words and states are equal kinds.
impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        self.word == other.word && self.outcome.state() == other.outcome.state()
    }
}

impl Serialize for Own {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored { word: self.word().to_owned(), state: self.outcome.state() }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Own {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let (word, kind) = stored.kind(&OWN_TASKS, &KINDS).map_err(D::Error::custom)?;
        Ok(Own { word, outcome: kind.restore(&stored.state).map_err(D::Error::custom)? })
    }
}
