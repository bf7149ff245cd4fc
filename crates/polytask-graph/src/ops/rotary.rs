//! Features turned by their position.

use super::{Layout, Operation, Site, parameters};
use crate::Activation;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Rotary`](crate::Op::Rotary).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rotary {
    /// `e`, even.
    pub head: usize,
    /// Features that are turned, the first ones, a multiple of `e`; the others stay as they are.
    pub turned: usize,
    /// What the slowest pair of features would turn by once in `2 pi base` positions, were there one more of it.
    #[serde(default = "usual", skip_serializing_if = "is_usual")]
    pub base: f64,
}

fn usual() -> f64 {
    Rotary::BASE
}

fn is_usual(base: &f64) -> bool {
    *base == Rotary::BASE
}

impl Rotary {
    /// The base of Su et al. 2021.
    pub const BASE: f64 = 10_000.0;

    /// The angle between two positions that the pair of features number `pair` of a head is turned by.
    pub fn frequency(&self, pair: usize) -> f64 {
        self.base.powf(-2.0 * pair as f64 / self.head as f64)
    }
}

impl Operation for Rotary {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "rotary"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.is_on_sequences()?;
        site.keeps_width()?;
        let (Rotary { head, turned, base }, own) = (self, site.shape.width());
        if !(*base > 0.0 && base.is_finite()) {
            return Err(format!("its base is {base}; it must be above 0"));
        }
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
        vec![
            Example::tokens(|g, x| g.attention(x, 2, true)),
            Example::tokens(|g, x| {
                let inputs = g.dense(x, 12, Activation::Linear);
                let turned = g.rotary(inputs, 2, 8, 160_000.0);
                g.attend(turned, 2, None)
            }),
        ]
    }
}
