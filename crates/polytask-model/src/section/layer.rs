//! What all layers have: what follows them, and how wide they may be.

use super::error::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What follows a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// max(x, 0)
    #[default]
    Relu,
    /// x * Phi(x)
    Gelu,
    /// x * sigmoid(x)
    Silu,
    /// tanh(x)
    Tanh,
    /// 1 / (1 + exp(-x))
    Sigmoid,
    /// x
    Linear,
}

impl From<Activation> for polytask_graph::Activation {
    fn from(activation: Activation) -> Self {
        match activation {
            Activation::Relu => Self::Relu,
            Activation::Gelu => Self::Gelu,
            Activation::Silu => Self::Silu,
            Activation::Tanh => Self::Tanh,
            Activation::Sigmoid => Self::Sigmoid,
            Activation::Linear => Self::Linear,
        }
    }
}

/// Wider layers are surely slips, and would ask for more memory than there is.
const WIDEST: usize = 65_536;

pub(crate) fn check_widths(key: &[&str], widths: &[usize]) -> Result<(), Problem> {
    match widths.iter().find(|w| !(1..=WIDEST).contains(*w)) {
        Some(width) => {
            let message = format!("`{}` has a layer of width {width}; widths are from 1 to {WIDEST}", key.join("."));
            Err(Problem::new(key, message).at_value())
        }
        None => Ok(()),
    }
}
