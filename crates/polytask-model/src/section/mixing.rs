//! `train.mixing`: how often the rows of each of several data sets come.

use super::error::Problem;
use super::shorthand::{Shorthand, shorthand};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often the rows of each of several data sets come, `n` being a set's training rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mixing {
    /// Every row once an epoch.
    #[default]
    Proportional,
    /// By `n^a`, `a` falling from 1 in the first epoch to 0.2 in the last (Stickland and Murray 2019).
    Annealed,
    /// By `n^(1 / temperature)`.
    Temperature(f64),
}

/// By `n^(1 / temperature)`, `n` being a set's training rows: 1 is proportional, large numbers let every set come as often.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Mixing")]
pub(crate) struct MixingTable {
    /// 1 or above. Required.
    temperature: f64,
}

impl Shorthand for Mixing {
    type Table = MixingTable;
    const WORDS: &'static [&'static str] = &["proportional", "annealed"];
    const TABLE: &'static str = "or a table such as { temperature = 2 }";

    fn from_word(word: &str) -> Option<Self> {
        match word {
            "proportional" => Some(Mixing::Proportional),
            "annealed" => Some(Mixing::Annealed),
            _ => None,
        }
    }

    fn from_table(table: MixingTable) -> Result<Self, String> {
        Ok(Mixing::Temperature(table.temperature))
    }
}

shorthand!(Mixing);

impl Mixing {
    pub(crate) fn check(self) -> Result<(), Problem> {
        match self {
            Mixing::Temperature(t) if !(t.is_finite() && t >= 1.0) => {
                Err(Problem::value(&["train", "mixing", "temperature"], t, "it must be 1 or above"))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Mixing::Proportional
    }

    /// The power of a set's size that its share of an epoch goes by; `epoch` of `epochs`, from 0.
    pub fn power(self, epoch: u64, epochs: u64) -> f64 {
        match self {
            Mixing::Proportional => 1.0,
            Mixing::Annealed if epochs > 1 => 1.0 - 0.8 * epoch.min(epochs - 1) as f64 / (epochs - 1) as f64,
            Mixing::Annealed => 1.0,
            Mixing::Temperature(t) => 1.0 / t,
        }
    }
}
