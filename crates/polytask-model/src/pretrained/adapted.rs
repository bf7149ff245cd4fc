//! Layers of an encoder, and what learns beside them.

use super::tuning::Learning;
use crate::section::{Adaptation, Target};
use polytask_graph::{Activation, GraphBuilder, Init, NodeId};

/// What attention reads: queries, keys and values.
pub(super) const INPUTS: [Target; 3] = [Target::Query, Target::Key, Target::Value];

/// Where layers of an encoder are built that learn alike.
pub(super) struct Site<'a> {
    pub g: &'a mut GraphBuilder,
    /// What the names of its layers begin with.
    pub name: String,
    /// What these begin with where a task has an encoder of its own. Weights that do not learn are there once for all tasks:
    /// their names do without it.
    pub prefix: &'a str,
    /// Whether dense layers have biases.
    pub biases: bool,
    /// What of it learns.
    pub learning: Learning<'a>,
}

impl Site<'_> {
    /// Names the next layer, which has no weights of its own.
    pub fn named(&mut self, layer: &str) -> &mut GraphBuilder {
        let name = format!("{}.{layer}", self.name);
        self.g.named(name)
    }

    /// Adds a layer with weights of its own.
    pub fn own(&mut self, layer: &str, build: impl FnOnce(&mut GraphBuilder) -> NodeId) -> NodeId {
        let (name, rate) = (format!("{}.{layer}", self.name), self.learning.own);
        let build = |g: &mut GraphBuilder| build(g.named(name));
        let x = match rate > 0.0 {
            true => build(self.g),
            false => self.g.tied(self.prefix, "", build),
        };
        self.g.learning_rate(x, rate);
        x
    }

    /// A dense layer with what learns beside it. Several `targets` are of one width, and stand side by side.
    pub fn dense(
        &mut self,
        layer: &str,
        x: NodeId,
        width: usize,
        activation: Activation,
        targets: &[Target],
    ) -> NodeId {
        let each = width / targets.len().max(1);
        let terms: Vec<Option<NodeId>> = targets.iter().map(|target| self.term(layer, x, each, *target)).collect();
        if terms.iter().all(Option::is_none) {
            return self.plain(layer, x, width, activation);
        }
        let y = self.plain(layer, x, width, Activation::Linear);
        let mut parts = Vec::with_capacity(targets.len());
        for (i, (target, term)) in targets.iter().zip(terms).enumerate() {
            let word = target.word();
            let part = match targets.len() {
                1 => y,
                _ => self.named(&format!("{layer}.{word}")).slice(y, i * each, (i + 1) * each),
            };
            let sum = |term| self.named(&format!("{layer}.lora.{word}.sum")).add(&[part, term]);
            parts.push(term.map_or(part, sum));
        }
        let y = self.named(&format!("{layer}.lora")).concat(&parts);
        match activation {
            Activation::Linear => y,
            other => self.named(&format!("{layer}.activation")).activation(y, other),
        }
    }

    fn plain(&mut self, layer: &str, x: NodeId, width: usize, activation: Activation) -> NodeId {
        let biases = self.biases;
        self.own(layer, |g| match biases {
            true => g.dense(x, width, activation),
            false => g.linear_from(x, width, activation, Init::Constant(0.0)),
        })
    }

    /// `alpha / rank x A B` where the target has one.
    fn term(&mut self, layer: &str, x: NodeId, width: usize, target: Target) -> Option<NodeId> {
        let (Adaptation::Lora { rank, alpha, targets }, rate) = self.learning.beside? else { return None };
        if !targets.contains(&target) {
            return None;
        }
        let (name, fan_in) = (format!("{layer}.lora.{}", target.word()), self.g.features(x).max(1) as f32);
        let first = Init::Uniform(fan_in.sqrt().recip());
        let a = self.named(&format!("{name}.down")).linear_from(x, *rank, Activation::Linear, first);
        self.g.learning_rate(a, rate);
        let a = self.named(&format!("{name}.scale")).affine(a, alpha / *rank as f32, 0.0);
        let b = self.named(&format!("{name}.up")).linear_from(a, width, Activation::Linear, Init::Constant(0.0));
        self.g.learning_rate(b, rate);
        Some(b)
    }

    /// Adds what a half of a layer gives to what it has read.
    pub fn residual(&mut self, half: &str, x: NodeId, y: NodeId) -> NodeId {
        let dropout = self.learning.dropout;
        let y = self.named(&format!("{half}.dropout")).dropout(y, dropout);
        let y = self.adapter(half, y);
        self.named(&format!("{half}.sum")).add(&[x, y])
    }

    /// What a half of a layer gives, with its adapter.
    fn adapter(&mut self, half: &str, y: NodeId) -> NodeId {
        let Some((Adaptation::Adapters { width }, rate)) = self.learning.beside else { return y };
        let (name, features) = (format!("{half}.adapter"), self.g.features(y));
        let inner = self.named(&format!("{name}.down")).dense(y, *width, Activation::Gelu);
        self.g.learning_rate(inner, rate);
        let zero = Init::Constant(0.0);
        let outer = self.named(&format!("{name}.up")).dense_from(inner, features, Activation::Linear, zero);
        self.g.learning_rate(outer, rate);
        self.named(&name).add(&[y, outer])
    }
}
