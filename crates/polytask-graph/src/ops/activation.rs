//! Elementwise non-linearities.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// An elementwise non-linearity; by itself [`Op::Activation`](crate::Op::Activation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x`
    Linear,
    /// `max(x, 0)`
    Relu,
    /// `min(max(x, 0), 6)` (Sandler et al. 2018).
    Relu6,
    /// `x * Phi(x)` with the exact normal distribution function (Hendrycks and Gimpel 2016).
    Gelu,
    /// `tanh(x)`
    Tanh,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `x * sigmoid(x)`, also called swish.
    Silu,
    /// `min(max(x + 3, 0), 6) / 6`: a sigmoid of straight lines (Howard et al. 2019).
    HardSigmoid,
    /// `x * hard_sigmoid(x)` (Howard et al. 2019).
    HardSwish,
    /// `0` up to -1/2, `1` from 1/2 on, and `-2x^3 + 3x/2 + 1/2` between them: a step that is smooth, and flat outside
    /// (Hazimeh et al. 2020).
    SmoothStep,
    /// `-x ln(x + 1e-6)`: what a probability adds to the entropy.
    Entropy,
}

impl Activation {
    /// Those that are there for any number; the logarithm of [`Entropy`](Activation::Entropy) asks for one above 0.
    pub(crate) const ALL: [Activation; 10] = [
        Activation::Linear,
        Activation::Relu,
        Activation::Relu6,
        Activation::Gelu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Silu,
        Activation::HardSigmoid,
        Activation::HardSwish,
        Activation::SmoothStep,
    ];

    /// Whether layers with it start He-uniform: those that let about half of what they get through.
    pub(crate) fn is_rectifying(self) -> bool {
        match self {
            Activation::Relu | Activation::Relu6 | Activation::Gelu | Activation::Silu | Activation::HardSwish => true,
            Activation::Linear
            | Activation::Tanh
            | Activation::Sigmoid
            | Activation::HardSigmoid
            | Activation::SmoothStep
            | Activation::Entropy => false,
        }
    }
}

impl Operation for Activation {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "activation"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.keeps_width()
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Kept
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::rows(|g, x| {
                let all = Activation::ALL.map(|activation| g.activation(x, activation));
                g.concat(&all)
            }),
            Example::rows(|g, x| {
                let shares = g.softmax(x);
                g.activation(shares, Activation::Entropy)
            }),
            Example::images(|g, x| g.activation(x, Activation::Silu)),
        ]
    }

    fn words(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}
