//! Several networks in one: every member reads the features times numbers of its own, the layers of a trunk are the same
//! for all, and so is the head but for another factor of each feature. What is predicted is the mean of the members
//! (Wen et al., "BatchEnsemble", ICLR 2020; TabM-mini of Gorishniy et al., "TabM", ICLR 2025).
//!
//! Each member is to fit the labels by itself. For squared errors the mean of the members' losses is the loss of their mean
//! plus their variance, and so this is what is added; for other losses the variance stands for what there is by a bound on
//! the curvature.
//!
//! Members lie as the pixels of an image, `[members, 1, features]`.

use super::Design;
use polytask_graph::{Activation, GraphBuilder, Init, LossId, LossKind, NodeId};

impl Design<'_> {
    /// Whether a representation is that of several members.
    pub(super) fn is_apart(&self, g: &GraphBuilder, h: NodeId) -> bool {
        self.config.members > 1 && g.shape(h).image().is_some()
    }

    /// The features of every member, `[d] -> [members, 1, d]`: `{prefix}members`. Their factors start normal.
    pub(super) fn members(&self, g: &mut GraphBuilder, prefix: &str, x: NodeId) -> NodeId {
        let members = self.config.members;
        let all = g.named(format!("{prefix}members.same")).planes(x, [members, 1]);
        factors(g, &format!("{prefix}members"), all, Init::Normal(1.0))
    }

    /// The output of a task, the mean of its members'.
    pub(super) fn mean_output(&self, g: &mut GraphBuilder, name: &str, last: usize, h: NodeId, width: usize) -> NodeId {
        let own = factors(g, &format!("{name}.members"), h, Init::Constant(1.0));
        let all = g.named(format!("{name}.{last}")).pointwise(own, width, Activation::Linear);
        g.named(format!("{name}.mean")).global_pool(all)
    }

    /// Adds the variance of a task's members to its loss.
    pub(super) fn part(&self, g: &mut GraphBuilder, task: usize, output: NodeId) {
        let name = format!("heads.{}", self.tasks[task].name);
        let Some(all) = g.find(&format!("{name}.{}", self.heads[task].len())) else { return };
        if self.config.members < 2 || g.shape(all).image().is_none() {
            return;
        }
        let width = g.shape(output).width();
        let squares = g.named(format!("{name}.squares")).mul(all, all);
        let squares = g.named(format!("{name}.squares.mean")).global_pool(squares);
        let square = g.named(format!("{name}.mean.square")).mul(output, output);
        let less = g.named(format!("{name}.mean.less")).affine(square, -1.0, 0.0);
        let variance = g.named(format!("{name}.variance")).add(&[squares, less]);
        let curvature = match self.tasks[task].outcome().loss() {
            LossKind::Mse => 1.0,
            LossKind::Mae | LossKind::Huber { .. } | LossKind::Poisson => 0.5,
            LossKind::BinaryCrossEntropy
            | LossKind::CrossEntropy
            | LossKind::Crf { .. }
            | LossKind::Arcs { .. }
            | LossKind::Custom(_) => 0.125,
        };
        g.auxiliary_loss(variance, curvature * width as f32, &[LossId(task)]);
    }
}

/// Features times trained numbers, those of each member its own.
fn factors(g: &mut GraphBuilder, name: &str, x: NodeId, init: Init) -> NodeId {
    let shape = g.shape(x);
    let factors = g.named(format!("{name}.factors")).vector(shape.width(), init);
    let factors = g.named(format!("{name}.factors.shape")).reshape(factors, &shape.0);
    g.named(name).mul(x, factors)
}
