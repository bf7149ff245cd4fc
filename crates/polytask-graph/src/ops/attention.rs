//! Attention within sequences.

use super::{Layout, Operation, Site, parameters};
use crate::testing::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Attention`](crate::Op::Attention).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attention {
    /// Divides `d`.
    pub heads: usize,
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
        2 * site.shape.width() * TYPICAL_LENGTH
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::tokens(|g, x| g.attention(x, 2, false))]
    }
}
