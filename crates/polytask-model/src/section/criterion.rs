//! `train.criterion`: what the best model is chosen by.

use super::error::Problem;
use super::shorthand::{Shorthand, shorthand};
use super::tasks::TaskConfig;
use crate::nearest::suggest;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the best model is chosen by, on the validation rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Criterion {
    /// The mean over the tasks of the loss relative to the task's own first value.
    #[default]
    Mean,
    /// One task's loss.
    Task(String),
    /// A weighted mean of the relative losses; tasks that are not named do not count.
    Weights(IndexMap<String, f64>),
}

/// What the best model is chosen by. One of `task` and `weights`.
#[derive(Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Criterion")]
pub(crate) struct CriterionTable {
    /// The name of the task whose loss counts alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    /// What the relative losses weigh, by task, 0 or above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    weights: Option<IndexMap<String, f64>>,
}

impl Shorthand for Criterion {
    type Table = CriterionTable;
    const WORDS: &'static [&'static str] = &["mean"];
    const TABLE: &'static str = "or a table such as { task = \"NAME\" } or { weights = { NAME = 2.0 } }";

    fn from_word(word: &str) -> Option<Self> {
        (word == "mean").then_some(Criterion::Mean)
    }

    fn from_table(table: CriterionTable) -> Result<Self, String> {
        match (table.task, table.weights) {
            (Some(task), None) => Ok(Criterion::Task(task)),
            (None, Some(weights)) => Ok(Criterion::Weights(weights)),
            _ => Err("`train.criterion` takes one of `task` and `weights`".into()),
        }
    }
}

shorthand!(Criterion);

impl Serialize for Criterion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let none = CriterionTable::default();
        match self.clone() {
            Criterion::Mean => return serializer.serialize_str("mean"),
            Criterion::Task(task) => CriterionTable { task: Some(task), ..none },
            Criterion::Weights(weights) => CriterionTable { weights: Some(weights), ..none },
        }
        .serialize(serializer)
    }
}

impl Criterion {
    pub(crate) fn check(&self, tasks: &IndexMap<String, TaskConfig>) -> Result<(), Problem> {
        let names: Vec<&str> = tasks.keys().map(String::as_str).collect();
        let unknown = |key: &[&str], name: &str| {
            Problem::new(key, format!("`train.criterion` names the task \"{name}\", which is not there"))
                .at_value()
                .hint(suggest(name, &names))
        };
        match self {
            Criterion::Mean => Ok(()),
            Criterion::Task(task) if tasks.contains_key(task) => Ok(()),
            Criterion::Task(task) => Err(unknown(&["train", "criterion", "task"], task)),
            Criterion::Weights(weights) => {
                for (task, weight) in weights {
                    let key = ["train", "criterion", "weights", task];
                    if !tasks.contains_key(task) {
                        return Err(unknown(&key, task));
                    }
                    if !(weight.is_finite() && *weight >= 0.0) {
                        return Err(Problem::value(&key, weight, "a weight must be 0 or above"));
                    }
                }
                match weights.values().any(|w| *w > 0.0) {
                    true => Ok(()),
                    false => {
                        let message = "`train.criterion.weights` has no weight above 0";
                        Err(Problem::new(&["train", "criterion", "weights"], message))
                    }
                }
            }
        }
    }
}
