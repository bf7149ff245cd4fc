//! Binary codes of choices.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use crate::{Activation, Op};
use serde::{Deserialize, Serialize};

/// [`Op::Codes`](crate::Op::Codes).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Codes {
    /// Features a group gives, at least 2.
    pub choices: usize,
}

impl Operation for Codes {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "codes"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(1)?;
        let choices = self.choices;
        if choices < 2 {
            return Err(format!("it codes {choices} choice(s); there are at least 2"));
        }
        let (bits, width) = (Op::code_bits(choices), site.width(0));
        match width.is_multiple_of(bits) {
            true => site.gives_width((width / bits).saturating_mul(choices)),
            false => Err(format!("{choices} choices have {bits} bits, and it gets {width} features")),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        Op::code_bits(self.choices) * site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| {
            let bits = g.dense(x, 6, Activation::Sigmoid);
            g.codes(bits, 5)
        })]
    }
}
