//! `[model.numbers]`: what the first layer of a network reads of numbers.

use super::error::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How numbers are scaled before the first layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberScale {
    /// As the inputs give them, standardised by default.
    #[default]
    Plain,
    /// Less their median, over the range between their quartiles, then clipped smoothly: `z / sqrt(1 + (z / 3)^2)` stays
    /// within -3 and 3 (Holzmüller et al. 2024).
    Robust,
}

/// What the first layer reads of a number besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NumberEmbedding {
    /// Nothing.
    #[default]
    None,
    /// Where it lies among bins that hold as many training rows each: the piecewise-linear encoding of Gorishniy et al. 2022.
    Bins,
    /// `cos(2 pi (f x + p))` for trained frequencies f and phases p of its own (Gorishniy et al. 2022).
    Periodic,
}

/// What the first layer of a network reads of numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NumbersModel {
    /// How numbers are scaled before the first layer: "plain" (as the inputs give them, standardised by default) or
    /// "robust" (less their median, over the range between their quartiles, and clipped smoothly: `z / sqrt(1 + (z / 3)^2)`
    /// stays within -3 and 3; Holzmüller et al. 2024). Default "plain".
    pub scale: NumberScale,
    /// What the first layer reads of a number besides: "none", "bins" (where it lies among bins that hold as many training
    /// rows each, the piecewise-linear encoding of Gorishniy et al. 2022) or "periodic" (`cos(2 pi (f x + p))` for trained
    /// frequencies f and phases p of its own, of the same paper). Default "none".
    pub embedding: NumberEmbedding,
    /// "bins": bins of each number, from 2 to 256. Default 16.
    pub bins: usize,
    /// "periodic": waves of each number, from 1 to 256. Default 16.
    pub waves: usize,
    /// "periodic": standard deviation of the frequencies at the start, in waves a unit of the scaled number, above 0.
    /// Default 0.1.
    pub deviation: f64,
}

impl Default for NumbersModel {
    fn default() -> Self {
        let (scale, embedding) = (NumberScale::default(), NumberEmbedding::default());
        NumbersModel { scale, embedding, bins: 16, waves: 16, deviation: 0.1 }
    }
}

impl NumbersModel {
    pub(crate) fn is_default(&self) -> bool {
        *self == NumbersModel::default()
    }

    pub(crate) fn check(&self) -> Result<(), Problem> {
        let key = |key| ["model", "numbers", key];
        if !(2..=256).contains(&self.bins) {
            return Err(Problem::value(&key("bins"), self.bins, "it must be from 2 to 256"));
        }
        if !(1..=256).contains(&self.waves) {
            return Err(Problem::value(&key("waves"), self.waves, "it must be from 1 to 256"));
        }
        match self.deviation.is_finite() && self.deviation > 0.0 {
            true => Ok(()),
            false => Err(Problem::value(&key("deviation"), self.deviation, "it must be above 0 and finite")),
        }
    }
}
