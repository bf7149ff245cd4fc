//! A table turned into what a model reads: features and labels for all its rows.

use crate::encode::Features;
use crate::task::{Labels, Target};
use polytask_cpu::{Feed, Numbers};
use polytask_graph::{Graph, Op};

/// Features, and the labels of one or more tasks, for all rows of a table.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// What the inputs became.
    pub features: Features,
    /// By task.
    pub labels: Vec<Labels>,
}

impl Dataset {
    /// Hands out the feed of some rows for a graph. The graph's losses are those of `tasks`, in that order; without
    /// any the feed has no targets.
    pub fn with_feed<R>(&self, graph: &Graph, tasks: &[usize], rows: &[u32], run: impl FnOnce(&Feed<'_>) -> R) -> R {
        let inputs: Vec<Numbers<'_>> = graph
            .nodes()
            .iter()
            .filter_map(|node| match node.op {
                Op::Input => Some(Numbers::Real(&self.features.numbers)),
                Op::Index => Some(Numbers::Index(&self.features.indices)),
                _ => None,
            })
            .collect();
        let targets: Vec<polytask_cpu::Target<'_>> = tasks
            .iter()
            .map(|&task| polytask_cpu::Target {
                labels: match &self.labels[task].target {
                    Target::Real(values) => polytask_cpu::Labels::Real(values),
                    Target::Class(classes) => polytask_cpu::Labels::Class(classes),
                },
                weights: &self.labels[task].weights,
            })
            .collect();
        run(&Feed { inputs: &inputs, targets: &targets, offsets: &[], rows })
    }
}
