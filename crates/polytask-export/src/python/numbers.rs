//! Ops that numbers of a table pass first.

use super::Emit;
use polytask_graph::{Node, ParameterId, ops};

impl Emit<'_> {
    pub fn squash(&mut self, node: &Node, op: &ops::Squash) -> String {
        let x = self.plain(node.inputs[0]);
        let (center, scale) = (self.whole(op.center, &x), self.whole(op.scale, &x));
        format!("{}({x}, {center}, {scale}, {})", self.helper("squash"), op.limit)
    }

    pub fn bins(&mut self, node: &Node, edges: ParameterId) -> String {
        let x = self.plain(node.inputs[0]);
        let edges = self.whole(edges, &x);
        format!("{}({x}, {edges})", self.helper("bins"))
    }

    pub fn periodic(&mut self, node: &Node, op: &ops::Periodic) -> String {
        let x = self.plain(node.inputs[0]);
        let (frequency, phase) = (self.whole(op.frequency, &x), self.whole(op.phase, &x));
        format!("{}({x}, {frequency}, {phase})", self.helper("periodic"))
    }

    /// A parameter as it is; `near` is a value of the network.
    fn whole(&mut self, id: ParameterId, near: &str) -> String {
        let (dims, values) = (self.graph.parameter(id).dims.clone(), self.network.parameters.of(id));
        self.weight(id, &dims, values.into(), near)
    }
}
