//! Customised gate control (Tang et al., "Progressive layered extraction (PLE)", RecSys 2020, section 4.1): some experts
//! are every task's, some are one task's alone.
//!
//! ```text
//! h_t = sum over e in (experts of t, shared experts) of g_t(x)_e f_e(x)
//! ```

use super::ModelConfig;
use super::experts::{self, Expert, Gate, GateConfig};
use super::{Architecture, Design, Info};
use crate::section::Problem;
use polytask_graph::{GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "cgc",
    shares: "some experts; others are one task's alone; a gate for each task",
    when: "tasks that disturb each other under mmoe",
    paper: "Tang et al., RecSys 2020",
};

/// Shared experts and experts of each task, weighed by a gate for each task (Tang et al. 2020).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Cgc {
    /// Number of experts that all tasks read, from 1 to 1024. Default 1.
    pub shared: usize,
    /// Number of experts of each task, from 1 to 1024. Default 1.
    pub specific: usize,
    /// Widths of an expert's layers, each from 1 to 65536. Default: those of `model.trunk`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<usize>>,
    /// The gates.
    pub gate: GateConfig,
}

impl Default for Cgc {
    fn default() -> Self {
        Cgc { shared: 1, specific: 1, widths: None, gate: GateConfig::default() }
    }
}

impl Architecture for Cgc {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        experts::check_count("shared", self.shared)?;
        experts::check_count("specific", self.specific)?;
        experts::check_expert(&self.widths, model)?;
        self.gate.check()
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let expert = experts::expert(design, &self.widths);
        let gate = |g: &mut GraphBuilder, name: &str, x, n| self.gate.build(g, design, name, x, n);
        let counts = Counts { shared: self.shared, specific: self.specific };
        let h = cgc(g, x, &design.owners(), counts, &expert, &gate);
        design.heads(g, &h);
    }
}

/// How many experts there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// That all tasks read.
    pub shared: usize,
    /// Of each task.
    pub specific: usize,
}

/// One representation a task, each a mixture of the task's own experts and the shared ones. The names of a task's own
/// layers begin with its entry in `owners`.
pub fn cgc(
    g: &mut GraphBuilder,
    x: NodeId,
    owners: &[String],
    counts: Counts,
    expert: Expert<'_>,
    gate: Gate<'_>,
) -> Vec<NodeId> {
    level(g, "", &States { own: vec![x; owners.len()], shared: x }, owners, counts, (expert, gate)).0
}

/// What a level of experts reads or gives.
pub(super) struct States {
    /// By task.
    pub own: Vec<NodeId>,
    pub shared: NodeId,
}

/// One level: the tasks' mixtures, each of its own experts and then the shared ones; and what was mixed: the experts of
/// the first task, of the second, ..., and the shared ones.
pub(super) fn level(
    g: &mut GraphBuilder,
    prefix: &str,
    states: &States,
    owners: &[String],
    counts: Counts,
    (expert, gate): (Expert<'_>, Gate<'_>),
) -> (Vec<NodeId>, Vec<NodeId>) {
    let shared = experts::experts(g, &format!("{prefix}shared."), states.shared, counts.shared, expert);
    let mut all = Vec::new();
    let mixtures = owners.iter().zip(&states.own).map(|(own, &x)| {
        let own = format!("{prefix}{own}");
        let specific = experts::experts(g, &own, x, counts.specific, expert);
        all.extend_from_slice(&specific);
        experts::mixture(g, &own, x, &[specific, shared.clone()].concat(), gate)
    });
    let mixtures = mixtures.collect();
    all.extend(shared);
    (mixtures, all)
}
