//! One-gate mixture of experts (Jacobs et al. 1991; the single-gate baseline of Ma et al., KDD 2018).
//!
//! ```text
//! h = sum_e g(x)_e f_e(x),  g(x) = softmax(x W + b)
//! ```

use super::ModelConfig;
use super::experts::{self, Expert, Gate, GateConfig};
use super::{Architecture, Design, Info};
use crate::section::Problem;
use polytask_graph::{GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "omoe",
    shares: "experts and one gate for all tasks, a head for each",
    when: "rows of several sorts, and tasks that agree on them",
    paper: "Jacobs et al., Neural Computation 3, 1991",
};

/// Shared experts behind one gate for all tasks (Jacobs et al. 1991).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Omoe {
    /// Number of experts, from 1 to 1024. Default 8.
    pub experts: usize,
    /// Widths of an expert's layers, each from 1 to 65536. Default: those of `model.trunk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<usize>>,
    /// The gate.
    pub gate: GateConfig,
}

impl Default for Omoe {
    fn default() -> Self {
        Omoe { experts: 8, widths: None, gate: GateConfig::default() }
    }
}

impl Architecture for Omoe {
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
        let h = omoe(g, x, self.experts, &expert, &gate);
        design.heads(g, &vec![h; design.tasks()]);
    }
}

/// One representation for all tasks, a mixture of experts.
pub fn omoe(g: &mut GraphBuilder, x: NodeId, experts: usize, expert: Expert<'_>, gate: Gate<'_>) -> NodeId {
    let experts = experts::experts(g, "", x, experts, expert);
    experts::mixture(g, "", x, &experts, gate)
}
