//! Progressive layered extraction (Tang et al., RecSys 2020): levels of shared and task-specific experts.
//!
//! ```text
//! h_t^l = sum over e in (experts of t, shared experts) of g_t(h_t^{l-1})_e f_e^l
//! h_s^l = sum over all experts of g_s(h_s^{l-1})_e f_e^l          (not after the last level)
//! ```
//!
//! where the experts of task t read `h_t^{l-1}`, the shared ones `h_s^{l-1}`, and all of level 0 read `x`.

use super::ModelConfig;
use super::cgc::{Counts, States, level};
use super::experts::{self, Expert, Gate, GateConfig};
use super::{Architecture, Design, Info};
use crate::section::Problem;
use polytask_graph::{GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "ple",
    shares: "levels of experts, some shared, some one task's alone",
    when: "much data, and tasks that disturb each other under mmoe",
    paper: "Tang et al., RecSys 2020",
};

/// Levels of shared experts and experts of each task (Tang et al. 2020).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Ple {
    /// Number of levels, from 1 to 1024. Default 2.
    pub levels: usize,
    /// Number of shared experts a level, from 1 to 1024. Default 1.
    pub shared: usize,
    /// Number of experts of each task a level, from 1 to 1024. Default 1.
    pub specific: usize,
    /// Widths of an expert's layers, each from 1 to 65536. Default: those of `model.trunk`, at every level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<usize>>,
    /// The gates.
    pub gate: GateConfig,
}

/// Experts at all levels together.
const MOST: usize = 16_384;

impl Default for Ple {
    fn default() -> Self {
        Ple { levels: 2, shared: 1, specific: 1, widths: None, gate: GateConfig::default() }
    }
}

impl Architecture for Ple {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        for (name, count) in [("levels", self.levels), ("shared", self.shared), ("specific", self.specific)] {
            experts::check_count(name, count)?;
        }
        let experts = self.levels * (self.shared + self.specific * tasks.len());
        if experts > MOST {
            let message = format!(
                "`model.sharing` makes {experts} experts, levels x (shared + specific x tasks); {MOST} are the most"
            );
            return Err(Problem::new(&["model", "sharing"], message).hint("fewer levels or experts".to_owned()));
        }
        experts::check_expert(&self.widths, model)?;
        self.gate.check()
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let expert = experts::expert(design, &self.widths);
        let gate = |g: &mut GraphBuilder, name: &str, x, n| self.gate.build(g, design, name, x, n);
        let counts = vec![Counts { shared: self.shared, specific: self.specific }; self.levels];
        let h = ple(g, x, &design.owners(), &counts, &expert, &gate);
        design.heads(g, &h);
    }
}

/// One representation a task, after as many levels as `counts` has entries. The names of a task's own layers begin with
/// `levels.LEVEL.` and its entry in `owners`.
pub fn ple(
    g: &mut GraphBuilder,
    x: NodeId,
    owners: &[String],
    counts: &[Counts],
    expert: Expert<'_>,
    gate: Gate<'_>,
) -> Vec<NodeId> {
    let mut states = States { own: vec![x; owners.len()], shared: x };
    for (l, &count) in counts.iter().enumerate() {
        let prefix = format!("levels.{l}.");
        let (own, experts) = level(g, &prefix, &states, owners, count, (expert, gate));
        if l + 1 < counts.len() {
            let prefix = format!("{prefix}shared.");
            states.shared = experts::mixture(g, &prefix, states.shared, &experts, gate);
        }
        states.own = own;
    }
    states.own
}
