//! The first layers for all, the others for each task: hard sharing that stops half-way.

use super::ModelConfig;
use super::tree::grow;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use indexmap::IndexMap;
use polytask_graph::GraphBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "partial",
    shares: "the first layers; the others are each task's own",
    when: "hard sharing hurts: tasks want the same low-level features and no more",
    paper: "Caruana, Machine Learning 28, 1997",
};

/// The first layers of the trunk for all tasks, the others for each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Partial {
    /// How many layers of the trunk are shared, from the inputs up: a number, or a number by task; a task that is not
    /// named shares all of them. Embeddings are always shared. Default 1.
    pub layers: Layers,
}

/// How many layers are shared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`layers` is a number of layers, or a table of numbers by task")]
pub enum Layers {
    /// By all tasks.
    All(usize),
    /// By each task.
    Each(IndexMap<String, usize>),
}

impl Default for Partial {
    fn default() -> Self {
        Partial { layers: Layers::All(1) }
    }
}

impl Partial {
    fn shared(&self, task: &str, depth: usize) -> usize {
        match &self.layers {
            Layers::All(layers) => *layers,
            Layers::Each(layers) => layers.get(task).copied().unwrap_or(depth),
        }
    }
}

impl Architecture for Partial {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        if let Layers::Each(layers) = &self.layers {
            layers.keys().try_for_each(|task| keys::known(&["layers", task], task, tasks))?;
        }
        let depth = model.trunk.len();
        match tasks.iter().map(|task| self.shared(task, depth)).find(|&layers| layers > depth) {
            None => Ok(()),
            Some(layers) => {
                let message = format!("`model.sharing.layers` is {layers}, and `model.trunk` has {depth} layer(s)");
                Err(keys::wrong(&["layers"], message))
            }
        }
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let depth = design.depth();
        let all = 0..design.tasks();
        let shared = |t: usize| self.shared(&design.task(t).name, depth);
        let groups = |i: usize| {
            let (together, alone): (Vec<usize>, Vec<usize>) = all.clone().partition(|&t| shared(t) > i);
            std::iter::once(together).chain(alone.into_iter().map(|t| vec![t])).collect()
        };
        grow(g, design, &(0..depth).map(groups).collect::<Vec<_>>());
    }
}
