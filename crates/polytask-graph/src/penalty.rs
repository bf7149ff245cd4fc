//! Terms of what is minimised beside the tasks' losses.

use crate::{LossId, NodeId, ParameterId};
use serde::{Deserialize, Serialize};

/// A term that depends on parameters alone, `strength` times what its kind says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Penalty {
    /// 0 or above.
    pub strength: f32,
    /// The parameters `w_1, w_2, ...`, of one shape.
    pub parameters: Vec<ParameterId>,
    /// What of them.
    pub kind: PenaltyKind,
}

/// What a [`Penalty`] measures.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PenaltyKind {
    /// `sum_t ||w_t - mean_s w_s||^2` (Evgeniou and Pontil 2004).
    Mean,
    /// `sum over edges of weight ||w_a - w_b||^2`.
    Edges(Vec<Edge>),
    /// The sum of the singular values `s` of the matrix whose rows are the parameters, flattened (Yang and Hospedales
    /// 2017), each smoothed at zero to `sqrt(s^2 + 1e-6)`.
    TraceNorm,
    /// `sum over parameters of sum_{g < h} ||W_g^T W_h||_F^2`, `W_g` being the parameter's columns cut into so many equal
    /// groups (Ruder et al. 2019).
    Orthogonal {
        /// At least 2.
        groups: usize,
    },
}

/// A pair of a penalty's parameters.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// Position among the penalty's parameters.
    pub a: usize,
    /// Position of the other.
    pub b: usize,
    /// 0 or above.
    pub weight: f32,
}

/// A term that needs no label: `weight` times the mean of a node's values over rows and features. Every one of the losses
/// that carry it has an equal share of it, times the loss's own weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuxiliaryLoss {
    /// Whose values.
    pub node: NodeId,
    /// 0 or above.
    pub weight: f32,
    /// The losses that carry it, at least one.
    pub losses: Vec<LossId>,
}
