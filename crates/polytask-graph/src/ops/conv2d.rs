//! Convolutions.

use super::{Activation, Layout, Operation, Site, parameters};
use crate::example::Example;
use crate::{ParameterId, Window};
use serde::{Deserialize, Serialize};

/// [`Op::Conv2d`](crate::Op::Conv2d). With groups, outputs `g n/groups ..` read only the channels `g c/groups ..`; as many
/// groups as channels is a depthwise convolution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv2d {
    /// `window height x window width x c/groups x n`
    pub weight: ParameterId,
    /// `n`
    pub bias: Option<ParameterId>,
    /// Where it reads.
    pub window: Window,
    /// Divides `c` and `n`.
    pub groups: usize,
    /// Applied to the sum.
    pub activation: Activation,
}

impl Operation for Conv2d {
    parameters!([weight, bias], matrices []);

    fn label(&self) -> &str {
        "conv2d"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        let (image, filters, groups) = (site.image()?, site.shape.channels(), self.groups);
        let ([y, x], [.., channels]) = (site.places(&self.window, image)?, image);
        site.gives(&[y, x, filters])?;
        site.divides(groups, channels)?;
        site.divides(groups, filters)?;
        let [height, width] = self.window.size;
        site.is_shaped(self.weight, &[height, width, channels / groups, filters])?;
        self.bias.map_or(Ok(()), |bias| site.is_shaped(bias, &[filters]))
    }

    /// Every weight at every place, but a group's weights only on its own channels.
    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.parameter(self.weight).len() * site.shape.pixels()
    }

    fn layout(&self) -> Layout {
        Layout::Blocks
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::images(|g, x| {
                let uneven = Window { size: [3, 2], stride: [1, 1], padding: [1, 0], beyond: [0, 1], dilation: [2, 1] };
                g.conv2d(x, 3, uneven, Activation::Tanh)
            }),
            Example::images(|g, x| {
                let window = Window::square(3).stride(2).padding(1);
                g.grouped_conv2d(x, 6, window, 2, Some(Activation::Gelu))
            }),
            Example::images(|g, x| g.plain_conv2d(x, 3, Window::square(1))),
        ]
    }
}
