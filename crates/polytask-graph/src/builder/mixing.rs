//! Layers that mix whole representations by learnt weights.

use super::GraphBuilder;
use crate::{Activation, Init, NodeId, Op, ParameterId, Role, Weighing, ops};

/// What a learnt weight belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// A whole input.
    Layer,
    /// A feature of an input, or a channel of an image.
    Channel,
}

impl GraphBuilder {
    /// `sum_i w_i x_i` over inputs of one shape, the weights learnt: a cross-stitch unit (Misra et al. 2016). The
    /// weight of input `own` starts at `share`, and the others share the rest.
    pub fn blend(&mut self, parts: &[NodeId], per: Per, own: usize, share: f32) -> NodeId {
        let width = match per {
            Per::Layer => 1,
            Per::Channel => parts.first().map_or(0, |p| self.shape(*p).channels()),
        };
        let others = (1.0 - share) / parts.len().saturating_sub(1).max(1) as f32;
        self.weigh(parts, width, Init::Row { own, value: share, others }, Weighing::Free)
    }

    /// `sum_i softmax(a)_i x_i` over inputs of one shape, starting with equal weights.
    pub fn softmax_blend(&mut self, parts: &[NodeId]) -> NodeId {
        self.weigh(parts, 1, Init::Constant(0.0), Weighing::Softmax)
    }

    /// One of several inputs of one shape, learnt by drawing: see [`Weighing::Sampled`]. All start equally likely.
    pub fn sampled(&mut self, parts: &[NodeId]) -> NodeId {
        self.weigh(parts, 1, Init::Constant(0.0), Weighing::Sampled)
    }

    /// Representations side by side, brought back to their own width by a dense layer, on images pixel by pixel, that starts as `share` times
    /// input `own` and the rest of 1 shared between the others: neural discriminative dimensionality reduction (Gao et
    /// al. 2019), `[d] -> [d]`.
    pub fn nddr(&mut self, parts: &[NodeId], own: usize, share: f32, activation: Activation) -> NodeId {
        let name = self.take_name("nddr");
        let x = self.named(format!("{name}.all")).concat(parts);
        let width = parts.first().map_or(0, |p| self.shape(*p).channels());
        let others = (1.0 - share) / parts.len().saturating_sub(1).max(1) as f32;
        self.named(name).pointwise_from(x, width, activation, Init::Blocks { own, value: share, others })
    }

    fn weigh(&mut self, parts: &[NodeId], width: usize, init: Init, weighing: Weighing) -> NodeId {
        let name = self.take_name("blend");
        let weights = self.parameter(&name, "weights", vec![parts.len(), width], init, Role::Gain);
        let shape = parts.first().map_or(crate::Shape(vec![0]), |p| self.shape(*p));
        self.named(name).push(Op::Blend(ops::Blend { weights, weighing }), parts.to_vec(), shape)
    }

    /// The parameters that a node's op reads.
    pub fn parameters_of(&self, node: NodeId) -> Vec<ParameterId> {
        self.graph.nodes.get(node.0).map_or_else(Vec::new, |node| node.op.parameters())
    }
}
