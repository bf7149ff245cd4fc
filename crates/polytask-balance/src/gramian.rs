//! The matrix of inner products of the task gradients.

use crate::error::BalanceError;

pub(crate) use polytask_math::algebra::vector::short_dot as dot;

/// `G = J J^T`: symmetric, `size` x `size`, row-major, where row `i` of `J` is the gradient of task `i`.
///
/// Sum its products in `f64`, even of single-precision gradients: the solvers take it for positive semidefinite up to
/// the rounding of `f64`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gramian {
    size: usize,
    values: Vec<f64>,
}

impl Gramian {
    /// A Gramian of `size` tasks from its row-major values.
    ///
    /// # Errors
    /// [`BalanceError::Shape`] unless there are `size * size` values, the diagonal is not negative, and the matrix is
    /// symmetric up to rounding (1e-5 of the two norms). Values that are not finite pass: the balancer names their
    /// task and step.
    pub fn new(size: usize, values: Vec<f64>) -> Result<Self, BalanceError> {
        if values.len() != size * size {
            return Err(BalanceError::Shape(format!(
                "a Gramian of {size} tasks has {} values, got {}",
                size * size,
                values.len()
            )));
        }
        let gramian = Self { size, values };
        for i in 0..size {
            let norm = gramian.get(i, i);
            if norm < 0.0 {
                return Err(BalanceError::Shape(format!("the Gramian's diagonal is negative at {i}: {norm}")));
            }
            for j in 0..i {
                let (a, b) = (gramian.get(i, j), gramian.get(j, i));
                if (a - b).abs() > 1e-5 * (norm * gramian.get(j, j)).sqrt() {
                    return Err(BalanceError::Shape(format!(
                        "the Gramian is not symmetric: {a} at ({i}, {j}), {b} at ({j}, {i})"
                    )));
                }
            }
        }
        Ok(gramian)
    }

    /// Fills both triangles from `value(i, j)` with `j <= i`.
    pub(crate) fn symmetric(size: usize, mut value: impl FnMut(usize, usize) -> f64) -> Self {
        let mut values = vec![0.0; size * size];
        for i in 0..size {
            for j in 0..=i {
                let v = value(i, j);
                values[i * size + j] = v;
                values[j * size + i] = v;
            }
        }
        Self { size, values }
    }

    /// Number of tasks.
    pub fn size(&self) -> usize {
        self.size
    }

    /// `<g_i, g_j>`.
    #[inline]
    pub fn get(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.size + j]
    }

    /// `<g_i, g_j>` for all `j`.
    #[inline]
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.size..(i + 1) * self.size]
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// `||g_i||` for all `i`.
    pub fn norms(&self) -> Vec<f64> {
        (0..self.size).map(|i| self.get(i, i).max(0.0).sqrt()).collect()
    }

    /// `sum_i ||g_i||^2`.
    pub fn trace(&self) -> f64 {
        (0..self.size).map(|i| self.get(i, i)).sum()
    }

    /// `G w`: the inner product of every task's gradient with `J^T w`.
    pub fn times(&self, w: &[f64]) -> Vec<f64> {
        (0..self.size).map(|i| dot(self.row(i), w)).collect()
    }

    /// `w^T G w = ||J^T w||^2`, not below zero.
    pub fn quadratic(&self, w: &[f64]) -> f64 {
        dot(&self.times(w), w).max(0.0)
    }

    /// The Gramian of `scale[i] * g_i`.
    pub fn scaled(&self, scale: &[f64]) -> Self {
        Self::symmetric(self.size, |i, j| self.get(i, j) * scale[i] * scale[j])
    }

    /// The cosines of the gradients and their norms. A zero gradient gets a row of zeros.
    pub fn cosines(&self) -> (Self, Vec<f64>) {
        let norms = self.norms();
        let cosines = Self::symmetric(self.size, |i, j| {
            if norms[i] == 0.0 || norms[j] == 0.0 {
                0.0
            } else if i == j {
                1.0
            } else {
                (self.get(i, j) / norms[i] / norms[j]).clamp(-1.0, 1.0)
            }
        });
        (cosines, norms)
    }

    /// The Gramian of the tasks `keep` only.
    pub(crate) fn select(&self, keep: &[usize]) -> Self {
        Self::symmetric(keep.len(), |i, j| self.get(keep[i], keep[j]))
    }
}
