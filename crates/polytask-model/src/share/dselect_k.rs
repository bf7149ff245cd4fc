//! DSelect-k (Hazimeh et al., "DSelect-k: differentiable selection in the mixture of experts", NeurIPS 2021): as MMoE, with
//! gates that choose at most k experts and can be differentiated.
//!
//! ```text
//! g_t = sum_i softmax(w)_i r_i,  r_ie = prod_b (S(z_ib) if bit b of e is set, else 1 - S(z_ib)),  i = 1..k
//! ```
//!
//! where S is the smooth step, and w and z are linear in x, or the same for all rows. For every selector i two terms are
//! minimised with the losses: `entropy * -sum_e r_ie ln r_ie`; and, where the number of experts is no power of two, the
//! share of r_i on codes without an expert, lest a selector learns to choose nothing. (The paper's code has `1 / sum_e
//! r_ie` to that end, which pulls the same way.)

use super::ModelConfig;
use super::experts::{self, experts};
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use polytask_graph::{Activation, GraphBuilder, Init, LossId, NodeId, Op};
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
    /// Whether the choice depends on the row; otherwise it is one for all rows. Default true.
    pub per_row: bool,
    /// What the entropy of a choice costs, 0 or above; more makes choices sharp sooner. Default 0.001.
    pub entropy: f64,
    /// Widths of an expert's layers, each from 1 to 65536. Default: those of `model.trunk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<usize>>,
}

impl Default for DselectK {
    fn default() -> Self {
        DselectK { experts: 8, k: 2, per_row: true, entropy: 1e-3, widths: None }
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
        keys::at_least_0("entropy", self.entropy)?;
        experts::check_expert(&self.widths, model)
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let experts = experts(g, "", x, self.experts, &experts::expert(design, &self.widths));
        let gates = design.owners().into_iter().map(|own| {
            let gate = dselect_k_gate(g, &format!("{own}gate"), (x, self.per_row), self.experts, self.k);
            (g.named(format!("{own}mixture")).mixture(gate.weights, &experts), gate)
        });
        let (h, gates): (Vec<NodeId>, Vec<Selection>) = gates.collect();
        design.heads(g, &h);
        for (task, gate) in gates.iter().enumerate() {
            gate.auxiliary_loss(g, &format!("{}gate", design.own(task)), self.entropy as f32, LossId(task));
        }
    }
}

/// A gate that chooses.
#[derive(Clone, Debug)]
pub struct Selection {
    /// What it weighs the experts by, `[experts]`.
    pub weights: NodeId,
    /// What each selector weighs them by, `[experts]` each.
    pub selectors: Vec<NodeId>,
    /// What each selector loses to codes without an expert; empty where every code has one.
    pub lost: Vec<NodeId>,
}

/// A gate of at most `k` experts for the elements of a node: it reads the node, or is the same for all of them.
pub fn dselect_k_gate(
    g: &mut GraphBuilder,
    name: &str,
    (x, reads): (NodeId, bool),
    experts: usize,
    k: usize,
) -> Selection {
    let (domain, x) = (g.domain(x), reads.then(|| g.flatten(x)));
    let mut logits = |part: &str, width, bound| {
        let (name, init) = (format!("{name}.{part}"), Init::Uniform(bound));
        match x {
            Some(x) => g.named(name).dense_from(x, width, Activation::Linear, init),
            None => g.named(name).vector_on(domain, width, init),
        }
    };
    let z = logits("z", k * Op::code_bits(experts), 0.01);
    let w = logits("w", k, 0.05);
    let steps = g.named(format!("{name}.steps")).activation(z, Activation::SmoothStep);
    let codes = 1 << Op::code_bits(experts);
    let all = g.named(format!("{name}.codes")).codes(steps, codes);
    let mut part = |i: usize, of: &str, from: usize, to: usize| {
        g.named(format!("{name}.{of}.{i}")).slice(all, i * codes + from, i * codes + to)
    };
    let selectors: Vec<NodeId> = (0..k).map(|i| part(i, "selectors", 0, experts)).collect();
    let lost = (0..k).filter(|_| experts < codes).map(|i| part(i, "lost", experts, codes)).collect();
    let shares = g.named(format!("{name}.shares")).softmax(w);
    Selection { weights: g.named(name).mixture(shares, &selectors), selectors, lost }
}

impl Selection {
    /// Auxiliary losses: what selectors lose to codes without an expert, and `entropy` times their entropy.
    pub fn auxiliary_loss(&self, g: &mut GraphBuilder, name: &str, entropy: f32, loss: LossId) {
        // An auxiliary loss is a mean over features; these are sums.
        let sum = |g: &mut GraphBuilder, of: NodeId, weight: f32| {
            let features = g.features(of) as f32;
            g.auxiliary_loss(of, weight * features, &[loss]);
        };
        self.lost.iter().for_each(|lost| sum(g, *lost, 1.0));
        for (i, selector) in self.selectors.iter().enumerate().filter(|_| entropy > 0.0) {
            let parts = g.named(format!("{name}.entropy.{i}")).activation(*selector, Activation::Entropy);
            sum(g, parts, entropy);
        }
    }
}
