//! The network of an encoder in the ops of the engine, and layers of a transformer with the norms last.

use super::adapted::{INPUTS, Site};
use super::{Build, Shape, Tuning, pre_norm};
use crate::section::Target;
use polytask_graph::{Activation, GraphBuilder, IndexColumn, NodeId};

/// Adds the encoder; see [`Checkpoint::build`](super::Checkpoint::build).
pub(super) fn build(
    g: &mut GraphBuilder,
    name: &str,
    prefix: &str,
    ids: NodeId,
    shape: &Shape,
    tuning: &Tuning,
) -> NodeId {
    let learning = tuning.below(shape.layers, shape.layers);
    let name = format!("{prefix}{name}");
    let biases = shape.build.biases();
    let site = &mut Site { g, name: name.clone(), prefix, biases, learning };
    let mut x = match &shape.build {
        Build::PostNorm => embed(site, ids, shape),
        Build::PreNorm { .. } => pre_norm::embed(site, ids, shape),
        Build::Table => {
            let column = IndexColumn { column: 0, levels: shape.vocabulary };
            return site.own("word", |g| g.sparse_embedding(ids, column, shape.width));
        }
    };
    for layer in 0..shape.layers {
        let learning = tuning.below(shape.layers - 1 - layer, shape.layers);
        if learning.own > 0.0 && layer > 0 && layer + tuning.layers == shape.layers {
            x = g.named(format!("{name}.fixed")).stop_gradient(x);
        }
        let site = &mut Site { g, name: format!("{name}.{layer}"), prefix, biases, learning };
        x = match &shape.build {
            Build::PreNorm { .. } => pre_norm::layer(site, layer, x, shape),
            Build::PostNorm | Build::Table => self::layer(site, x, shape),
        };
    }
    match &shape.build {
        Build::PreNorm { .. } => pre_norm::last(g, (&name, prefix), x, shape, tuning),
        Build::PostNorm | Build::Table => x,
    }
}

fn embed(site: &mut Site<'_>, ids: NodeId, shape: &Shape) -> NodeId {
    let column = IndexColumn { column: 0, levels: shape.vocabulary };
    let word = site.own("word", |g| g.sparse_embedding(ids, column, shape.embedding));
    let domain = site.g.domain(ids);
    let position = site.own("position", |g| g.positions(domain, shape.positions, shape.embedding));
    let sum = site.named("sum").add(&[word, position]);
    let x = site.own("norm", |g| g.layer_norm_with(sum, shape.epsilon));
    let dropout = site.learning.dropout;
    let x = site.named("dropout").dropout(x, dropout);
    match shape.embedding == shape.width {
        true => x,
        false => site.own("project", |g| g.dense(x, shape.width, Activation::Linear)),
    }
}

/// `a = norm(x + attention(x))`, `norm(a + W_2 f(W_1 a))`, as Devlin et al. 2019 have it.
fn layer(site: &mut Site<'_>, x: NodeId, shape: &Shape) -> NodeId {
    let (d, linear) = (shape.width, Activation::Linear);
    let inputs = site.dense("attention.inputs", x, 3 * d, linear, &INPUTS);
    let mixed = site.named("attention").attend(inputs, shape.heads, None);
    let mixed = site.dense("attention.output", mixed, d, linear, &[Target::Output]);
    let sum = site.residual("attention", x, mixed);
    let a = site.own("attention.norm", |g| g.layer_norm_with(sum, shape.epsilon));
    let inner = site.dense("inner", a, shape.hidden, shape.activation, &[Target::Up]);
    let outer = site.dense("outer", inner, d, linear, &[Target::Down]);
    let sum = site.residual("outer", a, outer);
    site.own("norm", |g| g.layer_norm_with(sum, shape.epsilon))
}
