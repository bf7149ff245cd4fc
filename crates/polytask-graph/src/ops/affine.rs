//! `scale * x + shift`.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Affine`](crate::Op::Affine).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    /// Multiplies.
    pub scale: f32,
    /// Is added.
    pub shift: f32,
}

impl Operation for Affine {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "affine"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.keeps_width()?;
        match (self.scale, self.shift) {
            (scale, shift) if scale.is_finite() && shift.is_finite() => Ok(()),
            (scale, shift) => Err(format!("it multiplies by {scale} and adds {shift}; both must be finite")),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| g.affine(x, -0.7, 0.1))]
    }
}
