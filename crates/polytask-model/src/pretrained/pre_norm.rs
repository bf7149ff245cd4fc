//! Layers with the norms first, gates within and positions by rotation, as ModernBERT has them (Warner et al. 2024).

use super::adapted::{INPUTS, Site};
use super::{Build, Shape, Tuning};
use crate::section::Target;
use polytask_graph::{Activation, GraphBuilder, IndexColumn, NodeId};

/// The embeddings of pieces, normalised: `norm(word)`.
pub(super) fn embed(site: &mut Site<'_>, ids: NodeId, shape: &Shape) -> NodeId {
    let column = IndexColumn { column: 0, levels: shape.vocabulary };
    let word = site.own("word", |g| g.sparse_embedding(ids, column, shape.width));
    let x = site.own("norm", |g| g.layer_norm_with(word, shape.epsilon));
    let dropout = site.learning.dropout;
    site.named("dropout").dropout(x, dropout)
}

/// `a = x + attention(norm(x))`, `a + W_3 (f(W_1 n) * W_2 n)` with `n = norm(a)`; what the first layer reads is normalised
/// already.
pub(super) fn layer(site: &mut Site<'_>, layer: usize, x: NodeId, shape: &Shape) -> NodeId {
    let (window, base) = match &shape.build {
        Build::PreNorm { window, near, bases } => match near.get(layer) {
            Some(true) => (Some(*window), bases[1]),
            Some(false) | None => (None, bases[0]),
        },
        Build::PostNorm | Build::Table => (None, 1.0),
    };
    let (d, h, linear) = (shape.width, shape.hidden, Activation::Linear);
    let read = match layer {
        0 => x,
        _ => site.own("attention.norm", |g| g.layer_norm_with(x, shape.epsilon)),
    };
    let inputs = site.dense("attention.inputs", read, 3 * d, linear, &INPUTS);
    let turned = site.named("attention.rotary").rotary(inputs, d / shape.heads.max(1), 2 * d, base);
    let mixed = site.named("attention").attend(turned, shape.heads, window);
    let mixed = site.dense("attention.output", mixed, d, linear, &[Target::Output]);
    let a = site.residual("attention", x, mixed);
    let read = site.own("inner.norm", |g| g.layer_norm_with(a, shape.epsilon));
    let both = site.dense("inner", read, 2 * h, linear, &[Target::Up]);
    let inner = site.named("inner.half").slice(both, 0, h);
    let inner = site.named("inner.activated").activation(inner, shape.activation);
    let gate = site.named("inner.gate").slice(both, h, 2 * h);
    let gated = site.named("inner.gated").mul(inner, gate);
    let outer = site.dense("outer", gated, d, linear, &[Target::Down]);
    site.residual("outer", a, outer)
}

/// The norm behind all layers.
pub(super) fn last(
    g: &mut GraphBuilder,
    (name, prefix): (&str, &str),
    x: NodeId,
    shape: &Shape,
    tuning: &Tuning,
) -> NodeId {
    let learning = tuning.below(0, shape.layers);
    let site = &mut Site { g, name: name.to_owned(), prefix, biases: false, learning };
    site.own("last", |g| g.layer_norm_with(x, shape.epsilon))
}
