//! What learns beside a pretrained encoder.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What learns beside an encoder whose own weights stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Adaptation {
    /// A low-rank term on dense layers (Hu et al. 2022): `x W + b + alpha / rank x A B`, of which `B` starts at zero.
    Lora {
        /// Columns of `A`.
        rank: usize,
        /// What scales the term, divided by the rank.
        alpha: f32,
        /// The layers that have one.
        targets: Vec<Target>,
    },
    /// Two dense layers behind the attention and behind the two dense layers of each layer (Houlsby et al. 2019):
    /// `y + gelu(y D + c) U + e`, of which `U` starts at zero.
    Adapters {
        /// Features between the two.
        width: usize,
    },
}

/// A dense layer within a layer of an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// What attention asks with.
    Query,
    /// What it compares that with.
    Key,
    /// What it gives.
    Value,
    /// What follows it.
    Output,
    /// The first of the two dense layers behind it.
    Up,
    /// The second.
    Down,
}

impl Target {
    /// Its word in configs, and in the names of what learns beside it.
    pub fn word(self) -> &'static str {
        match self {
            Target::Query => "query",
            Target::Key => "key",
            Target::Value => "value",
            Target::Output => "output",
            Target::Up => "up",
            Target::Down => "down",
        }
    }
}
