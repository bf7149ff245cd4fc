//! Layers that weigh and choose: products, gates, mixtures.

use super::GraphBuilder;
use crate::{DomainId, Init, NodeId, Op, Role, Shape, ops};

impl GraphBuilder {
    /// Elementwise product of two nodes of one shape; a factor of width 1 multiplies every feature of the other.
    pub fn mul(&mut self, a: NodeId, b: NodeId) -> NodeId {
        let shape = self.shape(if self.width(a) < self.width(b) { b } else { a });
        self.push(Op::Mul, vec![a, b], shape)
    }

    /// Softmax over the features of a row.
    pub fn softmax(&mut self, x: NodeId) -> NodeId {
        self.softmax_with_dropout(x, 0.0)
    }

    /// Softmax over the features of a row, which while training leaves out a share of them.
    pub fn softmax_with_dropout(&mut self, x: NodeId, dropout: f32) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Softmax(ops::Softmax { dropout }), vec![x], shape)
    }

    /// `sum_e gate_e x_e` of a gate `[e]` and vectors `[d]`. An input may hold several vectors side by side; all of them
    /// together are as many as the gate has features. `[d]`
    pub fn mixture(&mut self, gate: NodeId, vectors: &[NodeId]) -> NodeId {
        let width: usize = vectors.iter().map(|v| self.width(*v)).sum();
        let inputs = std::iter::once(gate).chain(vectors.iter().copied()).collect();
        let shape = match vectors {
            // Vectors apart keep their shape.
            [first, ..] if self.width(gate) == vectors.len() => self.shape(*first),
            _ => Shape(vec![width / self.width(gate).max(1)]),
        };
        self.push(Op::Mixture, inputs, shape)
    }

    /// The node as it is, but nothing below it learns from what is above.
    pub fn stop_gradient(&mut self, x: NodeId) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::StopGradient, vec![x], shape)
    }

    /// A trained vector, the same for every row, `[width]`.
    pub fn vector(&mut self, width: usize, init: Init) -> NodeId {
        self.vector_on(DomainId::ROWS, width, init)
    }

    /// A trained vector, the same for every element of `domain`, `[width]`.
    pub fn vector_on(&mut self, domain: DomainId, width: usize, init: Init) -> NodeId {
        let name = self.take_name("vector");
        let value = self.parameter(&name, "value", vec![width], init, Role::Bias);
        self.named(name).push_on(domain, Op::Vector(ops::Vector { value }), vec![], Shape(vec![width]))
    }

    /// Groups of `ceil(log2 choices)` bits in `[0, 1]` as products over their binary codes,
    /// `[groups * bits] -> [groups * choices]`.
    pub fn codes(&mut self, bits: NodeId, choices: usize) -> NodeId {
        let groups = self.width(bits) / Op::code_bits(choices).max(1);
        self.push(Op::Codes(ops::Codes { choices }), vec![bits], Shape(vec![groups.saturating_mul(choices)]))
    }
}
