//! The mean of every channel of an image.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;

/// [`Op::GlobalPool`](crate::Op::GlobalPool).
pub struct GlobalPool;

impl Operation for GlobalPool {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "global_pool"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        let [.., channels] = site.image()?;
        site.gives(&[channels])
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.widths().sum()
    }

    fn layout(&self) -> Layout {
        Layout::Blocks
    }

    fn examples() -> Vec<Example> {
        vec![Example::images(|g, x| g.global_pool(x))]
    }
}
