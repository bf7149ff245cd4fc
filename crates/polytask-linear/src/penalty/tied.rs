//! Tasks tied to each other by squares: what mean-regularised and graph-regularised models share.
//!
//! ```text
//! penalty(W) = 0.5 sum_k tr(W_k A W_k^T)
//! ```
//!
//! `A` is a symmetric `tasks x tasks` matrix without negative eigenvalues, `W_k` has the column of output `k` of every task: class
//! is tied to class where tasks have several outputs.

use super::{Penalty, equal_widths};
use crate::{LinearError, Matrix};
use polytask_math::algebra::eigen;
use polytask_math::algebra::vector::{add, dot};

/// `0.5 sum_k tr(W_k A W_k^T)`
#[derive(Clone, Debug, PartialEq)]
pub struct Tied {
    /// Outputs a task.
    outputs: usize,
    /// Of `A`.
    values: Vec<f64>,
    /// Of `A`, column by column.
    vectors: Matrix,
}

impl Tied {
    /// From `A` and the columns of each task.
    pub(super) fn new(ties: &Matrix, blocks: &[usize]) -> Result<Self, LinearError> {
        let outputs = equal_widths(blocks)?;
        let (values, vectors) = eigen(ties);
        Ok(Tied { outputs, values, vectors })
    }

    /// Every row of `W` times `V diag(f(values)) V^T`, output by output.
    fn apply(&self, weights: &mut Matrix, f: impl Fn(f64) -> f64) {
        let tasks = self.values.len();
        let scaled = Matrix::from_fn(tasks, tasks, |t, i| self.vectors.get(t, i) * f(self.values[i]));
        let map = Matrix::from_fn(tasks, tasks, |t, s| dot(scaled.row(t), self.vectors.row(s)));
        let mut mixed = vec![0.0; tasks];
        for j in 0..weights.rows() {
            for k in 0..self.outputs {
                mixed.fill(0.0);
                (0..tasks).for_each(|t| add(&mut mixed, weights.get(j, t * self.outputs + k), map.row(t)));
                (0..tasks).for_each(|t| *weights.get_mut(j, t * self.outputs + k) = mixed[t]);
            }
        }
    }

    /// `0.5 sum_k tr(W_k f(A) W_k^T)`
    fn form(&self, weights: &Matrix, f: impl Fn(f64) -> f64) -> f64 {
        let mut mapped = weights.clone();
        self.apply(&mut mapped, f);
        0.5 * mapped.dot(weights)
    }
}

impl Penalty for Tied {
    fn value(&self, parts: &[Matrix]) -> f64 {
        self.form(&parts[0], |value| value)
    }

    fn prox(&self, parts: &mut [Matrix], step: f64) {
        self.apply(&mut parts[0], |value| 1.0 / (1.0 + step * value));
    }

    fn ceiling(&self, _: &Matrix) -> f64 {
        f64::INFINITY
    }

    fn conjugate(&self, slope: &Matrix) -> Option<f64> {
        // Without a ridge part the ties leave the mean free, and the conjugate is infinite unless the slope is too.
        let least = self.values.iter().copied().fold(f64::INFINITY, f64::min);
        let positive = least > f64::EPSILON * self.values.iter().copied().fold(0.0, f64::max);
        Some(if positive { self.form(slope, |value| 1.0 / value) } else { f64::INFINITY })
    }
}
