//! Attention within sequences.

use super::{Layout, Operation, Site, parameters};
use crate::Activation;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Attention`](crate::Op::Attention).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// Divides `d`.
    pub heads: usize,
    /// How far from an element those may be that it sees; none: as far as its sequence goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
}

/// What a sequence is taken to be long: the work on an element grows with it, and the graph does not know it.
const TYPICAL_LENGTH: usize = 32;

impl Operation for Attention {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "attention"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.is_on_sequences()?;
        site.takes(1)?;
        let (heads, own) = (self.heads, site.shape.width());
        match heads > 0 && site.width(0) == 3 * own && own.is_multiple_of(heads) {
            true => Ok(()),
            false => Err(format!("it has {heads} heads for {own} features, which they must divide")),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        let seen = self.window.map_or(TYPICAL_LENGTH, |window| TYPICAL_LENGTH.min(window.saturating_mul(2) + 1));
        2 * site.shape.width() * seen
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::tokens(|g, x| g.attention(x, 2, false)),
            Example::tokens(|g, x| {
                let inputs = g.dense(x, 12, Activation::Linear);
                g.attend(inputs, 2, Some(1))
            }),
        ]
    }
}
