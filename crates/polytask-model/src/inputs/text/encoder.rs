//! What reads the embedded tokens of a text.

use crate::section::{Along, Positions, TextModel};
use polytask_graph::{Activation, DomainId, GraphBuilder, NodeId};

/// Adds the encoder of `model` over tokens `x`, `[d] -> [width]`: the layers `{name}.conv.0`, `{name}.lstm.0`, ..., the
/// second and later ones added to what they read. With learned positions there is one for each of the first `most` tokens.
pub(super) fn encode(
    g: &mut GraphBuilder,
    domain: DomainId,
    name: &str,
    x: NodeId,
    model: &TextModel,
    most: usize,
) -> NodeId {
    let (dropout, layer) = (model.dropout as f32, model.layer());
    match layer {
        None => x,
        Some(along @ Along::Transformer { width, .. }) => {
            let x = g.named(format!("{name}.input")).dense(x, width, Activation::Linear);
            let x = match model.positions {
                Positions::Rotary => x,
                Positions::Learned => {
                    let positions = g.named(format!("{name}.positions")).positions(domain, most, width);
                    g.named(format!("{name}.input.sum")).add(&[x, positions])
                }
            };
            let stage = |x, i| self::layer(g, &format!("{name}.transformer.{i}"), along, x, dropout);
            let h = (0..model.layers).fold(x, stage);
            g.named(format!("{name}.norm")).layer_norm(h)
        }
        Some(along) => (0..model.layers).fold(x, |x, i| {
            let name = format!("{name}.{}.{i}", kind(along));
            let h = self::layer(g, &name, along, x, dropout);
            if i == 0 { h } else { g.named(format!("{name}.sum")).add(&[x, h]) }
        }),
    }
}

/// Adds a layer along a text, called `name`, with dropout.
pub(crate) fn layer(g: &mut GraphBuilder, name: &str, along: Along, x: NodeId, dropout: f32) -> NodeId {
    g.named(name);
    let h = match along {
        Along::Conv { width, window } => g.conv1d(x, width, window, Activation::Relu),
        Along::Lstm { width } => g.bilstm(x, width / 2),
        Along::Gru { width } => g.bigru(x, width / 2),
        Along::Transformer { width, heads, hidden, rotary } => {
            let x = match g.features(x) == width {
                true => x,
                false => g.named(format!("{name}.input")).dense(x, width, Activation::Linear),
            };
            return g.named(name).transformer(x, heads, hidden, rotary, dropout);
        }
    };
    g.named(format!("{name}.dropout")).dropout(h, dropout)
}

fn kind(along: Along) -> &'static str {
    match along {
        Along::Conv { .. } => "conv",
        Along::Lstm { .. } => "lstm",
        Along::Gru { .. } => "gru",
        Along::Transformer { .. } => "transformer",
    }
}
