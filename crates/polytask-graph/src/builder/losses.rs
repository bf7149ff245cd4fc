//! Losses that read more than one prediction, and the rules of all.

use super::GraphBuilder;
use crate::{CustomLoss, Init, Loss, LossId, LossKind, NodeId, Op, Role};
use std::sync::Arc;

impl GraphBuilder {
    /// The loss of a task of tags by a linear-chain conditional random field, [`LossKind::Crf`], over predictions `[tags]` on
    /// the elements of sequences. Its transitions, `NAME.transitions`, start at 0.
    pub fn crf_loss(&mut self, task: &str, prediction: NodeId) -> LossId {
        let (name, tags) = (self.take_name("crf"), self.width(prediction));
        let dims = vec![tags + 1, tags];
        let transitions = self.parameter(&name, "transitions", dims, Init::Constant(0.0), Role::Bias);
        self.loss(task, prediction, LossKind::Crf { transitions })
    }

    /// A loss that the caller brings, over a prediction of the shape that it asks for.
    pub fn custom_loss(&mut self, task: &str, prediction: NodeId, loss: Arc<dyn CustomLoss>) -> LossId {
        self.loss(task, prediction, LossKind::Custom(loss.into()))
    }

    /// Says what each class weighs in the mean over an image's pixels, all above 0; none: all alike.
    pub fn class_weights(&mut self, loss: LossId, weights: &[f32]) {
        let Some(own) = self.graph.losses.get(loss.0).filter(|_| !weights.is_empty()) else { return };
        let classes = self.shape(own.prediction).channels();
        let good = weights.len() == classes && weights.iter().all(|w| w.is_finite() && *w > 0.0);
        if own.kind != LossKind::CrossEntropy || !good {
            let task = own.task.clone();
            let reason =
                format!("its classes weigh {weights:?}; a cross-entropy takes a weight above 0 for each of {classes}");
            self.fail_at(&task, reason);
        }
        self.graph.losses[loss.0].class_weights = weights.to_vec();
    }

    pub(super) fn check_loss(&self, loss: &Loss) -> Result<(), String> {
        if loss.nodes().any(|node| node.0 >= self.graph.nodes.len()) {
            return Err("its prediction is a node of another graph".into());
        }
        if loss.nodes().any(|node| matches!(self.graph.node(node).op, Op::Index)) {
            return Err("a loss compares numbers, not category indices".into());
        }
        let domain = self.domain(loss.prediction);
        match &loss.kind {
            LossKind::Huber { delta } if !delta.is_finite() || *delta <= 0.0 => {
                return Err(format!("huber delta is {delta}; it must be above 0"));
            }
            LossKind::Crf { transitions } => {
                let tags = self.width(loss.prediction);
                let dims = self.graph.parameters.get(transitions.0).map(|p| p.dims.as_slice());
                if domain.is_rows() || dims != Some(&[tags + 1, tags]) || tags.is_multiple_of(2) {
                    return Err(format!(
                        "a CRF reads an odd number of tags on sequences and (tags + 1) x tags transitions, \
                         and gets {tags} tags with {dims:?}"
                    ));
                }
            }
            LossKind::Arcs { labels } => {
                let parent = self.graph.domain(domain).map(|d| d.parent);
                if self.width(loss.prediction) != 1 || parent != Some(self.domain(*labels)) {
                    return Err("arcs are one score for every pair, with labels on the first of the two".into());
                }
            }
            LossKind::Custom(custom) => {
                if let Some(bound) = custom.bound() {
                    bound.check(&self.shape(loss.prediction))?;
                }
            }
            LossKind::Mse
            | LossKind::Mae
            | LossKind::Huber { .. }
            | LossKind::BinaryCrossEntropy
            | LossKind::CrossEntropy
            | LossKind::Poisson => {}
        }
        Ok(())
    }
}
