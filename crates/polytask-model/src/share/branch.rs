//! Learning to branch: a search over trees, and the tree it found (Guo, Lee and Ulbricht, "Learning to Branch for
//! Multi-Task Learning", ICML 2020).
//!
//! While searching there is a column of layers a task. Every layer but the first reads one of the layers below it, and
//! every head one of the last layers, drawn with learnt probabilities (straight-through Gumbel-softmax). Then each takes
//! the likeliest, what nobody reads is dropped, and the [`Tree`] that is left is trained from scratch. The columns start
//! alike, so that a choice depends on the tasks, not on the luck of a draw.
//!
//! ```text
//! x_t^l = layer_t^l(sum_s z_ts x_s^{l-1}),  z_t one-hot, drawn by softmax(alpha_t)
//! ```

use super::ModelConfig;
use super::cross_stitch::columns;
use super::{Architecture, Design, Info, Tree, keys};
use crate::section::Problem;
use polytask_exec::Parameters;
use polytask_graph::{Graph, GraphBuilder, NodeId, ParameterId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "branch",
    shares: "a tree of layers that a search finds before training",
    when: "tasks fall into groups and it is not known which; costs a search",
    paper: "Guo, Lee and Ulbricht, ICML 2020",
};

/// A tree of shared layers that is searched for, then trained from scratch (Guo et al. 2020).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Branch {
    /// Steps of the search, as a share of those of the training that follows, above 0 and at most 100. Default 0.5.
    pub search: f64,
    /// Learning rate of the choices, as a multiple of the run's, above 0. Default 3.
    pub rate: f64,
}

/// Times as long as the training that a search may take.
const MOST: f64 = 100.0;

impl Default for Branch {
    fn default() -> Self {
        Branch { search: 0.5, rate: 3.0 }
    }
}

impl Architecture for Branch {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        keys::has_layers(model, INFO.name)?;
        keys::above_0("search", self.search)?;
        if self.search > MOST {
            return Err(Problem::value(
                &["model", "sharing", "search"],
                self.search,
                &format!("it must be at most {MOST}"),
            ));
        }
        keys::above_0("rate", self.rate)
    }

    /// The network of the search.
    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let tips = columns(g, design, true, |g, i, columns| {
            let choose = |(t, _): (usize, &NodeId)| {
                let choice = g.named(choice(&design.task(t).name, i)).sampled(columns);
                g.learning_rate(choice, self.rate as f32);
                choice
            };
            columns.iter().enumerate().map(choose).collect()
        });
        design.heads(g, &tips);
    }
}

/// What reads one of the outputs of layer `i` for a task.
fn choice(task: &str, i: usize) -> String {
    format!("tasks.{task}.choice.{i}")
}

/// The tree of a search's likeliest choices.
pub fn tree(graph: &Graph, parameters: &Parameters, tasks: &[&str], depth: usize) -> Tree {
    let likeliest = |t: usize, i: usize| {
        let name = format!("{}.weights", choice(tasks[t], i));
        let at = graph.parameters().iter().position(|p| p.name == name);
        let logits = at.map_or(&[][..], |at| parameters.of(ParameterId(at)));
        // The first of equals.
        (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(t)
    };
    // From the heads down: the column whose layer each task's signal comes through.
    let mut through: Vec<usize> = (0..tasks.len()).collect();
    let mut layers = Vec::with_capacity(depth);
    for i in (0..depth).rev() {
        through.iter_mut().for_each(|column| *column = likeliest(*column, i));
        let group = |column: usize| {
            let members = tasks.iter().zip(&through).filter(|(_, c)| **c == column).map(|(task, _)| (*task).to_owned());
            members.collect::<Vec<String>>()
        };
        layers.push((0..tasks.len()).map(group).filter(|group| !group.is_empty()).collect());
    }
    layers.reverse();
    Tree { layers }
}
