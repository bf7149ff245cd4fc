//! Ridge regression in closed form, each task with the strength that leave-one-out chooses.
//!
//! One eigendecomposition serves all strengths, all tasks with the same rows, and the leave-one-out residuals
//! `e_i / (1 - h_i)` (Golub, Heath and Wahba, Technometrics 21, 1979).

use crate::task::{Counted, count, mean};
use crate::{Features, LinearError, Loss, Matrix, Task};
use polytask_math::algebra::Eigen;
use polytask_math::algebra::vector::{add, dot};
use rayon::prelude::*;

/// Weights and intercepts of tasks of squared loss.
#[derive(Clone, Debug, PartialEq)]
pub struct Ridges {
    /// `features x tasks`.
    pub weights: Matrix,
    /// By task.
    pub intercepts: Vec<f64>,
    /// By task, `l` in `sum_r v_r (x_r w + b - y_r)^2 + l ||w||^2` with row weights `v` that add up to 1.
    pub strengths: Vec<f64>,
}

/// Strengths to choose from, evenly spaced on a logarithmic scale.
const STRENGTHS: usize = 30;
/// The strongest, in units of the largest eigenvalue of the features' covariance.
const STRONGEST: f64 = 10.0;
/// The weakest, in units of a row: what counts no more than a tenth of a row says little about rows to come, and rare levels
/// would be trusted blindly.
const WEAKEST: f64 = 0.1;
/// Operations up to which every row is left out in turn; above, their mean leverage stands for each (generalised
/// cross-validation).
const EXACT: f64 = 2e9;

/// Tasks with the same rows and weights, decomposed together.
struct Group<'a> {
    features: &'a Features,
    counted: &'a Counted,
    mean: Vec<f64>,
    eigen: Eigen,
    /// Whether the decomposed matrix is that of the features, not that of the rows.
    primal: bool,
}

/// One task's answer.
struct Answer {
    weights: Vec<f64>,
    intercept: f64,
    strength: f64,
}

/// Solves tasks of squared loss over some of the rows.
///
/// # Errors
/// Labels or weights that do not fit; a task without a row that counts, or of another loss.
pub fn ridge(features: &Features, tasks: &[Task], rows: &[u32]) -> Result<Ridges, LinearError> {
    if let Some(task) = tasks.iter().position(|task| task.loss != Loss::Squared) {
        return Err(LinearError::NotSquared(task));
    }
    let counted = tasks.iter().enumerate().map(|(t, task)| count(features, t, task, rows));
    let counted = counted.collect::<Result<Vec<_>, _>>()?;
    let mut groups: Vec<(&Counted, Vec<usize>)> = Vec::new();
    for (t, counted) in counted.iter().enumerate() {
        match groups.iter_mut().find(|(other, _)| *other == counted) {
            Some((_, members)) => members.push(t),
            None => groups.push((counted, vec![t])),
        }
    }
    let solved = groups.par_iter().map(|(counted, members)| {
        let group = Group::new(features, counted);
        let answer = |&t: &usize| (t, group.solve(&tasks[t]));
        members.par_iter().map(answer).collect::<Vec<_>>()
    });
    let mut all = Ridges {
        weights: Matrix::zeros(features.width(), tasks.len()),
        intercepts: vec![0.0; tasks.len()],
        strengths: vec![0.0; tasks.len()],
    };
    for (t, answer) in solved.collect::<Vec<_>>().into_iter().flatten() {
        answer.weights.iter().enumerate().for_each(|(j, w)| *all.weights.get_mut(j, t) = *w);
        all.intercepts[t] = answer.intercept;
        all.strengths[t] = answer.strength;
    }
    Ok(all)
}

impl<'a> Group<'a> {
    fn new(features: &'a Features, counted: &'a Counted) -> Self {
        let mean = mean(features, counted);
        let (width, rows) = (features.width(), counted.rows.len());
        let primal = width <= rows;
        let matrix = if primal { covariance(features, counted, &mean) } else { products(features, counted, &mean) };
        let eigen = Eigen::new(&matrix, if primal { width } else { rows });
        Group { features, counted, mean, eigen, primal }
    }

    /// A row, centred and weighted.
    fn row(&self, place: usize) -> Vec<f64> {
        let mut own: Vec<f64> = self.mean.iter().map(|mean| -mean).collect();
        self.features.each(self.counted.rows[place], |feature, value| own[feature] += value);
        let root = self.counted.weights[place].sqrt();
        own.iter_mut().for_each(|value| *value *= root);
        own
    }

    /// Where a row stands along the eigenvectors, in units of the singular values.
    fn coordinates(&self, place: usize) -> Vec<f64> {
        match self.primal {
            true => self.eigen.coordinates(&self.row(place)),
            false => {
                let mut unit = vec![0.0; self.counted.rows.len()];
                unit[place] = 1.0;
                let along = self.eigen.coordinates(&unit);
                along.iter().zip(self.eigen.values()).map(|(u, s)| u * s.max(0.0).sqrt()).collect()
            }
        }
    }

