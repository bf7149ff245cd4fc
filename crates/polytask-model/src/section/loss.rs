//! `[loss]`: how the losses of the tasks become one step.

use super::error::Problem;
use super::shorthand::{Shorthand, shorthand};
use super::tasks::{TaskConfig, TaskKind};
use indexmap::IndexMap;
use polytask_balance::{BalanceError, LossFamily, Needs, TaskInfo};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the losses of the tasks are balanced, and the regularisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LossConfig {
    /// How the tasks are balanced: the name of a method, or a table with `method` and the method's own keys.
    /// Default "equal".
    pub balance: Balance,
    /// Where a method that combines task gradients looks at them: "parameters" (the gradients over the shared
    /// parameters, exact) or "representation" (over the features that the heads read, at the price of one ordinary
    /// backward pass more or less); "losses" insists on a method that weighs losses alone. Default: what the method needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// Methods that need the inner products of task gradients over the parameters: gather them a layer at a time instead
    /// of holding a gradient a task. Costs a forward pass more. Default false.
    pub low_memory: bool,
    /// Look at the sizes of the tasks' gradients and the angles between them now and then, for `history.jsonl`. Costs
    /// about three steps in fifty. Default true.
    pub watch: bool,
    /// Adds `l2 * 0.5 * ||w||^2` over weights and embedding tables to the loss, 0 or above; of tables of texts, and of more
    /// than 4096 levels, over the rows that a step looks up. Default 0.
    pub l2: f64,
    /// Whether `l2` holds for biases too. Default false.
    pub l2_biases: bool,
}

impl Default for LossConfig {
    fn default() -> Self {
        LossConfig {
            balance: Balance::default(),
            level: None,
            low_memory: false,
            watch: true,
            l2: 0.0,
            l2_biases: false,
        }
    }
}

/// Where task gradients are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Over the shared parameters: exact.
    Parameters,
    /// Over the shared representation (MGDA-UB, Sener and Koltun 2018).
    Representation,
    /// Not at all: loss values only.
    Losses,
}

/// A balancing method and its own keys.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// The name of the method.
    pub method: String,
    /// The method's own keys, checked by the method.
    pub options: serde_json::Map<String, serde_json::Value>,
}

impl Default for Balance {
    fn default() -> Self {
        Balance { method: "equal".into(), options: serde_json::Map::new() }
    }
}

/// A balancing method and its own keys.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Balance")]
pub(crate) struct BalanceTable {
    /// The name of the method.
    method: String,
    /// The method's own keys.
    #[serde(flatten)]
    options: serde_json::Map<String, serde_json::Value>,
}

impl Shorthand for Balance {
    type Table = BalanceTable;
    const WORDS: &'static [&'static str] = &[];
    const TABLE: &'static str = "or a table such as { method = \"equal\" }";

    fn from_word(word: &str) -> Option<Self> {
        Some(Balance { method: word.to_owned(), options: serde_json::Map::new() })
    }

    fn from_table(table: BalanceTable) -> Result<Self, String> {
        Ok(Balance { method: table.method, options: table.options })
    }
}

shorthand!(Balance);

impl Serialize for Balance {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.options.is_empty() {
            true => serializer.serialize_str(&self.method),
            false => BalanceTable { method: self.method.clone(), options: self.options.clone() }.serialize(serializer),
        }
    }
}

impl LossConfig {
    pub(crate) fn check(&self, tasks: &IndexMap<String, TaskConfig>) -> Result<(), Problem> {
        if !(self.l2.is_finite() && self.l2 >= 0.0) {
            return Err(Problem::value(&["loss", "l2"], self.l2, "it must be 0 or above"));
        }
        self.check_balance(tasks)
    }

    /// Builds the method once, which checks its name, its keys and their values. Which loss a task has matters only
    /// later, so one whose kind is not known yet stands as a regression.
    fn check_balance(&self, tasks: &IndexMap<String, TaskConfig>) -> Result<(), Problem> {
        let info = |(name, task): (&String, &TaskConfig)| {
            let of_classes = matches!(task.kind, Some(TaskKind::Binary | TaskKind::Category));
            TaskInfo::new(name, if of_classes { LossFamily::Classification } else { LossFamily::Regression })
        };
        let tasks: Vec<TaskInfo> = tasks.iter().map(info).collect();
        let built = polytask_balance::build(&self.balance.method, &self.balance.options, &tasks, 0);
        let error = match built {
            Ok(method) => return self.check_level(method.needs()),
            Err(error) => error,
        };
        let key = match &error {
            BalanceError::UnknownKey { key, .. }
            | BalanceError::UnknownTask { key, .. }
            | BalanceError::BadValue { key, .. }
            | BalanceError::OutOfRange { key, .. } => Some(key.as_str()),
            _ => None,
        };
        let path: Vec<&str> = ["loss", "balance"].into_iter().chain(key).collect();
        let hint = match &error {
            BalanceError::UnknownMethod { nearest, .. } if nearest.is_empty() => {
                let names: Vec<String> = polytask_balance::METHODS.iter().map(|m| format!("`{}`", m.name)).collect();
                Some(format!("the choice is {}", names.join(", ")))
            }
            other => other.hint(),
        };
        let problem = Problem::new(&path, format!("`loss.balance`: {error}")).hint(hint);
        Err(if matches!(error, BalanceError::UnknownKey { .. }) { problem } else { problem.at_value() })
    }

    /// Whether the method can work at the level asked for.
    fn check_level(&self, needs: Needs) -> Result<(), Problem> {
        let name = &self.balance.method;
        let wrong = |key: &str, message: String| Err(Problem::new(&["loss", key], message));
        match (self.level, needs) {
            (Some(_), Needs::Model) => {
                wrong("level", format!("`{name}` tries out steps of the whole model, so it has no level"))
            }
            (Some(Level::Losses), Needs::Gramian | Needs::Jacobian) => {
                wrong("level", format!("`{name}` combines task gradients; it cannot go by the losses alone"))
            }
            (Some(Level::Parameters | Level::Representation), Needs::State | Needs::Losses) => {
                wrong("level", format!("`{name}` weighs losses; it looks at no gradients, so it has no such level"))
            }
            (Some(Level::Representation), Needs::Jacobian) => wrong(
                "level",
                format!("`{name}` works on the gradients themselves, which it needs over the parameters"),
            ),
            _ if self.low_memory && (needs != Needs::Gramian || self.level == Some(Level::Representation)) => {
                let message = "is for methods that need the inner products of task gradients over the parameters";
                wrong("low_memory", format!("`loss.low_memory` {message}; `{name}` holds no such gradients here"))
            }
            _ => Ok(()),
        }
    }
}
