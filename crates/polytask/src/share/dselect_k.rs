//! DSelect-k (Hazimeh et al., "DSelect-k: differentiable selection in the mixture of experts", NeurIPS 2021): as MMoE, with
//! gates that choose at most k experts and can be differentiated.
//!
//! ```text
//! g_t = sum_i softmax(w)_i r_i,  r_ie = prod_b (S(z_ib) if bit b of e is set, else 1 - S(z_ib)),  i = 1..k
//! ```
//!
//! where S is the smooth step, and w and z are linear in x, or the same for all rows.

use super::experts;
use super::{Architecture, Design, Info, mmoe};
use crate::config::{ModelConfig, Problem};
use polytask_graph::{Activation, GraphBuilder, Init, NodeId, Op};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "dselect_k",
    shares: "experts, of which each task's gate chooses k",
    when: "many experts; gates that are to be sharp and easy to read",
    paper: "Hazimeh et al., NeurIPS 2021",
};

/// Shared experts, of which each task's gate learns to choose k (Hazimeh et al. 2021).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DselectK {
    /// Number of experts, from 2 to 1024. Default 8.
    pub experts: usize,
    /// Experts that a gate chooses at most, from 1 to the number of experts. Default 2.
    pub k: usize,
    /// Whether the choice hangs on the row; otherwise it is one for all rows. Default true.
    pub per_row: bool,
    /// Widths of an expert's layers, each from 1 to 65536. Default: those of `model.trunk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<usize>>,
}

impl Default for DselectK {
    fn default() -> Self {
        DselectK { experts: 8, k: 2, per_row: true, widths: None }
    }
}

impl Architecture for DselectK {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        experts::check_count("experts", self.experts)?;
        if self.experts < 2 {
            let rule = "a choice needs 2 experts or more";
            return Err(Problem::value(&["model", "sharing", "experts"], self.experts, rule));
        }
        if !(1..=self.experts).contains(&self.k) {
            let rule = format!("it must be from 1 to the number of experts, {}", self.experts);
            return Err(Problem::value(&["model", "sharing", "k"], self.k, &rule));
        }
        experts::check_expert(&self.widths, model)
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let expert = experts::expert(design, &self.widths);
        let gate =
            |g: &mut GraphBuilder, name: &str, x, n| dselect_k_gate(g, name, self.per_row.then_some(x), n, self.k);
        let h = mmoe(g, x, &design.owners(), self.experts, &expert, &gate);
        design.heads(g, &h);
    }
}

/// A gate of at most `k` experts, `[experts]`, that reads `x`, or is the same for all rows without it.
pub fn dselect_k_gate(g: &mut GraphBuilder, name: &str, x: Option<NodeId>, experts: usize, k: usize) -> NodeId {
    let x = x.map(|x| g.flatten(x));
    let mut logits = |part: &str, width, bound| {
        let (name, init) = (format!("{name}.{part}"), Init::Uniform(bound));
        match x {
            Some(x) => g.named(name).dense_from(x, width, Activation::Linear, init),
            None => g.named(name).vector(width, init),
        }
    };
    let z = logits("z", k * Op::code_bits(experts), 0.01);
    let w = logits("w", k, 0.05);
    let steps = g.named(format!("{name}.steps")).activation(z, Activation::SmoothStep);
    let selectors = g.named(format!("{name}.selectors")).codes(steps, experts);
    let weights = g.named(format!("{name}.weights")).softmax(w);
    g.named(name).mixture(weights, &[selectors])
}
