//! What all mixtures of experts have in common: how an expert and a gate are added to a graph, their keys in the config,
//! and the checks of these.

use super::Design;
use super::ModelConfig;
use crate::section::{Problem, check_widths};
use polytask_graph::{Activation, GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Adds an expert that is called by a name and reads a node; experts of one mixture give the same shape.
pub type Expert<'a> = &'a dyn Fn(&mut GraphBuilder, &str, NodeId) -> NodeId;

/// Adds a gate that is called by a name and reads a node: the weights of this many experts, `[experts]`.
pub type Gate<'a> = &'a dyn Fn(&mut GraphBuilder, &str, NodeId, usize) -> NodeId;

/// The usual gate, `softmax(x W + b)`.
pub fn softmax_gate(g: &mut GraphBuilder, name: &str, x: NodeId, experts: usize) -> NodeId {
    let x = g.flatten(x);
    let z = g.named(format!("{name}.0")).dense(x, experts, Activation::Linear);
    g.named(name).softmax(z)
}

/// A number of experts that read one node, called `{prefix}experts.0`, `{prefix}experts.1`, ...
pub(super) fn experts(g: &mut GraphBuilder, prefix: &str, x: NodeId, count: usize, expert: Expert<'_>) -> Vec<NodeId> {
    (0..count).map(|e| expert(g, &format!("{prefix}experts.{e}"), x)).collect()
}

/// `{prefix}mixture`: experts weighed by a gate `{prefix}gate`, which reads `x`.
pub(super) fn mixture(g: &mut GraphBuilder, prefix: &str, x: NodeId, experts: &[NodeId], gate: Gate<'_>) -> NodeId {
    let weights = gate(g, &format!("{prefix}gate"), x, experts.len());
    g.named(format!("{prefix}mixture")).mixture(weights, experts)
}

/// Softmax gates.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GateConfig {
    /// Widths of a gate's hidden layers, each from 1 to 65536. Default [], a linear gate.
    pub hidden: Vec<usize>,
    /// Share of the experts that a gate leaves out while training, at least 0 and below 1; the others share its weight.
    /// 0.1 keeps gates from settling on one expert (Zhao et al. 2019). Default 0.
    pub dropout: f64,
}

impl GateConfig {
    pub(super) fn check(&self) -> Result<(), Problem> {
        check_widths(&key("gate", "hidden"), &self.hidden)?;
        match (0.0..1.0).contains(&self.dropout) {
            true => Ok(()),
            false => Err(Problem::value(&key("gate", "dropout"), self.dropout, "it must be at least 0 and below 1")),
        }
    }

    /// `softmax(gate(x))` with the model's hidden layers.
    pub(super) fn build(
        &self,
        g: &mut GraphBuilder,
        design: &Design<'_>,
        name: &str,
        x: NodeId,
        experts: usize,
    ) -> NodeId {
        let x = g.flatten(x);
        let h = design.layers(g, name, x, &self.hidden);
        let z = g.named(format!("{name}.{}", self.hidden.len())).dense(h, experts, Activation::Linear);
        g.named(name).softmax_with_dropout(z, self.dropout as f32)
    }
}

/// Where a key of a section of `model.sharing` stands.
fn key(section: &'static str, name: &'static str) -> [&'static str; 4] {
    ["model", "sharing", section, name]
}

/// An expert with layers of these widths, or else with the stages of the model's trunk.
pub(super) fn expert<'a>(
    design: &'a Design<'_>,
    widths: &'a Option<Vec<usize>>,
) -> impl Fn(&mut GraphBuilder, &str, NodeId) -> NodeId + 'a {
    move |g, name, x| match widths {
        Some(widths) => {
            let x = g.flatten(x);
            design.layers(g, name, x, widths)
        }
        None => design.trunk(g, name, x),
    }
}

/// Checks the key that says how wide experts are.
pub(super) fn check_expert(widths: &Option<Vec<usize>>, model: &ModelConfig) -> Result<(), Problem> {
    let key = ["model", "sharing", "widths"];
    if let Some(widths) = widths {
        check_widths(&key, widths)?;
    }
    match widths.as_ref().map_or_else(|| model.trunk.is_empty(), Vec::is_empty) {
        true => Err(Problem::new(&key, "experts without layers are all the same")
            .hint("give `model.sharing.widths` or `model.trunk` a width or more".to_owned())),
        false => Ok(()),
    }
}

/// More experts are surely slips, and would ask for more memory than there is.
const MOST: usize = 1024;

/// Checks a key that counts experts or levels.
pub(super) fn check_count(name: &str, count: usize) -> Result<(), Problem> {
    match (1..=MOST).contains(&count) {
        true => Ok(()),
        false => Err(Problem::value(&["model", "sharing", name], count, &format!("it must be from 1 to {MOST}"))),
    }
}
