//! Layers for tasks that depend on each other.

use super::GraphBuilder;
use crate::{Activation, NodeId, Op, Shape, ops};

impl GraphBuilder {
    /// `scale * x + shift`, elementwise, with fixed numbers.
    pub fn affine(&mut self, x: NodeId, scale: f32, shift: f32) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Affine(ops::Affine { scale, shift }), vec![x], shape)
    }

    /// `scale * sum_j a_j b_j` over the features of a row, `[d], [d] -> [1]`.
    pub fn dot(&mut self, a: NodeId, b: NodeId, scale: f32) -> NodeId {
        self.push(Op::Dot(ops::Dot { scale }), vec![a, b], Shape(vec![1]))
    }

    /// The logit of all of several events, from the logits of each given those before it: `logit(prod_i sigmoid(x_i))`,
    /// elementwise. A single one adds no node.
    pub fn all_of(&mut self, logits: &[NodeId]) -> NodeId {
        if let [only] = logits {
            self.next_name = None;
            return *only;
        }
        let shape = logits.first().map_or(Shape(vec![0]), |x| self.shape(*x));
        self.push(Op::AllOf, logits.to_vec(), shape)
    }

    /// The adaptive transfer of AITM (Xi et al. 2021): attention over a task's own features and what the task before it
    /// hands on, `sum_u softmax(<Q u, K u> / sqrt(d))_u V u` with one `Q`, `K`, `V` for both; `[d], [d] -> [d]`.
    pub fn transfer(&mut self, own: NodeId, handed: NodeId) -> NodeId {
        let name = self.take_name("transfer");
        let width = self.width(own);
        let scale = 1.0 / (width.max(1) as f32).sqrt();
        let mut scores = Vec::with_capacity(2);
        let mut values = Vec::with_capacity(2);
        for (part, x) in [("own", own), ("handed", handed)] {
            let prefix = format!("{name}.{part}");
            let [q, k, v] = ["q", "k", "v"].map(|map| {
                let layer = format!("{prefix}.{map}");
                let tied = format!("{name}.own.{map}");
                self.tied(&layer, &tied, |g| g.named(&layer).dense(x, width, Activation::Linear))
            });
            scores.push(self.named(format!("{prefix}.score")).dot(q, k, scale));
            values.push(v);
        }
        let scores = self.named(format!("{name}.scores")).concat(&scores);
        let shares = self.named(format!("{name}.shares")).softmax(scores);
        self.named(name).mixture(shares, &values)
    }
}
