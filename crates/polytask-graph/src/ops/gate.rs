//! Channels of an image times numbers of their own.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;

/// [`Op::Gate`](crate::Op::Gate).
pub struct Gate;

impl Operation for Gate {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "gate"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(2)?;
        let (image, gate) = (site.input(0), site.input(1));
        if image.image().is_none() {
            return Err(format!("it reads images, [height, width, channels], but gets {:?}", image.0));
        }
        match gate.0 == [image.channels()] {
            true => site.gives(&image.0),
            false => Err(format!("it multiplies {} channels with {:?}", image.channels(), gate.0)),
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
            Example::images(|g, x| {
                let means = g.global_pool(x);
                let channels = g.features(means);
                let gate = g.dense(means, channels, crate::Activation::Sigmoid);
                g.gate(x, gate)
            }),
            Example::images(|g, x| {
                let means = g.global_pool(x);
                g.gate(x, means)
            }),
        ]
    }
}
