//! `train.schedule`: how the learning rate goes on.

use super::error::Problem;
use super::shorthand::{Shorthand, shorthand};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the learning rate goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Schedule {
    /// It stays.
    #[default]
    Constant,
    /// Half a cosine from the full rate to 0 at the end (Loshchilov and Hutter 2017).
    Cosine,
    /// Multiplied by `factor` every `every` epochs.
    Step {
        /// Epochs, 1 or more.
        every: u64,
        /// Above 0, at most 1.
        factor: f64,
    },
}

/// How the learning rate goes on.
#[derive(Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schemars(rename = "Schedule")]
pub(crate) enum ScheduleTable {
    /// It stays.
    Constant {},
    /// Half a cosine from the full rate to 0 at the end.
    Cosine {},
    /// Multiplied by `factor` every `every` epochs.
    Step {
        /// Epochs, 1 or more. Default 30.
        #[serde(default = "every")]
        every: u64,
        /// Above 0, at most 1. Default 0.1.
        #[serde(default = "factor")]
        factor: f64,
    },
}

fn every() -> u64 {
    30
}

fn factor() -> f64 {
    0.1
}

impl Shorthand for Schedule {
    type Table = ScheduleTable;
    const WORDS: &'static [&'static str] = &["constant", "cosine", "step"];
    const TABLE: &'static str = "or a table such as { kind = \"step\", every = 30, factor = 0.1 }";

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "constant" => Some(Schedule::Constant),
            "cosine" => Some(Schedule::Cosine),
            "step" => Some(Schedule::Step { every: every(), factor: factor() }),
            _ => None,
        }
    }

    fn from_table(table: ScheduleTable) -> Result<Self, String> {
        Ok(match table {
            ScheduleTable::Constant {} => Schedule::Constant,
            ScheduleTable::Cosine {} => Schedule::Cosine,
            ScheduleTable::Step { every, factor } => Schedule::Step { every, factor },
        })
    }
}

shorthand!(Schedule);

impl Schedule {
    pub(crate) fn check(self) -> Result<(), Problem> {
        let Schedule::Step { every, factor } = self else { return Ok(()) };
        let key = |key| ["train", "schedule", key];
        if every == 0 {
            return Err(Problem::value(&key("every"), 0, "it must be 1 epoch or more"));
        }
        match factor > 0.0 && factor <= 1.0 {
            true => Ok(()),
            false => Err(Problem::value(&key("factor"), factor, "it must be above 0 and at most 1")),
        }
    }
}
