//! Ops that callers bring.

use super::GraphBuilder;
use crate::{CustomOp, NodeId, Op, Shape, ops};
use std::sync::Arc;

impl GraphBuilder {
    /// An op that the caller brings, with parameters of its own.
    pub fn custom(&mut self, op: Arc<dyn CustomOp>, inputs: &[NodeId]) -> NodeId {
        let name = self.take_name(op.name());
        let shapes: Vec<Shape> = inputs.iter().map(|x| self.shape(*x)).collect();
        let shapes: Vec<&Shape> = shapes.iter().collect();
        let shape = op.shape(&shapes).unwrap_or_else(|reason| {
            self.fail_at(&name, reason);
            Shape(vec![1])
        });
        let parameters = op.parameters(&shapes).into_iter();
        let parameters = parameters.map(|p| self.parameter(&name, &p.name, p.dims, p.init, p.role)).collect();
        let custom = ops::Custom { what: op.into(), parameters };
        self.named(name).push(Op::Custom(custom), inputs.to_vec(), shape)
    }
}
