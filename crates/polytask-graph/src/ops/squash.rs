//! Features scaled and smoothly clipped.

use super::{Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Squash`](crate::Op::Squash).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Squash {
    /// `d`, is subtracted.
    pub center: ParameterId,
    /// `d`, multiplies the difference.
    pub scale: ParameterId,
    /// What the result stays below in magnitude, above 0.
    pub limit: f32,
}

impl Operation for Squash {
    parameters!([center, scale], matrices []);

    fn label(&self) -> &str {
        "squash"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.keeps_width()?;
        if !(self.limit.is_finite() && self.limit > 0.0) {
            return Err(format!("its limit is {}; it must be above 0 and finite", self.limit));
        }
        [self.center, self.scale].into_iter().try_for_each(|p| site.is_shaped(p, &[site.width(0)]))
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| g.squash(x, 3.0)), Example::tokens(|g, x| g.squash(x, 1.5))]
    }
}
