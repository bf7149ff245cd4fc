//! Multi-gate mixture of experts (Ma et al., "Modeling task relationships in multi-task learning with multi-gate
//! mixture-of-experts", KDD 2018).
//!
//! ```text
//! h_t = sum_e g_t(x)_e f_e(x),  g_t(x) = softmax(x W_t + b_t)
//! ```

use super::ModelConfig;
use super::experts::{self, Expert, Gate, GateConfig};
use super::{Architecture, Design, Info};
use crate::section::Problem;
use polytask_graph::{GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "mmoe",
    shares: "experts, which each task weighs by a gate of its own",
    when: "tasks that agree on some rows or features and not on others",
    paper: "Ma et al., KDD 2018",
};

/// Shared experts, weighed for each task by a gate of its own (Ma et al. 2018).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mmoe {
    /// Number of experts, from 1 to 1024. Default 8.
    pub experts: usize,
    /// Widths of an expert's layers, each from 1 to 65536. Default: those of `model.trunk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<usize>>,
    /// The gates.
    pub gate: GateConfig,
}

impl Default for Mmoe {
    fn default() -> Self {
        Mmoe { experts: 8, widths: None, gate: GateConfig::default() }
    }
}

impl Architecture for Mmoe {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        experts::check_count("experts", self.experts)?;
        experts::check_expert(&self.widths, model)?;
        self.gate.check()
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let expert = experts::expert(design, &self.widths);
        let gate = |g: &mut GraphBuilder, name: &str, x, n| self.gate.build(g, design, name, x, n);
        let h = mmoe(g, x, &design.owners(), self.experts, &expert, &gate);
        design.heads(g, &h);
    }
}

/// One representation a task, all of them mixtures of the same experts. The names of a task's own layers begin with its
/// entry in `owners`.
///
/// ```
/// use polytask_model::share::{mmoe, softmax_gate};
/// use polytask_graph::{Activation, GraphBuilder, LossKind, NodeId};
///
/// let mut g = GraphBuilder::new();
/// let x = g.input("x", 8);
/// let expert = |g: &mut GraphBuilder, name: &str, x: NodeId| g.named(name).dense(x, 16, Activation::Relu);
/// let tasks = ["length", "weight"];
/// let h = mmoe(&mut g, x, &tasks.map(|t| format!("{t}.")), 4, &expert, &softmax_gate);
/// for (task, h) in tasks.into_iter().zip(h) {
///     let y = g.named(task).dense(h, 1, Activation::Linear);
///     g.loss(task, y, LossKind::Mse);
/// }
/// let graph = g.finish()?;
/// assert_eq!(graph.parameter_count(), 4 * 9 * 16 + 2 * 9 * 4 + 2 * 17);
/// # Ok::<(), polytask_graph::GraphError>(())
/// ```
pub fn mmoe(
    g: &mut GraphBuilder,
    x: NodeId,
    owners: &[String],
    experts: usize,
    expert: Expert<'_>,
    gate: Gate<'_>,
) -> Vec<NodeId> {
    let experts = experts::experts(g, "", x, experts, expert);
    owners.iter().map(|own| experts::mixture(g, own, x, &experts, gate)).collect()
}
