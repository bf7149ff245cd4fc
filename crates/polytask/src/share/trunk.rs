//! The stages of a trunk on images.

use super::Design;
use crate::config::{ImageLayer, Norm, Pooling};
use polytask_graph::{Activation, GraphBuilder, NodeId, Window};

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
