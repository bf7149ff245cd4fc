//! Groups of channels normalised over the pixels of a row.

use super::{Activation, Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::GroupNorm`](crate::Op::GroupNorm).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupNorm {
    /// `c`
    pub gain: ParameterId,
    /// `c`
    pub bias: ParameterId,
    /// Divides `c`.
    pub groups: usize,
    /// Added to the variance.
    pub epsilon: f32,
    /// Applied to the sum.
    pub activation: Activation,
}

impl Operation for GroupNorm {
    parameters!([gain, bias], matrices []);

    fn label(&self) -> &str {
        "group_norm"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(1)?;
        let input = site.input(0);
        site.divides(self.groups, input.channels())?;
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
            Example::rows(|g, x| g.group_norm(x, 2, Activation::Tanh)),
            Example::images(|g, x| g.group_norm(x, 2, Activation::Linear)),
        ]
    }
}
