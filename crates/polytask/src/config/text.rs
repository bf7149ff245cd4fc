//! `[model.text]`: how the tokens of text inputs become features.

use super::error::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What reads the embedded tokens of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextEncoder {
    /// Layers that see each token with those around it, a convolution along the text (Collobert et al. 2011).
    #[default]
    Conv,
    /// Nothing: every token stands for itself.
    None,
}

/// How the tokens of a text become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextPool {
    /// The largest value of each feature.
    #[default]
    Max,
    /// The mean.
    Mean,
    /// The mean weighed by a trained softmax over the tokens (Bahdanau et al. 2015).
    Attention,
}

/// How the tokens of text inputs become features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TextModel {
    /// What reads the embedded tokens. Default "conv".
    pub encoder: TextEncoder,
    /// Features each layer of the encoder gives, from 1 to 4096. Default 256.
    pub width: usize,
    /// Layers of the encoder, from 1 to 8; those after the first are added to what they read. Default 2.
    pub layers: usize,
    /// Tokens a layer sees at once, odd, from 1 to 15. Default 5.
    pub window: usize,
    /// How the tokens become one for tasks with a label a row. Default "max".
    pub pool: TextPool,
    /// Share of the features of embedded tokens, and of what the encoder gives, that are dropped while training, at least 0
    /// and below 1. Default 0.3.
    pub dropout: f64,
}

impl Default for TextModel {
    fn default() -> Self {
        let (encoder, pool) = (TextEncoder::default(), TextPool::default());
        TextModel { encoder, width: 256, layers: 2, window: 5, pool, dropout: 0.3 }
    }
}

impl TextModel {
    pub(super) fn is_default(&self) -> bool {
        *self == TextModel::default()
    }

    pub(super) fn check(&self) -> Result<(), Problem> {
        let key = |key| ["model", "text", key];
        if !(1..=4096).contains(&self.width) {
            return Err(Problem::value(&key("width"), self.width, "it must be from 1 to 4096"));
        }
        if !(1..=8).contains(&self.layers) {
            return Err(Problem::value(&key("layers"), self.layers, "it must be from 1 to 8"));
        }
        if !(1..=15).contains(&self.window) || self.window.is_multiple_of(2) {
            return Err(Problem::value(&key("window"), self.window, "it must be odd, from 1 to 15"));
        }
        match (0.0..1.0).contains(&self.dropout) {
            true => Ok(()),
            false => Err(Problem::value(&key("dropout"), self.dropout, "it must be at least 0 and below 1")),
        }
    }
}
