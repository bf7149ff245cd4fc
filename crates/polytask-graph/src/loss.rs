//! The loss of one task.

use crate::custom::{Custom, CustomLoss};
use crate::{NodeId, ParameterId, Shape};
use serde::{Deserialize, Serialize};

/// Position of a loss, that is of a task, in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LossId(pub usize);

/// How a row's loss is computed from the prediction `z` of width `w` and the label `y`.
///
/// A task's loss is `sum_r weight_r * loss_r / sum_r weight_r` over the batch; a row whose label is missing has weight 0.
///
/// Of a row with several labels some may be missing, NaN for numbers and `u32::MAX` for classes: means are over those that
/// are there. At least one must be; a row without any has weight 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum LossKind {
    /// `mean_j (z_j - y_j)^2`
    Mse,
    /// `mean_j |z_j - y_j|`
    Mae,
    /// `mean_j` of `0.5 e^2` where `|e| <= delta`, `delta (|e| - 0.5 delta)` beyond (Huber 1964).
    Huber {
        /// Where the parabola becomes a line, in the label's units.
        delta: f32,
    },
    /// `mean_j (max(z_j, 0) - z_j y_j + ln(1 + exp(-|z_j|)))`: `z` is a logit, `y` in `[0, 1]`.
    BinaryCrossEntropy,
    /// `ln(sum_j exp(z_j)) - z_y`: `z` are logits, `y` is a class index. Of an image `[height, width, classes]` the mean
    /// over its pixels.
    CrossEntropy,
    /// `mean_j (exp(z_j) - y_j z_j + y_j ln(y_j) - y_j)` with `0 ln 0 = 0`: `z` is the log of the rate, `y >= 0` a count.
    ///
    /// Half the Poisson deviance: the negative log-likelihood less its least value at this label, so never below 0. Its
    /// gradient is that of the likelihood.
    Poisson,
    /// The negative log-likelihood of a sequence's tags under a linear-chain conditional random field (Lafferty et al. 2001),
    /// `ln(sum over y' of exp(s(y'))) - s(y)` with `s(y) = start_{y_1} + sum_t z_{t, y_t} + sum_t step_{y_{t-1}, y_t}`. `z` is
    /// on the elements of sequences; the sequence's loss counts once for each of them, divided by how many there are.
    ///
    /// Tags are numbered as BIO tags are: 0 is outside of all spans, `2k + 1` begins a span of label k, `2k + 2` goes on with
    /// it. The sum is over the sequences in which only what has begun goes on. A sequence with an element of weight 0 is left
    /// out; otherwise its weight is that of its first element.
    Crf {
        /// `(tags + 1) x tags`: the start's scores, then those from each tag to the others.
        transitions: ParameterId,
    },
    /// The cross-entropy of each element's choice among the elements of a product that are its own, such as a token's head
    /// among all tokens, plus the cross-entropy of the choice's label. The prediction has one score, `[1]`, for every element
    /// of the product; an element of the product's parent has two class labels: the place of what it chose, and its label.
    Arcs {
        /// Logits of the labels, `[classes]` on the product's parent.
        labels: NodeId,
    },
    /// A loss that a caller brings.
    Custom(Custom<dyn CustomLoss>),
}

impl LossKind {
    /// Its name in words.
    pub fn word(&self) -> &str {
        match self {
            LossKind::Mse => "squared error",
            LossKind::Mae => "absolute error",
            LossKind::Huber { .. } => "Huber",
            LossKind::BinaryCrossEntropy => "binary cross-entropy",
            LossKind::CrossEntropy => "cross-entropy",
            LossKind::Poisson => "Poisson",
            LossKind::Crf { .. } => "CRF",
            LossKind::Arcs { .. } => "arcs",
            LossKind::Custom(custom) => &custom.name,
        }
    }

    /// Whether labels are class indices rather than numbers.
    pub fn is_of_classes(&self) -> bool {
        match self {
            LossKind::CrossEntropy | LossKind::Crf { .. } | LossKind::Arcs { .. } => true,
            LossKind::Mse
            | LossKind::Mae
            | LossKind::Huber { .. }
            | LossKind::BinaryCrossEntropy
            | LossKind::Poisson
            | LossKind::Custom(_) => false,
        }
    }

    /// Labels an element has: a class index for every pixel of an image and one for other predictions (two for arcs), or
    /// one number per predicted number.
    pub fn label_width(&self, prediction: &Shape) -> usize {
        match self {
            LossKind::CrossEntropy => prediction.pixels(),
            LossKind::Crf { .. } => 1,
            LossKind::Arcs { .. } => 2,
            LossKind::Mse
            | LossKind::Mae
            | LossKind::Huber { .. }
            | LossKind::BinaryCrossEntropy
            | LossKind::Poisson => prediction.width(),
            LossKind::Custom(custom) => custom.bound().map_or(prediction.width(), |loss| loss.label_width(prediction)),
        }
    }

    /// The node that it reads beside the prediction, and the parameter that it reads.
    fn reads(&self) -> (Option<NodeId>, Option<ParameterId>) {
        match self {
            LossKind::Crf { transitions } => (None, Some(*transitions)),
            LossKind::Arcs { labels } => (Some(*labels), None),
            LossKind::Mse
            | LossKind::Mae
            | LossKind::Huber { .. }
            | LossKind::BinaryCrossEntropy
            | LossKind::CrossEntropy
            | LossKind::Poisson
            | LossKind::Custom(_) => (None, None),
        }
    }
}

/// One task's loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loss {
    /// Name of the task.
    pub task: String,
    /// The node that is compared with the label.
    pub prediction: NodeId,
    /// How.
    #[serde(flatten)]
    pub kind: LossKind,
    /// Of the cross-entropy of an image what each class weighs in the mean over its pixels; empty: all alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub class_weights: Vec<f32>,
}

impl Loss {
    /// The nodes that are compared with the label, the prediction first.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> + use<> {
        std::iter::once(self.prediction).chain(self.kind.reads().0)
    }

    /// The node on whose elements the labels are: the last of [`nodes`](Self::nodes).
    pub fn labelled(&self) -> NodeId {
        self.kind.reads().0.unwrap_or(self.prediction)
    }

    /// The parameter that the loss itself reads.
    pub fn parameter(&self) -> Option<ParameterId> {
        self.kind.reads().1
    }

    /// The same loss with what it reads elsewhere.
    pub(crate) fn moved(
        &self,
        node: impl Fn(NodeId) -> NodeId,
        parameter: impl Fn(ParameterId) -> ParameterId,
    ) -> Loss {
        let kind = match &self.kind {
            LossKind::Crf { transitions } => LossKind::Crf { transitions: parameter(*transitions) },
            LossKind::Arcs { labels } => LossKind::Arcs { labels: node(*labels) },
            same @ (LossKind::Mse
            | LossKind::Mae
            | LossKind::Huber { .. }
            | LossKind::BinaryCrossEntropy
            | LossKind::CrossEntropy
            | LossKind::Poisson
            | LossKind::Custom(_)) => same.clone(),
        };
        Loss { prediction: node(self.prediction), kind, ..self.clone() }
    }
}
