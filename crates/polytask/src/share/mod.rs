//! What the tasks share. One architecture a file; each is a function that adds trunk and heads to a graph.

mod hard;
mod none;

use crate::config::{Config, ModelConfig, Sharing};
use crate::encode::Encoder;
use crate::task::Task;
use polytask_graph::{Activation, Graph, GraphBuilder, GraphError, NodeId};

/// What an architecture builds from.
pub struct Design<'a> {
    config: &'a ModelConfig,
    encoder: &'a Encoder,
    /// The tasks, with the widths of their heads' hidden layers.
    tasks: Vec<(&'a Task, &'a [usize])>,
}

/// The graph of a model: inputs, what is shared, a head and a loss for each task.
///
/// # Errors
/// Widths that do not fit together; the message names the layer.
pub fn build(design: &Design<'_>) -> Result<Graph, GraphError> {
    let mut g = GraphBuilder::new();
    match design.config.sharing {
        Sharing::Hard => hard::build(&mut g, design),
        Sharing::None => none::build(&mut g, design),
    }
    g.finish()
}

impl<'a> Design<'a> {
    /// The network that a config describes for these inputs and tasks.
    pub fn new(config: &'a Config, encoder: &'a Encoder, tasks: &'a [Task]) -> Self {
        let head = |task: &Task| config.tasks.get(&task.name).and_then(|t| t.head.as_deref());
        let tasks = tasks.iter().map(|task| (task, head(task).unwrap_or(&config.model.head))).collect();
        Design { config: &config.model, encoder, tasks }
    }

    /// Hidden layers of the given widths, called `{name}.0`, `{name}.1`, ...: dense, then layer norm if the config asks
    /// for it, activation and dropout.
    fn layers(&self, g: &mut GraphBuilder, name: &str, x: NodeId, widths: &[usize]) -> NodeId {
        let activation = Activation::from(self.config.activation);
        let mut h = x;
        for (i, &width) in widths.iter().enumerate() {
            let name = format!("{name}.{i}");
            h = match self.config.layer_norm {
                false => g.named(&name).dense(h, width, activation),
                true => {
                    let sum = g.named(&name).dense(h, width, Activation::Linear);
                    let normal = g.named(format!("{name}.norm")).layer_norm(sum);
                    g.named(format!("{name}.activation")).activation(normal, activation)
                }
            };
            h = g.named(format!("{name}.dropout")).dropout(h, self.config.dropout as f32);
        }
        h
    }

    /// A task's own layers, `heads.{task}.0`, ..., the last of them its output, and its loss.
    fn head(&self, g: &mut GraphBuilder, h: NodeId, task: &Task, widths: &[usize]) {
        let name = format!("heads.{}", task.name);
        let h = self.layers(g, &name, h, widths);
        let outcome = task.outcome();
        let output = g.named(format!("{name}.{}", widths.len())).dense(h, outcome.width(), Activation::Linear);
        g.loss(&task.name, output, outcome.loss());
    }
}
