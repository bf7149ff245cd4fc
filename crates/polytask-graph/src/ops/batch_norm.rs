//! Channels normalised over rows.

use super::{Activation, Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::BatchNorm`](crate::Op::BatchNorm).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatchNorm {
    /// `c`
    pub gain: ParameterId,
    /// `c`
    pub bias: ParameterId,
    /// `c`, a running average, not trained.
    pub mean: ParameterId,
    /// `c`, a running average, not trained.
    pub variance: ParameterId,
    /// Added to the variance.
    pub epsilon: f32,
    /// Applied to the sum.
    pub activation: Activation,
}

impl Operation for BatchNorm {
    parameters!([gain, bias, mean, variance], matrices []);

    fn label(&self) -> &str {
        "batch_norm"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        if !site.domain.is_rows() {
            return Err("batch norm works on the rows; elsewhere layer and group norm do".into());
        }
        site.takes(1)?;
        let input = site.input(0);
        site.gives(&input.0)?;
        self.parameters().into_iter().try_for_each(|p| site.is_shaped(p, &[input.channels()]))
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Blocks
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::rows(|g, x| g.batch_norm(x, Activation::Tanh)),
            Example::images(|g, x| g.batch_norm(x, Activation::Silu)),
        ]
    }
}
