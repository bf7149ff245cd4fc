//! The features of a row, normalised.

use super::{Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::LayerNorm`](crate::Op::LayerNorm).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LayerNorm {
    /// `d`
    pub gain: ParameterId,
    /// `d`
    pub bias: ParameterId,
    /// Added to the variance.
    pub epsilon: f32,
}

impl Operation for LayerNorm {
    parameters!([gain, bias], matrices []);

    fn label(&self) -> &str {
        "layer_norm"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.keeps_width()?;
        site.is_shaped(self.gain, &[site.width(0)])?;
        site.is_shaped(self.bias, &[site.width(0)])
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| g.layer_norm(x))]
    }
}
