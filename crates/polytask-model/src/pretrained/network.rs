//! The network of an encoder in the ops of the engine: layers of a transformer with the norms last.

use super::{Shape, Tuning};
use polytask_graph::{Activation, GraphBuilder, IndexColumn, NodeId};

/// Adds the encoder; see [`Checkpoint::build`](super::Checkpoint::build).
pub(super) fn build(g: &mut GraphBuilder, name: &str, ids: NodeId, shape: &Shape, tuning: Tuning) -> NodeId {
    let from = shape.layers.saturating_sub(tuning.layers);
    let rate = |g: &mut GraphBuilder, x: NodeId, learns: bool| {
        g.learning_rate(x, if learns { tuning.rate } else { 0.0 });
        x
    };
    let all = from == 0 && tuning.layers > 0;
    let column = IndexColumn { column: 0, levels: shape.vocabulary };
    let word = g.named(format!("{name}.word")).sparse_embedding(ids, column, shape.embedding);
    let word = rate(g, word, all);
    let domain = g.domain(ids);
    let position = g.named(format!("{name}.position")).positions(domain, shape.positions, shape.embedding);
    let position = rate(g, position, all);
    let sum = g.named(format!("{name}.sum")).add(&[word, position]);
    let x = g.named(format!("{name}.norm")).layer_norm_with(sum, shape.epsilon);
    let mut x = rate(g, x, all);
    x = g.named(format!("{name}.dropout")).dropout(x, if all { tuning.dropout } else { 0.0 });
    if shape.embedding != shape.width {
        x = g.named(format!("{name}.project")).dense(x, shape.width, Activation::Linear);
        x = rate(g, x, all);
    }
    for layer in 0..shape.layers {
        let learns = layer >= from && tuning.layers > 0;
        if learns && layer == from && layer > 0 {
            x = g.named(format!("{name}.fixed")).stop_gradient(x);
        }
        x = self::layer(g, &format!("{name}.{layer}"), x, shape, if learns { tuning } else { Tuning::none() });
    }
    x
}

/// `a = norm(x + attention(x))`, `norm(a + W_2 f(W_1 a))`, as Devlin et al. 2019 have it.
fn layer(g: &mut GraphBuilder, name: &str, x: NodeId, shape: &Shape, tuning: Tuning) -> NodeId {
    let mixed = g.named(format!("{name}.attention")).attention(x, shape.heads, false);
    if let Some(inputs) = g.find(&format!("{name}.attention.inputs")) {
        g.learning_rate(inputs, tuning.rate);
    }
    g.learning_rate(mixed, tuning.rate);
    let mixed = g.named(format!("{name}.attention.dropout")).dropout(mixed, tuning.dropout);
    let sum = g.named(format!("{name}.attention.sum")).add(&[x, mixed]);
    let a = g.named(format!("{name}.attention.norm")).layer_norm_with(sum, shape.epsilon);
    g.learning_rate(a, tuning.rate);
    let inner = g.named(format!("{name}.inner")).dense(a, shape.hidden, shape.activation);
    g.learning_rate(inner, tuning.rate);
    let outer = g.named(format!("{name}.outer")).dense(inner, shape.width, Activation::Linear);
    g.learning_rate(outer, tuning.rate);
    let outer = g.named(format!("{name}.outer.dropout")).dropout(outer, tuning.dropout);
    let sum = g.named(format!("{name}.outer.sum")).add(&[a, outer]);
    let out = g.named(format!("{name}.norm")).layer_norm_with(sum, shape.epsilon);
    g.learning_rate(out, tuning.rate);
    out
}
