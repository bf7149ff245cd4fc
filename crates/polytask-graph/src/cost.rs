//! What a graph costs to run.

use crate::ops::Site;
use crate::{DomainId, Graph, Node};

impl Graph {
    /// Multiply-adds of one forward pass over one row that has one element in every domain.
    pub fn multiply_adds(&self) -> usize {
        self.nodes.iter().map(|node| self.node_multiply_adds(node)).sum()
    }

    /// Multiply-adds of one forward pass for each element of a domain.
    pub fn multiply_adds_on(&self, domain: DomainId) -> usize {
        self.nodes.iter().filter(|node| node.domain == domain).map(|node| self.node_multiply_adds(node)).sum()
    }

    /// Multiply-adds for each element of a domain, with every node counted once for each loss that reaches it: what a
    /// backward pass costs that keeps the losses' gradients apart.
    pub fn separate_multiply_adds_on(&self, domain: DomainId) -> usize {
        let nodes = self.nodes.iter().zip(self.reach().nodes).filter(|(node, _)| node.domain == domain);
        nodes.map(|(node, losses)| self.node_multiply_adds(node) * losses.len()).sum()
    }

    /// Multiply-adds of one forward pass of a node over one element of its domain. Elementwise ops count one for each
    /// feature they write.
    pub(crate) fn node_multiply_adds(&self, node: &Node) -> usize {
        node.op.multiply_adds(&Site::of(self, node))
    }

    /// Floating-point operations of one training step over one row with one ordinary backward pass: the forward pass
    /// is two per multiply-add, the backward pass twice that again.
    pub fn training_flops(&self) -> usize {
        6 * self.multiply_adds()
    }
}
