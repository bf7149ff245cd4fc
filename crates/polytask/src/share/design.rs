//! What an architecture builds from: the inputs, the stages of a trunk, the heads.

use crate::config::{Config, ModelConfig};
use crate::encode::{Encoder, Inputs};
use crate::task::Task;
use polytask_graph::{Activation, GraphBuilder, NodeId};

/// The network that a config describes for given inputs and tasks.
pub struct Design<'a> {
    pub(super) config: &'a ModelConfig,
    encoder: &'a Encoder,
    tasks: &'a [Task],
    /// Widths of the hidden layers of each task's head.
    heads: Vec<&'a [usize]>,
}

impl<'a> Design<'a> {
    /// The network that a config describes for these inputs and tasks.
    pub fn new(config: &'a Config, encoder: &'a Encoder, tasks: &'a [Task]) -> Self {
        let head = |task: &Task| config.tasks.get(&task.name).and_then(|t| t.head.as_deref());
        let heads = tasks.iter().map(|task| head(task).unwrap_or(&config.model.head)).collect();
        Design { config: &config.model, encoder, tasks, heads }
    }

    /// Number of tasks.
    pub(super) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// What the names of a task's own layers begin with, `tasks.NAME.`.
    pub(super) fn own(&self, task: usize) -> String {
        format!("tasks.{}.", self.tasks[task].name)
    }

    /// Adds the inputs, once a graph.
    pub(super) fn inputs(&self, g: &mut GraphBuilder) -> Inputs {
        self.encoder.inputs(g)
    }

    /// Adds the features that the inputs give; each prefix has embeddings of its own.
    pub(super) fn embed(&self, g: &mut GraphBuilder, inputs: Inputs, prefix: &str) -> NodeId {
        self.encoder.embed(g, inputs, prefix)
    }

    /// Number of stages of a trunk.
    pub(super) fn depth(&self) -> usize {
        self.config.trunk.len()
    }

    /// Stage `i` of a trunk, named `{name}.{i}`.
    pub(super) fn stage(&self, g: &mut GraphBuilder, name: &str, i: usize, x: NodeId) -> NodeId {
        self.layer(g, &format!("{name}.{i}"), x, self.config.trunk[i])
    }

    /// A whole trunk: its stages `{name}.0`, `{name}.1`, ...
    pub(super) fn trunk(&self, g: &mut GraphBuilder, name: &str, x: NodeId) -> NodeId {
        (0..self.depth()).fold(x, |h, i| self.stage(g, name, i, h))
    }

    /// Hidden layers of the given widths, called `{name}.0`, `{name}.1`, ...
    pub(super) fn layers(&self, g: &mut GraphBuilder, name: &str, x: NodeId, widths: &[usize]) -> NodeId {
        widths.iter().enumerate().fold(x, |h, (i, &width)| self.layer(g, &format!("{name}.{i}"), h, width))
    }

    /// A hidden layer: dense, then layer norm if the config asks for it, activation and dropout.
    fn layer(&self, g: &mut GraphBuilder, name: &str, x: NodeId, width: usize) -> NodeId {
        let activation = Activation::from(self.config.activation);
        let h = match self.config.layer_norm {
            false => g.named(name).dense(x, width, activation),
            true => {
                let sum = g.named(name).dense(x, width, Activation::Linear);
                let normal = g.named(format!("{name}.norm")).layer_norm(sum);
                g.named(format!("{name}.activation")).activation(normal, activation)
            }
        };
        g.named(format!("{name}.dropout")).dropout(h, self.config.dropout as f32)
    }

    /// A task's own layers, `heads.{task}.0`, ..., the last of them its output, and its loss. Gives the output, in the
    /// units of the loss: a number, a logit or logits.
    pub(super) fn head(&self, g: &mut GraphBuilder, task: usize, h: NodeId) -> NodeId {
        let (task, widths) = (&self.tasks[task], self.heads[task]);
        let name = format!("heads.{}", task.name);
        let h = self.layers(g, &name, h, widths);
        let outcome = task.outcome();
        let output = g.named(format!("{name}.{}", widths.len())).dense(h, outcome.width(), Activation::Linear);
        g.loss(&task.name, output, outcome.loss());
        output
    }

    /// A head for every task, each on its own representation.
    pub(super) fn heads(&self, g: &mut GraphBuilder, representations: &[NodeId]) {
        for (task, &h) in representations.iter().enumerate() {
            self.head(g, task, h);
        }
    }
}
