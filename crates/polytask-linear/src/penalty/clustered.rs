//! Clustered: the tasks fall into `k` groups of close weights; the convex relaxation of k-means on the tasks (Zhou, Chen and Ye,
//! "Clustered multi-task learning via alternating structure optimization", NIPS 2011; Jacob, Bach and Vert, NIPS 2008).
//!
//! ```text
//! penalty(W) = 0.5 ratio (1 + ratio) min_M tr(W (ratio I + M)^-1 W^T),   tr M = k,  0 <= M <= I,  M is tasks x tasks
//! ```
//!
//! With the exact `M` of a grouping this is `0.5 (within + ratio |W|^2)`, `within` being the squared distances of the tasks from
//! their group's mean. The best `M` has the right singular vectors of `W`, so the penalty is one of its singular values
//! alone, `min_m sum s_i^2 / (ratio + m_i)`, the square of the "box norm", whose proximal map is known in closed form
//! (McDonald, Pontil and Stamos, JMLR 17, 2016). A task with several outputs counts as one long vector.

use super::{Penalty, check_positive, equal_widths};
use crate::{LinearError, Matrix};
use polytask_math::algebra::{singular_values, spectral};

/// The convex relaxation of `0.5 (within groups + ratio |W|^2)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Clustered {
    groups: usize,
    ratio: f64,
    tasks: usize,
    outputs: usize,
}

impl Clustered {
    /// For tasks with these numbers of columns in `groups` groups; a ratio above 0.
    ///
    /// # Errors
    /// A ratio that is not above 0, no group or more than tasks, tasks with different numbers of columns.
    pub fn new(groups: usize, ratio: f64, blocks: &[usize]) -> Result<Self, LinearError> {
        check_positive("ratio", ratio)?;
        if groups == 0 || groups > blocks.len() {
            let rule = "it must be from 1 to the number of tasks";
            return Err(LinearError::Setting { name: "groups", value: groups as f64, rule });
        }
        Ok(Clustered { groups, ratio, tasks: blocks.len(), outputs: equal_widths(blocks)? })
    }

    /// A column a task: all its outputs end to end.
    fn columns(&self, weights: &Matrix) -> Matrix {
        let rows = weights.rows() * self.outputs;
        Matrix::from_fn(rows, self.tasks, |r, t| weights.get(r / self.outputs, t * self.outputs + r % self.outputs))
    }

    fn uncolumns(&self, columns: &Matrix, weights: &mut Matrix) {
        for r in 0..columns.rows() {
            for t in 0..self.tasks {
                *weights.get_mut(r / self.outputs, t * self.outputs + r % self.outputs) = columns.get(r, t);
            }
        }
    }

    /// `theta_i = ratio + m_i` that minimise `sum s_i^2 / (theta_i + step)`: `a s_i - step` within `ratio` and `1 + ratio`, with the
    /// `a` that makes the `m_i` add up to the number of groups.
    fn thetas(&self, values: &[f64], step: f64) -> Vec<f64> {
        let (low, high) = (self.ratio, 1.0 + self.ratio);
        let of = |a: f64| values.iter().map(|s| (a * s - step).clamp(low, high)).collect::<Vec<f64>>();
        let sum = |a: f64| of(a).iter().map(|theta| theta - low).sum::<f64>();
        let budget = self.groups as f64;
        // Between two neighbouring bends the sum is linear in `a`.
        let bends = values.iter().filter(|s| **s > 0.0).flat_map(|s| [(low + step) / s, (high + step) / s]);
        let mut bends: Vec<f64> = bends.filter(|bend| bend.is_finite()).collect();
        bends.sort_by(f64::total_cmp);
        let Some(over) = bends.iter().position(|bend| sum(*bend) > budget) else {
            return bends.last().map_or_else(|| vec![low; values.len()], |last| of(*last));
        };
        let (from, to) = (bends[over.saturating_sub(1)], bends[over]);
        let (least, most) = (sum(from), sum(to));
        of(from + (to - from) * ((budget - least) / (most - least)).clamp(0.0, 1.0))
    }
}

impl Penalty for Clustered {
    fn value(&self, parts: &[Matrix]) -> f64 {
        let values = singular_values(&self.columns(&parts[0]));
        let sum: f64 = values.iter().zip(self.thetas(&values, 0.0)).map(|(s, theta)| s * s / theta).sum();
        0.5 * self.ratio * (1.0 + self.ratio) * sum
    }

    fn prox(&self, parts: &mut [Matrix], step: f64) {
        let step = step * self.ratio * (1.0 + self.ratio);
        let moved = spectral(&self.columns(&parts[0]), |values| {
            values.iter().zip(self.thetas(values, step)).map(|(s, theta)| s * theta / (theta + step)).collect()
        });
        self.uncolumns(&moved, &mut parts[0]);
    }

    fn ceiling(&self, _: &Matrix) -> f64 {
        f64::INFINITY
    }

    fn conjugate(&self, slope: &Matrix) -> Option<f64> {
        // The largest of 0.5 sum theta_i s_i^2: the budget goes to the largest values.
        let mut values = singular_values(&self.columns(slope));
        values.sort_by(|a, b| b.total_cmp(a));
        let square = |(i, s): (usize, &f64)| s * s * (self.ratio + f64::from(u8::from(i < self.groups)));
        let sum: f64 = values.iter().enumerate().map(square).sum();
        Some(0.5 * sum / (self.ratio * (1.0 + self.ratio)))
    }
}
