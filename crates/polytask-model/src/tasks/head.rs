//! Where a task's head is built.

use polytask_graph::{Activation, GraphBuilder, NodeId};

/// The place of a head in a graph that is being built.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// The task.
    pub task: &'a str,
    /// Position of the head's last layer: `heads.TASK.LAST`.
    pub last: usize,
    /// Share of the features that hidden layers of the head drop while training.
    pub dropout: f32,
}

impl Site<'_> {
    /// The name of a part of the head.
    pub fn name(&self, part: &str) -> String {
        format!("heads.{}.{part}", self.task)
    }

    /// The last layer, `[width]`.
    pub fn output(&self, g: &mut GraphBuilder, h: NodeId, width: usize) -> NodeId {
        g.named(self.name(&self.last.to_string())).dense(h, width, Activation::Linear)
    }

    /// A hidden layer with what drops its features.
    pub(super) fn hidden(&self, g: &mut GraphBuilder, part: &str, h: NodeId, width: usize) -> NodeId {
        let h = g.named(self.name(part)).dense(h, width, Activation::Relu);
        self.drop(g, part, h)
    }

    pub(super) fn drop(&self, g: &mut GraphBuilder, part: &str, h: NodeId) -> NodeId {
        g.named(self.name(&format!("{part}.dropout"))).dropout(h, self.dropout)
    }

    /// An input that the tasks have asked for, see [`Structure`](crate::structure::Structure).
    pub(super) fn input(&self, g: &mut GraphBuilder, name: &str) -> NodeId {
        let found = g.find(name);
        if found.is_none() {
            g.refuse(&self.name(""), format!("it reads {name:?}, which is not there"));
        }
        found.unwrap_or(NodeId(0))
    }
}
