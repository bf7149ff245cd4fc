//! Branches: tasks that share their first layers and part further up. A tree says for every layer which tasks share it
//! (Lu et al., "Fully-Adaptive Feature Sharing in Multi-Task Networks", CVPR 2017).
//!
//! ```text
//! layers = [[["a", "b", "c"]], [["a", "b"], ["c"]]]       x -> h(a b c) -> h(a b) -> heads a, b
//!                                                                      -> h(c)   -> head c
//! ```

use super::ModelConfig;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use polytask_graph::GraphBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "tree",
    shares: "each layer between the tasks that the config groups there",
    when: "you know which tasks belong together, or a search has told",
    paper: "Lu et al., CVPR 2017",
};

/// Each layer shared between groups of tasks that part further up (Lu et al. 2017).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tree {
    /// For every layer of the trunk, from the inputs up, the groups of tasks that share it: for example
    /// [[["a", "b", "c"]], [["a", "b"], ["c"]]]. Every task is in one group of each layer; groups only ever split. Default:
    /// all tasks share every layer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<Vec<Vec<String>>>,
}

impl Architecture for Tree {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        let (given, wanted) = (self.layers.len(), model.trunk.len());
        if given != wanted && given > 0 {
            let message = format!("`model.sharing.layers` has {given} layer(s), and `model.trunk` has {wanted}");
            return Err(keys::wrong(&["layers"], message));
        }
        let mut before: Vec<usize> = vec![0; tasks.len()];
        for (i, groups) in self.layers.iter().enumerate() {
            let layer = format!("layer {} of `model.sharing.layers`", i + 1);
            let mut now = vec![None; tasks.len()];
            for (g, group) in groups.iter().enumerate() {
                for name in group {
                    keys::known(&["layers"], name, tasks)?;
                    let t = tasks.iter().position(|task| task == name).unwrap_or(0);
                    if now[t].replace(g).is_some() {
                        return Err(keys::wrong(&["layers"], format!("{layer} has the task \"{name}\" twice")));
                    }
                }
            }
            if let Some(t) = now.iter().position(Option::is_none) {
                let message = format!("{layer} leaves the task \"{}\" out, which gets no head", tasks[t]);
                return Err(keys::wrong(&["layers"], message));
            }
            let now: Vec<usize> = now.into_iter().flatten().collect();
            for a in 0..tasks.len() {
                if let Some(b) = (0..a).find(|&b| now[a] == now[b] && before[a] != before[b]) {
                    let message =
                        format!("{layer} joins \"{}\" and \"{}\", which have parted below", tasks[b], tasks[a]);
                    return Err(keys::wrong(&["layers"], message));
                }
            }
            before = now;
        }
        Ok(())
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let all: Vec<usize> = (0..design.tasks()).collect();
        let group = |group: &Vec<String>| group.iter().filter_map(|name| design.find(name)).collect();
        let layer = |groups: &Vec<Vec<String>>| groups.iter().map(group).collect();
        let layers = match self.layers.is_empty() {
            true => vec![vec![all]; design.depth()],
            false => self.layers.iter().map(layer).collect(),
        };
        grow(g, design, &layers);
    }
}

/// A trunk whose layers are shared by groups of tasks, and the heads. The embeddings are those of all.
pub(super) fn grow(g: &mut GraphBuilder, design: &Design<'_>, layers: &[Vec<Vec<usize>>]) {
    let inputs = design.inputs(g);
    let x = design.embed(g, inputs, "");
    let mut tips = vec![x; design.tasks()];
    for (i, groups) in layers.iter().enumerate() {
        for group in groups {
            let Some(&first) = group.first() else { continue };
            let name = match group.len() {
                n if n == design.tasks() => "trunk".to_owned(),
                1 => format!("{}trunk", design.own(first)),
                _ => {
                    let names: Vec<&str> = group.iter().map(|&t| design.task(t).name.as_str()).collect();
                    format!("branches.{}.trunk", names.join("+"))
                }
            };
            let h = design.stage(g, &name, i, tips[first]);
            group.iter().for_each(|&t| tips[t] = h);
        }
    }
    design.heads(g, &tips);
}
