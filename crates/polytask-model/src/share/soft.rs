//! Soft sharing: a copy of the network for every task, drawn together by a penalty (Duong et al., "Low Resource
//! Dependency Parsing", ACL 2015; Evgeniou and Pontil, KDD 2004; Yang and Hospedales, "Trace Norm Regularised Deep
//! Multi-Task Learning", 2017).
//!
//! ```text
//! mean      + strength * sum_t ||theta_t - mean theta||^2
//! pairwise  + strength * sum_{t<s} ||theta_t - theta_s||^2
//! a graph   + strength * sum over pairs of weight * ||theta_t - theta_s||^2
//! trace     + strength * sum over layers of the sum of the singular values of the tasks' weights, a row a task
//! ```
//!
//! The copies start alike: a distance between unrelated draws would say nothing.

use super::ModelConfig;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use indexmap::IndexMap;
use polytask_graph::{Edge, GraphBuilder, ParameterId, PenaltyKind, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "soft",
    shares: "nothing but a pull: a copy of the network for each task, tied by a penalty",
    when: "tasks are alike but not the same, labels are few, and a network a task can be paid for",
    paper: "Duong et al., ACL 2015; Yang and Hospedales, 2017",
};

/// A copy of the network for every task, drawn together by a penalty (Duong et al. 2015).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Soft {
    /// Which copies are drawn together: all to their "mean", every pair ("pairwise", the number of tasks times as
    /// strong), or the pairs of a table, { a = { b = 1.0, c = 0.5 } }, each with a weight of 0 or above. Default "mean".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distance: Option<Distance>,
    /// What the penalty is multiplied with, 0 or above. Default 0.1.
    pub strength: f64,
    /// "l2", squared distances between the copies, or "trace", the sum of the singular values of the copies' weights.
    /// Default "l2".
    pub norm: Norm,
}

/// Which copies are drawn together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`distance` is \"mean\", \"pairwise\", or a table such as { a = { b = 1.0 } }")]
pub enum Distance {
    /// All alike.
    All(Pairs),
    /// By pairs.
    Graph(IndexMap<String, IndexMap<String, f64>>),
}

/// How all copies are drawn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pairs {
    /// To their mean.
    Mean,
    /// To each other.
    Pairwise,
}

/// What is penalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Squared distances.
    #[default]
    L2,
    /// The sum of singular values.
    Trace,
}

impl Default for Soft {
    fn default() -> Self {
        Soft { distance: None, strength: 0.1, norm: Norm::L2 }
    }
}

impl Architecture for Soft {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        keys::has_layers(model, INFO.name)?;
        keys::at_least_0("strength", self.strength)?;
        if self.norm == Norm::Trace && self.distance.is_some() {
            let message =
                "`model.sharing.distance` has no meaning with `norm = \"trace\"`, which ties all tasks at once";
            return Err(keys::wrong(&["distance"], message));
        }
        match &self.distance {
            Some(Distance::Graph(pairs)) => keys::pairs("distance", pairs, tasks),
            _ => Ok(()),
        }
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let mut copies: Vec<Vec<ParameterId>> = Vec::with_capacity(design.tasks());
        let mut tips = Vec::with_capacity(design.tasks());
        for t in 0..design.tasks() {
            let own = design.own(t);
            let first = g.next_parameter();
            let x = design.embed(g, inputs, &own);
            tips.push(design.trunk(g, &format!("{own}trunk"), x));
            copies.push((first.0..g.next_parameter().0).map(ParameterId).collect());
        }
        design.heads(g, &tips);
        for i in 0..copies.first().map_or(0, Vec::len) {
            let same: Vec<ParameterId> = copies.iter().map(|copy| copy[i]).collect();
            g.start_alike(&same);
            let counts = match (g.role(same[0]), self.norm) {
                (Some(Role::Weight | Role::Table), _) => true,
                (Some(Role::Statistic), _) | (_, Norm::Trace) => false,
                (_, Norm::L2) => true,
            };
            if counts && same.len() > 1 {
                g.penalty(self.strength as f32, &same, self.kind(design));
            }
        }
    }
}

impl Soft {
    fn kind(&self, design: &Design<'_>) -> PenaltyKind {
        if self.norm == Norm::Trace {
            return PenaltyKind::TraceNorm;
        }
        let tasks = design.tasks();
        match &self.distance {
            None | Some(Distance::All(Pairs::Mean)) => PenaltyKind::Mean,
            Some(Distance::All(Pairs::Pairwise)) => {
                let pairs = (0..tasks).flat_map(|a| (a + 1..tasks).map(move |b| (a, b)));
                PenaltyKind::Edges(pairs.map(|(a, b)| Edge { a, b, weight: 1.0 }).collect())
            }
            Some(Distance::Graph(pairs)) => {
                let all = pairs.iter().flat_map(|(a, others)| others.iter().map(move |(b, weight)| (a, b, *weight)));
                let edge = |(a, b, weight): (&String, &String, f64)| {
                    Some(Edge { a: design.find(a)?, b: design.find(b)?, weight: weight as f32 })
                };
                PenaltyKind::Edges(all.filter_map(edge).collect())
            }
        }
    }
}
