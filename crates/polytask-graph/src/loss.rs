//! The loss of one task.

use crate::{NodeId, Shape};
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
}

impl LossKind {
    /// Its name in words.
    pub fn word(self) -> &'static str {
        match self {
            LossKind::Mse => "squared error",
            LossKind::Mae => "absolute error",
            LossKind::Huber { .. } => "Huber",
            LossKind::BinaryCrossEntropy => "binary cross-entropy",
            LossKind::CrossEntropy => "cross-entropy",
            LossKind::Poisson => "Poisson",
        }
    }

    /// Labels a row has: a class index for every pixel of an image and one for other predictions, or one number per
    /// predicted number.
    pub fn label_width(self, prediction: &Shape) -> usize {
        match self {
            LossKind::CrossEntropy => prediction.pixels(),
            _ => prediction.width(),
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
}