    fn solve(&self, task: &Task) -> Answer {
        let Counted { rows, weights } = self.counted;
        let labels: Vec<f64> = rows.iter().map(|row| task.labels.at(*row)).collect();
        let center = dot(weights, &labels);
        let y: Vec<f64> = labels.iter().zip(weights).map(|(y, v)| v.sqrt() * (y - center)).collect();
        let values = self.eigen.values();
        // What each eigenvector has in common with the labels, times its singular value.
        let common = match self.primal {
            true => {
                let mut sum = vec![0.0; self.features.width()];
                y.iter().enumerate().for_each(|(place, y)| add(&mut sum, *y, &self.row(place)));
                self.eigen.coordinates(&sum)
            }
            false => {
                let along = self.eigen.coordinates(&y);
                along.iter().zip(values).map(|(q, s)| q * s.max(0.0).sqrt()).collect()
            }
        };
        let strength = self.choose(&common, &y);
        let weights = match self.primal {
            true => {
                let along: Vec<f64> = common.iter().zip(values).map(|(g, s)| g / (s.max(0.0) + strength)).collect();
                self.eigen.back(&along)
            }
            false => {
                let along = self.eigen.coordinates(&y);
                let along: Vec<f64> = along.iter().zip(values).map(|(q, s)| q / (s.max(0.0) + strength)).collect();
                let shares = self.eigen.back(&along);
                let mut sum = vec![0.0; self.features.width()];
                shares.iter().enumerate().for_each(|(place, share)| add(&mut sum, *share, &self.row(place)));
                sum
            }
        };
        let intercept = center - dot(&weights, &self.mean);
        Answer { weights, intercept, strength }
    }

    /// The strength with the least error on rows that are left out; the strongest of several.
    fn choose(&self, common: &[f64], y: &[f64]) -> f64 {
        let values = self.eigen.values();
        let top = values.iter().copied().fold(0.0, f64::max);
        if top == 0.0 {
            return 1.0;
        }
        let (strongest, weakest) = (STRONGEST * top, (WEAKEST / y.len() as f64).min(top));
        let step = (weakest / strongest).powf(1.0 / (STRENGTHS - 1) as f64);
        let strengths: Vec<f64> = (0..STRENGTHS).map(|i| strongest * step.powi(i as i32)).collect();
        let size = values.len() as f64;
        let errors = match 10.0 * y.len() as f64 * size * size <= EXACT {
            true => self.left_out(&strengths, common, y),
            false => generalised(&strengths, values, common, y),
        };
        let mut best = 0;
        errors.iter().enumerate().for_each(|(i, error)| {
            if *error < errors[best] {
                best = i;
            }
        });
        strengths[best]
    }

    /// By strength, the weighted sum of squares of what is predicted wrongly of each row without it.
    fn left_out(&self, strengths: &[f64], common: &[f64], y: &[f64]) -> Vec<f64> {
        let values = self.eigen.values();
        let mut errors = vec![0.0; strengths.len()];
        for (place, y) in y.iter().enumerate() {
            let z = self.coordinates(place);
            for (error, strength) in errors.iter_mut().zip(strengths) {
                let (mut predicted, mut leverage) = (0.0, self.counted.weights[place]);
                for ((z, g), s) in z.iter().zip(common).zip(values) {
                    let share = z / (s.max(0.0) + strength);
                    predicted += share * g;
                    leverage += share * z;
                }
                let rest = (1.0 - leverage).max(1e-10);
                *error += ((y - predicted) / rest).powi(2);
            }
        }
        errors
    }
}

/// Generalised cross-validation: the squares of the residuals over the square of the mean of `1 - h`.
fn generalised(strengths: &[f64], values: &[f64], common: &[f64], y: &[f64]) -> Vec<f64> {
    let all = dot(y, y);
    let error = |strength: &f64| {
        let (mut explained, mut leverage) = (0.0, 1.0);
        for (g, s) in common.iter().zip(values) {
            let s = s.max(0.0);
            explained += g * g * (s + 2.0 * strength) / (s + strength).powi(2);
            leverage += s / (s + strength);
        }
        (all - explained).max(0.0) / (1.0 - leverage / y.len() as f64).max(1e-10).powi(2)
    };
    strengths.iter().map(error).collect()
}

/// `sum_r v_r x_r x_r^T - m m^T`, `width x width`.
fn covariance(features: &Features, counted: &Counted, mean: &[f64]) -> Vec<f64> {
    let width = features.width();
    let mut matrix = vec![0.0; width * width];
    let (mut places, mut values) = (Vec::new(), Vec::new());
    for (row, weight) in counted.rows.iter().zip(&counted.weights) {
        features.gather(*row, &mut places, &mut values);
        for (i, a) in places.iter().zip(&values) {
            let into = &mut matrix[i * width..(i + 1) * width];
            for (j, b) in places.iter().zip(&values) {
                into[*j] += weight * a * b;
            }
        }
    }
    for (i, a) in mean.iter().enumerate() {
        add(&mut matrix[i * width..(i + 1) * width], -a, mean);
    }
    matrix
}

/// The products of all pairs of rows, centred and weighted, `rows x rows`.
fn products(features: &Features, counted: &Counted, mean: &[f64]) -> Vec<f64> {
    let rows = counted.rows.len();
    let dense = |(row, weight): (&u32, &f64)| {
        let mut own: Vec<f64> = mean.iter().map(|mean| -mean).collect();
        features.each(*row, |feature, value| own[feature] += value);
        let root = weight.sqrt();
        own.iter_mut().for_each(|value| *value *= root);
        own
    };
    let all: Vec<Vec<f64>> = counted.rows.iter().zip(&counted.weights).map(dense).collect();
    let mut matrix = vec![0.0; rows * rows];
    matrix.par_chunks_exact_mut(rows).enumerate().for_each(|(i, into)| {
        into.iter_mut().zip(&all).for_each(|(into, other)| *into = dot(&all[i], other));
    });
    matrix
}
