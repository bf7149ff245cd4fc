//! Images enlarged.

use super::{Layout, Operation, Site, parameters};
use crate::Interpolation;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Upsample`](crate::Op::Upsample).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upsample {
    /// How.
    pub interpolation: Interpolation,
    /// How often along each side, at least 1.
    pub factor: [usize; 2],
}

impl Operation for Upsample {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "upsample"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        let ([height, width, channels], [down, across]) = (site.image()?, self.factor);
        match down == 0 || across == 0 {
            true => Err("its factor is 0; it must be at least 1".into()),
            false => site.gives(&[height.saturating_mul(down), width.saturating_mul(across), channels]),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Blocks
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::images(|g, x| g.upsample(x, 2, Interpolation::Nearest)),
            Example::images(|g, x| g.upsample(x, 2, Interpolation::Bilinear)),
        ]
    }
}
