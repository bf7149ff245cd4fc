//! Features turned by their position.

use super::{Layout, Operation, Site, parameters};
use crate::testing::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Rotary`](crate::Op::Rotary).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rotary {
    /// `e`, even.
    pub head: usize,
    /// Features that are turned, the first ones, a multiple of `e`; the others stay as they are.
    pub turned: usize,
}

impl Operation for Rotary {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "rotary"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.is_on_sequences()?;
        site.keeps_width()?;
        let (Rotary { head, turned }, own) = (self, site.shape.width());
        match *head > 0 && head.is_multiple_of(2) && turned.is_multiple_of(*head) && *turned <= own {
            true => Ok(()),
            false => Err(format!("it turns {turned} of {own} features in heads of {head}, which must be even")),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::tokens(|g, x| g.attention(x, 2, true))]
    }
}
