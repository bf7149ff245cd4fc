//! The stages of a trunk on images.

use super::Design;
use crate::section::{ImageLayer, Norm, Pooling};
use polytask_graph::{Activation, GraphBuilder, Interpolation, NodeId, Window};

/// What a layer's sums are normalised by.
#[derive(Clone, Copy)]
enum Normal {
    None,
    Batch,
    /// As many groups as there can be, up to so many.
    Groups(usize),
}

impl Design<'_> {
    /// An image layer: a convolution or a residual block, then pooling and dropout.
    pub(super) fn image_layer(&self, g: &mut GraphBuilder, name: &str, layer: &ImageLayer, x: NodeId) -> NodeId {
        let norm = match layer.norm {
            Some(Norm::None) => Normal::None,
            Some(Norm::Batch) => Normal::Batch,
            Some(Norm::Group) => Normal::Groups(8),
            None if self.config.layer_norm => Normal::Groups(1),
            None => Normal::None,
        };
        let activation = Activation::from(self.config.activation);
        let stride = layer.stride.unwrap_or(1);
        let h = match (layer.conv, layer.block) {
            (Some(channels), _) => {
                let window =
                    Window::square(layer.size.unwrap_or(3)).stride(stride).dilation(layer.dilation.unwrap_or(1));
                let window = layer.padding.map_or_else(|| window.same(), |padding| window.padding(padding));
                let groups = layer.groups.unwrap_or(1);
                convolution(g, name, x, channels, window, groups, norm, activation)
            }
            (None, Some(channels)) => block(g, name, x, channels, stride, norm, activation),
            (None, None) => x,
        };
        let h = match layer.pool {
            Some(side) => {
                let pooling = match layer.pooling.unwrap_or(Pooling::Max) {
                    Pooling::Max => polytask_graph::Pooling::Max,
                    Pooling::Average => polytask_graph::Pooling::Average,
                };
                g.named(format!("{name}.pool")).pool(h, pooling, Window::square(side).stride(side))
            }
            None => h,
        };
        g.named(format!("{name}.dropout")).dropout(h, self.config.dropout as f32)
    }
}

/// The heads of tasks that label pixels.
impl Design<'_> {
    /// Hidden layers `{name}.0`, ...: a convolution of 3 x 3 each, of the image at twice its size (`{name}.0.up`) where that is
    /// still smaller than what is labelled.
    pub(super) fn pixel_tower(
        &self,
        g: &mut GraphBuilder,
        name: &str,
        h: NodeId,
        size: [usize; 2],
        widths: &[usize],
    ) -> NodeId {
        widths.iter().enumerate().fold(h, |h, (i, width)| {
            let Some(factor) = enlargement(g, name, h, size) else { return h };
            let factor = if factor.is_multiple_of(2) { 2 } else { 1 };
            let h = g.named(format!("{name}.{i}.up")).upsample(h, factor, Interpolation::Bilinear);
            let layer = ImageLayer { conv: Some(*width), ..ImageLayer::default() };
            self.image_layer(g, &format!("{name}.{i}"), &layer, h)
        })
    }

    /// The outputs of every pixel: `{name}.{last}` of the image as it is, enlarged to what is labelled (`{name}.up`), which
    /// is the same as the other way round and less work.
    pub(super) fn pixel_output(
        &self,
        g: &mut GraphBuilder,
        name: &str,
        last: usize,
        h: NodeId,
        width: usize,
        size: [usize; 2],
    ) -> NodeId {
        let Some(factor) = enlargement(g, name, h, size) else { return h };
        let out = g.named(format!("{name}.{last}")).pointwise(h, width, Activation::Linear);
        g.named(format!("{name}.up")).upsample(out, factor, Interpolation::Bilinear)
    }
}

/// How many times larger than an image that is which is labelled; refuses what is no whole multiple.
fn enlargement(g: &mut GraphBuilder, name: &str, h: NodeId, [height, width]: [usize; 2]) -> Option<usize> {
    let Some([own_height, own_width, _]) = g.shape(h).image() else {
        let reason = "it labels the pixels of an image, and what it reads is none; let the trunk end in image layers, such \
                      as [{ conv = 16 }, { conv = 32, pool = 2 }]";
        g.refuse(name, reason);
        return None;
    };
    let factor = height / own_height.max(1);
    if [own_height * factor, own_width * factor] == [height, width] && factor > 0 {
        return Some(factor);
    }
    let reason = format!(
        "it labels {height} x {width} pixels and reads {own_height} x {own_width}, of which they are no whole multiple; \
         choose sides that the trunk can halve as often as it does, by the input's `size`"
    );
    g.refuse(name, reason);
    None
}

#[allow(clippy::too_many_arguments, reason = "all of them say what a convolution is")]
fn convolution(
    g: &mut GraphBuilder,
    name: &str,
    x: NodeId,
    channels: usize,
    window: Window,
    groups: usize,
    norm: Normal,
    activation: Activation,
) -> NodeId {
    let own = matches!(norm, Normal::None).then_some(activation);
    let h = g.named(name).grouped_conv2d(x, channels, window, groups, own);
    normalised(g, &format!("{name}.norm"), h, channels, norm, activation)
}

fn normalised(
    g: &mut GraphBuilder,
    name: &str,
    x: NodeId,
    channels: usize,
    norm: Normal,
    activation: Activation,
) -> NodeId {
    match norm {
        Normal::None => x,
        Normal::Batch => g.named(name).batch_norm(x, activation),
        Normal::Groups(most) => {
            let groups = (1..=most).rev().find(|n| channels.is_multiple_of(*n)).unwrap_or(1);
            g.named(name).group_norm(x, groups, activation)
        }
    }
}

/// `activation(shortcut(x) + norm(conv(activation(norm(conv(x))))))`; the shortcut is a convolution of single pixels
/// where the sum's shape is not that of x (He et al. 2016, option B).
fn block(
    g: &mut GraphBuilder,
    name: &str,
    x: NodeId,
    channels: usize,
    stride: usize,
    norm: Normal,
    activation: Activation,
) -> NodeId {
    let window = Window::square(3).same();
    let first = convolution(g, &format!("{name}.first"), x, channels, window.stride(stride), 1, norm, activation);
    let second = convolution(g, &format!("{name}.second"), first, channels, window, 1, norm, Activation::Linear);
    let shortcut = match stride == 1 && g.shape(x).channels() == channels {
        true => x,
        false => {
            let window = Window::square(1).stride(stride);
            convolution(g, &format!("{name}.shortcut"), x, channels, window, 1, norm, Activation::Linear)
        }
    };
    let sum = g.named(format!("{name}.sum")).add(&[shortcut, second]);
    g.named(name).activation(sum, activation)
}
