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
    /// Whole cosines from 0 to the full rate and back to 0, each twice as long as the one before (Holzmüller et al. 2024).
    Cycles {
        /// How many, from 1 to 16.
        count: u32,
    },
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
    /// Whole cosines from 0 to the full rate and back to 0, each twice as long as the one before.
    Cycles {
        /// How many, from 1 to 16. Default 4.
        #[serde(default = "count")]
        count: u32,
    },
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

fn count() -> u32 {
    4
}

fn every() -> u64 {
    30
}

fn factor() -> f64 {
    0.1
}

impl Shorthand for Schedule {
    type Table = ScheduleTable;
    const WORDS: &'static [&'static str] = &["constant", "cosine", "cycles", "step"];
    const TABLE: &'static str = "or a table such as { kind = \"step\", every = 30, factor = 0.1 }";

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "constant" => Some(Schedule::Constant),
            "cosine" => Some(Schedule::Cosine),
            "cycles" => Some(Schedule::Cycles { count: count() }),
            "step" => Some(Schedule::Step { every: every(), factor: factor() }),
            _ => None,
        }
    }

    fn from_table(table: ScheduleTable) -> Result<Self, String> {
        Ok(match table {
            ScheduleTable::Constant {} => Schedule::Constant,
            ScheduleTable::Cosine {} => Schedule::Cosine,
            ScheduleTable::Cycles { count } => Schedule::Cycles { count },
            ScheduleTable::Step { every, factor } => Schedule::Step { every, factor },
        })
    }
}

shorthand!(Schedule);

impl Schedule {
    pub(crate) fn check(self) -> Result<(), Problem> {
        let key = |key| ["train", "schedule", key];
        if let Schedule::Cycles { count } = self
            && !(1..=16).contains(&count)
        {
            return Err(Problem::value(&key("count"), count, "it must be from 1 to 16"));
        }
        let Schedule::Step { every, factor } = self else { return Ok(()) };
        if every == 0 {
            return Err(Problem::value(&key("every"), 0, "it must be 1 epoch or more"));
        }
        match factor > 0.0 && factor <= 1.0 {
            true => Ok(()),
            false => Err(Problem::value(&key("factor"), factor, "it must be above 0 and at most 1")),
        }
    }
}
