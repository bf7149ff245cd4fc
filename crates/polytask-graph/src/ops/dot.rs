//! Inner products.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Dot`](crate::Op::Dot).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dot {
    /// Multiplies.
    pub scale: f32,
}

impl Operation for Dot {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "dot"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(2)?;
        site.gives_width(1)?;
        let (a, b, scale) = (site.width(0), site.width(1), self.scale);
        match a == b && scale.is_finite() {
            true => Ok(()),
            false => Err(format!("it multiplies {a} features with {b}, by {scale}")),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.widths().next().unwrap_or(0)
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| {
            let other = g.affine(x, -0.7, 0.3);
            g.dot(x, other, 0.4)
        })]
    }
}
