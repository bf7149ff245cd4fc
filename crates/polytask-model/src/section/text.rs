//! `[model.text]`: how the tokens of text inputs become features.

use super::error::Problem;
use super::layer::check_widths;
use super::sequence::Along;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What reads the embedded tokens of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextEncoder {
    /// Layers that see each token with those around it, a convolution along the text (Collobert et al. 2011).
    #[default]
    Conv,
    /// Long short-term memories in both directions (Graves and Schmidhuber 2005).
    Lstm,
    /// Gated recurrent units in both directions (Cho et al. 2014).
    Gru,
    /// Self-attention, norms first (Vaswani et al. 2017, Xiong et al. 2020).
    Transformer,
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

/// How a transformer knows where a token stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Positions {
    /// Queries and keys are turned by their place, so that attention sees distances (Su et al. 2021).
    #[default]
    Rotary,
    /// A trained vector for every place, up to `max_tokens` of the input, is added to what the first layer reads.
    Learned,
}

/// How the tokens of text inputs become features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TextModel {
    /// What reads the embedded tokens. Default "conv".
    pub encoder: TextEncoder,
    /// Features each layer of the encoder gives, from 1 to 4096; of "lstm" and "gru" half of them in each direction.
    /// Default 256.
    pub width: usize,
    /// Layers of the encoder, from 1 to 8; those after the first are added to what they read. Default 2.
    pub layers: usize,
    /// "conv": tokens a layer sees at once, odd, from 1 to 15. Default 5.
    pub window: usize,
    /// "transformer": heads of its attention; they divide `width`. Default 4.
    pub heads: usize,
    /// "transformer": features of the layer between two attentions, from 1 to 65536. Default 4 times `width`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// "transformer": how it knows where a token stands. Default "rotary".
    pub positions: Positions,
    /// How the tokens become one for tasks with a label a row. Default "max".
    pub pool: TextPool,
    /// Share of the features of embedded tokens, and of what each layer of the encoder gives, that are dropped while training, at least 0
    /// and below 1. Default 0.3.
    pub dropout: f64,
}

impl Default for TextModel {
    fn default() -> Self {
        let (encoder, pool) = (TextEncoder::default(), TextPool::default());
        TextModel {
            encoder,
            width: 256,
            layers: 2,
            window: 5,
            heads: 4,
            hidden: None,
            positions: Positions::default(),
            pool,
            dropout: 0.3,
        }
    }
}

impl TextModel {
    pub(crate) fn is_default(&self) -> bool {
        *self == TextModel::default()
    }

    pub(crate) fn check(&self) -> Result<(), Problem> {
        let key = |key| ["model", "text", key];
        if !(1..=4096).contains(&self.width) {
            return Err(Problem::value(&key("width"), self.width, "it must be from 1 to 4096"));
        }
        if !(1..=8).contains(&self.layers) {
            return Err(Problem::value(&key("layers"), self.layers, "it must be from 1 to 8"));
        }
        if let Some(hidden) = self.hidden {
            check_widths(&key("hidden"), &[hidden])?;
        }
        if let Some(fault) = self.layer().and_then(Along::fault) {
            let message = format!("the encoder of `model.text` {fault}");
            return Err(Problem::new(&["model", "text"], message));
        }
        match (0.0..1.0).contains(&self.dropout) {
            true => Ok(()),
            false => Err(Problem::value(&key("dropout"), self.dropout, "it must be at least 0 and below 1")),
        }
    }

    /// What each layer of the encoder is; none where there is no encoder.
    pub fn layer(&self) -> Option<Along> {
        let width = self.width;
        match self.encoder {
            TextEncoder::None => None,
            TextEncoder::Conv => Some(Along::Conv { width, window: self.window }),
            TextEncoder::Lstm => Some(Along::Lstm { width }),
            TextEncoder::Gru => Some(Along::Gru { width }),
            TextEncoder::Transformer => {
                let rotary = self.positions == Positions::Rotary;
                Some(Along::Transformer { width, heads: self.heads, hidden: self.hidden.unwrap_or(4 * width), rotary })
            }
        }
    }
}
