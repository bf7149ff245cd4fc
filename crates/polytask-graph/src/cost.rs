//! What a graph costs to run.

use crate::{DomainId, Graph, Node, Op};

/// What a sequence is taken to be long where the work on an element depends on it.
const TYPICAL_LENGTH: usize = 32;

impl Graph {
    /// Multiply-adds of one forward pass over one row that has one element in every domain.
    pub fn multiply_adds(&self) -> usize {
        self.nodes.iter().map(|node| self.node_multiply_adds(node)).sum()
    }

    /// Multiply-adds of one forward pass for each element of a domain.
    pub fn multiply_adds_on(&self, domain: DomainId) -> usize {
        self.nodes.iter().filter(|node| node.domain == domain).map(|node| self.node_multiply_adds(node)).sum()
    }

    /// Those of one of its nodes. Elementwise ops count one per feature they write.
    /// The same with every node counted once for each loss that reaches it: what keeping the losses' gradients apart costs
    /// a backward pass.
    pub fn separate_multiply_adds_on(&self, domain: DomainId) -> usize {
        let nodes = self.nodes.iter().zip(self.reach().nodes).filter(|(node, _)| node.domain == domain);
        nodes.map(|(node, losses)| self.node_multiply_adds(node) * losses.len()).sum()
    }

    pub(crate) fn node_multiply_adds(&self, node: &Node) -> usize {
        match &node.op {
            Op::Input
            | Op::Index
            | Op::Slice { .. }
            | Op::Concat
            | Op::StopGradient
            | Op::Vector { .. }
            | Op::Reshape
            | Op::Neighbours { .. } => 0,
            Op::Dense { .. } | Op::Lstm { .. } | Op::Gru { .. } => {
                node.op.matrices().iter().map(|matrix| self.parameter(*matrix).len()).sum()
            }
            // Of every two elements of a sequence: how many there are is not known here.
            Op::Attention { .. } => 2 * node.shape.width() * TYPICAL_LENGTH,
            Op::Pairwise { .. } => node.inputs.first().map_or(0, |x| self.node(*x).shape.width()),
            Op::Mixture => node.inputs.iter().skip(1).map(|x| self.node(*x).shape.width()).sum(),
            Op::Blend { .. } | Op::AllOf => node.inputs.len() * node.shape.width(),
            Op::Dot { .. } => node.inputs.first().map_or(0, |x| self.node(*x).shape.width()),
            Op::Codes { choices } => Op::code_bits(*choices) * node.shape.width(),
            // Every weight at every place, but a group's weights only on its own channels.
            Op::Conv2d { weight, .. } => self.parameter(*weight).len() * node.shape.pixels(),
            Op::Pool { window, .. } => window.size[0] * window.size[1] * node.shape.width(),
            Op::GlobalPool => node.inputs.iter().map(|input| self.node(*input).shape.width()).sum(),
            _ => node.shape.width(),
        }
    }

    /// Floating-point operations of one training step over one row with one ordinary backward pass: the forward pass
    /// is two per multiply-add, the backward pass twice that again.
    pub fn training_flops(&self) -> usize {
        6 * self.multiply_adds()
    }
}
