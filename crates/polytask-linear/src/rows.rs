//! Losses row by row: those that are not squared, and squared ones with more features than rows.

use crate::task::{Counted, Part, Task};
use crate::{Features, Labels, Loss, Matrix};
use polytask_math::algebra::vector::add;
use rayon::prelude::*;

/// One task's rows.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    features: &'a Features,
    loss: Loss,
    labels: &'a Labels,
    counted: Counted,
    mean: Vec<f64>,
}

/// Rows that one thread works on at a time.
const LANE: usize = 1024;

impl<'a> Rows<'a> {
    pub(crate) fn new(features: &'a Features, task: &'a Task, counted: Counted, mean: Vec<f64>) -> Self {
        Rows { features, loss: task.loss, labels: &task.labels, counted, mean }
    }

    /// The largest mean square of a centred feature.
    pub(crate) fn curvature(&self) -> f64 {
        let mut squares = vec![0.0; self.mean.len()];
        for (row, weight) in self.counted.rows.iter().zip(&self.counted.weights) {
            self.features.each(*row, |feature, value| squares[feature] += weight * value * value);
        }
        squares.iter().zip(&self.mean).map(|(square, mean)| square - mean * mean).fold(0.0, f64::max)
    }

    /// Loss and derivatives of its columns.
    pub(crate) fn part(&self, weights: &Matrix, intercepts: &[f64], columns: Vec<usize>, slope: bool) -> Part {
        let own = weights.select(&columns);
        let (width, outputs) = (own.rows(), own.columns());
        // What centring takes off: x - mean never stands anywhere.
        let mut shift: Vec<f64> = columns.iter().map(|c| intercepts[*c]).collect();
        self.mean.iter().enumerate().for_each(|(j, mean)| add(&mut shift, -mean, own.row(j)));
        let lane = |range: std::ops::Range<usize>| {
            let mut by_weights = Matrix::zeros(if slope { width } else { 0 }, outputs);
            let (mut by_intercepts, mut value, mut class) = (vec![0.0; outputs], 0.0, 0.0);
            let (mut places, mut values) = (Vec::new(), Vec::new());
            let mut z = vec![0.0; outputs];
            for (row, weight) in self.counted.rows[range.clone()].iter().zip(&self.counted.weights[range]) {
                self.features.gather(*row, &mut places, &mut values);
                z.copy_from_slice(&shift);
                let pairs = || places.iter().zip(&values);
                // One output is the common case, and the loops over outputs would cost more than what is in them.
                match outputs {
                    1 => z[0] += pairs().map(|(place, value)| own.values()[*place] * value).sum::<f64>(),
                    _ => pairs().for_each(|(place, value)| add(&mut z, *value, own.row(*place))),
                }
                value += weight * self.loss.slope(&mut z, self.labels.of(*row, self.loss.labels(), &mut class));
                if !slope {
                    continue;
                }
                z.iter_mut().for_each(|z| *z *= weight);
                add(&mut by_intercepts, 1.0, &z);
                let by_weights = &mut by_weights;
                match outputs {
                    1 => pairs().for_each(|(place, value)| by_weights.values_mut()[*place] += value * z[0]),
                    _ => pairs().for_each(|(place, value)| add(by_weights.row_mut(*place), *value, &z)),
                }
            }
            (value, by_weights, by_intercepts)
        };
        // The rows are cut by their number and the width alone, so that the sums do not depend on the threads.
        let rows = self.counted.rows.len();
        let lanes = rows.div_ceil(LANE).min((1 << 24) / (width * outputs).max(1)).max(1);
        let each = rows.div_ceil(lanes);
        let lanes = (0..lanes).into_par_iter().map(|i| lane((i * each).min(rows)..((i + 1) * each).min(rows)));
        let mut lanes: Vec<_> = lanes.collect();
        let (mut value, mut by_weights, mut by_intercepts) = lanes.remove(0);
        for (v, w, b) in &lanes {
            value += v;
            by_weights.add(1.0, w);
            add(&mut by_intercepts, 1.0, b);
        }
        if slope {
            self.mean.iter().enumerate().for_each(|(j, mean)| add(by_weights.row_mut(j), -mean, &by_intercepts));
        }
        if self.loss == Loss::Squared {
            // The mean of the labels is the best intercept whatever the weights; only rounding would move it.
            by_intercepts.fill(0.0);
        }
        Part { columns, value, by_weights, by_intercepts }
    }
}
