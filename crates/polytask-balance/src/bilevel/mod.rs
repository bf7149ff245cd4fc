//! Methods that try out steps of the model and learn their weights from what a held-out batch says to them.

pub(crate) mod auto_lambda;
pub(crate) mod forum;
pub(crate) mod moml;

use serde::{Deserialize, Serialize};

use crate::balancer::KeyInfo;
use crate::scalars::{Adam, softmax};
use crate::step::Step;

/// `held_out`, as every method here takes it.
pub(crate) const HELD_OUT: KeyInfo = KeyInfo {
    name: "held_out",
    default: "\"half\"",
    range: "half or batch",
    purpose: "what the weights are judged on: half of the step's batch, which the model learns from all the same, or \
              another training batch beside it",
};

/// `outer_rate`, of the methods that learn the logits of their weights.
pub(crate) const OUTER_RATE: KeyInfo =
    KeyInfo { name: "outer_rate", default: "0.001", range: "above 0", purpose: "learning rate of the logits (Adam)" };

/// A scalar that a method learns by itself.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Scalar {
    pub(crate) value: f64,
    adam: Adam,
}

impl Scalar {
    pub(crate) fn new(value: f64) -> Self {
        Self { value, adam: Adam::default() }
    }

    /// A step of Adam against `gradient`.
    pub(crate) fn descend(&mut self, gradient: f64, rate: f64) {
        self.value -= self.adam.step(gradient, rate);
    }
}

/// The softmax of the present tasks' logits.
pub(crate) fn shares(logits: &[Scalar], step: &Step) -> Vec<f64> {
    softmax(&step.tasks.iter().map(|&task| logits[task].value).collect::<Vec<_>>())
}

/// A gradient by the shares as one by their logits: `(d softmax / d z)^T g`, that is `p_k (g_k - p . g)`.
pub(crate) fn through_softmax(shares: &[f64], gradient: &[f64]) -> Vec<f64> {
    let mean: f64 = shares.iter().zip(gradient).map(|(p, g)| p * g).sum();
    shares.iter().zip(gradient).map(|(p, g)| p * (g - mean)).collect()
}
