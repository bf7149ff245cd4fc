//! Layers of a trunk that run along the tokens of a text.

use schemars::JsonSchema;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, MapAccess};
use serde::{Deserialize, Serialize};

/// A layer along the tokens of a text: exactly one of `conv1d`, `lstm`, `gru` and `transformer`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SequenceLayer {
    /// Features of a convolution along the text, from 1 to 65536.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conv1d: Option<usize>,
    /// Tokens a convolution sees at once, odd, from 1 to 15. Default 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Features of long short-term memories, half of them in each direction, from 2 to 65536.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lstm: Option<usize>,
    /// Features of gated recurrent units, half of them in each direction, from 2 to 65536.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gru: Option<usize>,
    /// Features of a transformer layer with rotary positions, from 1 to 65536. What it reads is brought to this width first
    /// where it has another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transformer: Option<usize>,
    /// Heads of its attention; they divide its features. Default 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heads: Option<usize>,
    /// Features of the layer that follows its attention, from 1 to 65536. Default 4 times its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
}

/// What a layer along a text is, its defaults filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// A convolution.
    Conv {
        /// Features.
        width: usize,
        /// Tokens it sees at once.
        window: usize,
    },
    /// LSTMs in both directions.
    Lstm {
        /// Features, of both together.
        width: usize,
    },
    /// GRUs in both directions.
    Gru {
        /// Features, of both together.
        width: usize,
    },
    /// Self-attention and what follows it.
    Transformer {
        /// Features.
        width: usize,
        /// Of the attention.
        heads: usize,
        /// Features of the layer after it.
        hidden: usize,
        /// Whether queries and keys are turned by their position.
        rotary: bool,
    },
}

const KEYS: [&str; 7] = ["conv1d", "window", "lstm", "gru", "transformer", "heads", "hidden"];

/// Whether a key of a layer is one of a layer along a text.
pub(crate) fn is_key(key: &str) -> bool {
    KEYS.contains(&key)
}

impl SequenceLayer {
    /// What it is; none where it is nothing, or several things.
    pub fn along(&self) -> Option<Along> {
        match (self.conv1d, self.lstm, self.gru, self.transformer) {
            (Some(width), None, None, None) => Some(Along::Conv { width, window: self.window.unwrap_or(5) }),
            (None, Some(width), None, None) => Some(Along::Lstm { width }),
            (None, None, Some(width), None) => Some(Along::Gru { width }),
            (None, None, None, Some(width)) => {
                let (heads, hidden) = (self.heads.unwrap_or(4), self.hidden.unwrap_or(width.saturating_mul(4)));
                Some(Along::Transformer { width, heads, hidden, rotary: true })
            }
            _ => None,
        }
    }

    /// What is wrong with it, after its name.
    pub(crate) fn fault(&self) -> Option<String> {
        let Some(along) = self.along() else {
            return Some("must be one of `conv1d`, `lstm`, `gru` and `transformer`".into());
        };
        if self.window.is_some() && self.conv1d.is_none() {
            return Some("has `window`, which belongs to a `conv1d`".into());
        }
        if (self.heads.is_some() || self.hidden.is_some()) && self.transformer.is_none() {
            return Some("has `heads` or `hidden`, which belong to a `transformer`".into());
        }
        along.fault()
    }
}

impl Along {
    /// Features it gives.
    pub fn width(self) -> usize {
        match self {
            Along::Conv { width, .. }
            | Along::Lstm { width }
            | Along::Gru { width }
            | Along::Transformer { width, .. } => width,
        }
    }

    /// What is wrong with its numbers, after its name.
    pub(crate) fn fault(self) -> Option<String> {
        match self {
            Along::Conv { window, .. } if !(1..=15).contains(&window) || window.is_multiple_of(2) => {
                Some(format!("has a `window` of {window}; it must be odd, from 1 to 15"))
            }
            Along::Lstm { width } | Along::Gru { width } if !width.is_multiple_of(2) => {
                Some(format!("has {width} features; their number must be even, half of them for each direction"))
            }
            Along::Transformer { hidden: 0, .. } => Some("has a `hidden` of 0; it must be at least 1".into()),
            Along::Transformer { width, heads, .. } if heads == 0 || !width.is_multiple_of(heads) => {
                Some(format!("has {heads} `heads`, which must divide its {width} features"))
            }
            Along::Transformer { width, heads, rotary: true, .. } if !(width / heads).is_multiple_of(2) => {
                let own = width / heads;
                Some(format!("has heads of {own} features, and rotary positions need an even number"))
            }
            _ => None,
        }
    }
}

/// A table whose first key has been read already.
pub(crate) struct Begun<'a, A> {
    pub first: Option<&'a str>,
    pub rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Begun<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => seed.deserialize(StrDeserializer::<A::Error>::new(key)).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}
