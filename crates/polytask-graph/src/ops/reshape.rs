//! The same features in another shape.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;

/// [`Op::Reshape`](crate::Op::Reshape).
pub struct Reshape;

impl Operation for Reshape {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "reshape"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.keeps_width()
    }

    fn multiply_adds(&self, _: &Site<'_>) -> usize {
        0
    }

    fn layout(&self) -> Layout {
        Layout::Copied
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::rows(|g, x| {
                let width = g.features(x);
                let image = g.reshape(x, &[1, 1, width]);
                g.global_pool(image)
            }),
            Example::images(|g, x| g.flatten(x)),
        ]
    }
}
