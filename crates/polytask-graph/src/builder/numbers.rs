//! Layers that numbers of a table pass first.

use super::GraphBuilder;
use crate::{Init, NodeId, Op, Role, Shape, ops};

impl GraphBuilder {
    /// `z / sqrt(1 + (z / limit)^2)` with `z = (x - center) scale`, `[d] -> [d]`. The center starts at 0 and the scale at 1,
    /// both of them trained; a median and a range of the training rows may be put there instead.
    pub fn squash(&mut self, x: NodeId, limit: f32) -> NodeId {
        let name = self.take_name("squash");
        let (shape, width) = (self.shape(x), self.width(x));
        let center = self.parameter(&name, "center", vec![width], Init::Constant(0.0), Role::Bias);
        let scale = self.parameter(&name, "scale", vec![width], Init::Constant(1.0), Role::Gain);
        self.named(name).push(Op::Squash(ops::Squash { center, scale, limit }), vec![x], shape)
    }

    /// Where each number lies among so many bins of its own (Gorishniy et al. 2022), `[n] -> [n bins]`. The edges are not
    /// trained: they start as steps of equal width from -1 to 1, in place of which quantiles of the training rows are put.
    pub fn bins(&mut self, x: NodeId, bins: usize) -> NodeId {
        let name = self.take_name("bins");
        let width = self.width(x);
        let edges = self.parameter(&name, "edges", vec![width, bins + 1], Init::Steps, Role::Bias);
        self.graph.parameters[edges.0].rate = 0.0;
        self.named(name).push(Op::Bins(ops::Bins { edges }), vec![x], Shape(vec![width.saturating_mul(bins)]))
    }

    /// `cos(2 pi (f x + p))` for `count` frequencies and phases of each number's own (Gorishniy et al. 2022, as in RealMLP,
    /// Holzmüller et al. 2024), `[n] -> [n count]`. Frequencies start normal with this deviation, phases uniform.
    pub fn periodic(&mut self, x: NodeId, count: usize, deviation: f32) -> NodeId {
        let name = self.take_name("periodic");
        let width = self.width(x);
        let dims = vec![width, count];
        let frequency = self.parameter(&name, "frequency", dims.clone(), Init::Normal(deviation), Role::Gain);
        let phase = self.parameter(&name, "phase", dims, Init::Uniform(0.5), Role::Bias);
        let op = Op::Periodic(ops::Periodic { frequency, phase });
        self.named(name).push(op, vec![x], Shape(vec![width.saturating_mul(count)]))
    }
}
