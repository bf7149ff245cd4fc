//! Data and losses of all tasks, ready to be solved.

use crate::gram::Gram;
use crate::rows::Rows;
use crate::task::{Counted, Part, Task, count, mean};
use crate::{Features, Labels, LinearError, Loss, Matrix};
use rayon::prelude::*;

/// The data loss of all tasks over some rows, `sum_t sum_r v_tr loss_t(x_r w_t + b_t, y_tr) / sum_r v_tr`.
///
/// Inside, the features of each task are centred on their weighted mean over its rows, which takes the intercept out
/// of the way: that of a squared loss is then the mean of the labels, whatever the weights.
#[derive(Debug)]
pub struct Problem<'a> {
    width: usize,
    blocks: Vec<usize>,
    tasks: Vec<Own<'a>>,
    /// Tasks of squared loss with the same rows and weights, together.
    grams: Vec<Gram>,
}

/// One task.
#[derive(Debug)]
struct Own<'a> {
    loss: Loss,
    /// Its first column in the weights.
    start: usize,
    /// Weighted means of the features.
    mean: Vec<f64>,
    /// Best intercepts where the weights are 0.
    constant: Vec<f64>,
    /// `None`: it is in one of the Gramians.
    rows: Option<Rows<'a>>,
}

/// A Gramian wider than this would take more memory than the rows do.
const WIDEST_GRAM: usize = 4096;

impl<'a> Problem<'a> {
    /// The problem of some of the rows. A task's labels elsewhere are not looked at.
    ///
    /// # Errors
    /// Labels or weights that do not fit; a task without a row that counts.
    pub fn new(features: &'a Features, tasks: &'a [Task], rows: &[u32]) -> Result<Self, LinearError> {
        let counted = tasks.iter().enumerate().map(|(t, task)| count(features, t, task, rows));
        let counted = counted.collect::<Result<Vec<_>, _>>()?;
        let width = features.width();
        let blocks: Vec<usize> = tasks.iter().map(|task| task.loss.outputs()).collect();
        let starts: Vec<usize> =
            blocks.iter().scan(0, |end, width| Some(std::mem::replace(end, *end + width))).collect();
        // Tasks with the same rows and weights share one Gramian.
        let mut groups: Vec<(&Counted, Vec<usize>)> = Vec::new();
        for (t, (task, counted)) in tasks.iter().zip(&counted).enumerate() {
            let fits = width <= WIDEST_GRAM && width <= counted.rows.len().max(256);
            if task.loss == Loss::Squared && fits {
                match groups.iter_mut().find(|(other, _)| *other == counted) {
                    Some((_, members)) => members.push(t),
                    None => groups.push((counted, vec![t])),
                }
            }
        }
        let grams = groups.par_iter().map(|(counted, members)| {
            let labels: Vec<&Labels> = members.iter().map(|&t| &tasks[t].labels).collect();
            let columns = members.iter().map(|&t| starts[t]).collect();
            Gram::new(features, counted, &labels, columns)
        });
        let grams: Vec<Gram> = grams.collect();
        let own = tasks.par_iter().zip(&counted).enumerate().map(|(t, (task, counted))| {
            let labelled = counted.rows.iter().zip(&counted.weights).map(|(row, weight)| (*weight, *row));
            let constant = task.loss.constant(labelled, &task.labels);
            let mean = mean(features, counted);
            let in_gram = groups.iter().any(|(_, members)| members.contains(&t));
            let rows = (!in_gram).then(|| Rows::new(features, task, counted.clone(), mean.clone()));
            Own { loss: task.loss, start: starts[t], mean, constant, rows }
        });
        let tasks = own.collect();
        Ok(Problem { width, blocks, tasks, grams })
    }

    /// Features a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Columns of each task in the weights, in order: 1, or one a class or event.
    pub fn blocks(&self) -> &[usize] {
        &self.blocks
    }

    /// Columns of the weights.
    pub fn columns(&self) -> usize {
        self.blocks.iter().sum()
    }

    /// Whether every loss is the squared one: then there is a duality gap.
    pub fn is_quadratic(&self) -> bool {
        self.tasks.iter().all(|task| task.loss == Loss::Squared)
    }

    /// The best intercepts for weights of 0, in the order of the columns: the best constant predictions.
    pub fn constants(&self) -> Vec<f64> {
        self.tasks.iter().flat_map(|task| task.constant.iter().copied()).collect()
    }

    /// Intercepts for features as they are, from those for centred features.
    pub(crate) fn uncentred(&self, weights: &Matrix, intercepts: &[f64]) -> Vec<f64> {
        let mut own = intercepts.to_vec();
        for (task, block) in self.tasks.iter().zip(&self.blocks) {
            let own = &mut own[task.start..task.start + block];
            for (j, mean) in task.mean.iter().enumerate() {
                polytask_math::algebra::vector::add(own, -mean, &weights.row(j)[task.start..task.start + block]);
            }
        }
        own
    }

    /// The largest mean square of a centred feature: the scale of the curvature.
    pub fn curvature(&self) -> f64 {
        let grams = self.grams.iter().map(Gram::curvature);
        let rows = self.tasks.iter().filter_map(|task| Some(task.rows.as_ref()?.curvature()));
        grams.chain(rows).fold(0.0, f64::max)
    }

    /// The data loss at weights and intercepts for centred features.
    pub(crate) fn value(&self, weights: &Matrix, intercepts: &[f64]) -> f64 {
        self.each(weights, intercepts, false).iter().map(|part| part.value).sum()
    }

    /// The data loss, and its derivatives by weights and intercepts.
    pub(crate) fn slope(&self, weights: &Matrix, intercepts: &[f64]) -> (f64, Matrix, Vec<f64>) {
        let mut by_weights = Matrix::zeros(self.width, self.columns());
        let mut by_intercepts = vec![0.0; self.columns()];
        let mut value = 0.0;
        for part in self.each(weights, intercepts, true) {
            value += part.value;
            for (at, column) in part.columns.iter().enumerate() {
                for j in 0..self.width {
                    *by_weights.get_mut(j, *column) = part.by_weights.get(j, at);
                }
                by_intercepts[*column] = part.by_intercepts[at];
            }
        }
        (value, by_weights, by_intercepts)
    }

    /// Every Gramian and every task with rows of its own, side by side; in a fixed order.
    fn each(&self, weights: &Matrix, intercepts: &[f64], slope: bool) -> Vec<Part> {
        let grams = self.grams.par_iter().map(|gram| gram.part(weights, slope));
        let rows = self.tasks.par_iter().zip(&self.blocks).filter_map(|(task, block)| {
            let columns: Vec<usize> = (task.start..task.start + block).collect();
            Some(task.rows.as_ref()?.part(weights, intercepts, columns, slope))
        });
        grams.chain(rows).collect()
    }
}

/// The weighted sum of each task's losses over some rows, and the sum of the weights.
///
/// # Shapes
/// `weights` is `features x columns`, `intercepts` has as many values as columns.
pub fn losses(
    features: &Features,
    tasks: &[Task],
    rows: &[u32],
    weights: &Matrix,
    intercepts: &[f64],
) -> Vec<(f64, f64)> {
    let transposed = weights.transposed();
    let starts = tasks.iter().scan(0, |end, task| Some(std::mem::replace(end, *end + task.loss.outputs())));
    let jobs: Vec<(usize, &Task)> = starts.zip(tasks).collect();
    let mean = |(start, task): &(usize, &Task)| {
        let (mut sum, mut total, mut class) = (0.0, 0.0, 0.0);
        let (mut places, mut values) = (Vec::new(), Vec::new());
        for &row in rows.iter().filter(|row| task.weights[**row as usize] > 0.0) {
            features.gather(row, &mut places, &mut values);
            let output = |k: usize| {
                let column = transposed.row(start + k);
                intercepts[start + k] + places.iter().zip(&values).map(|(p, v)| column[*p] * v).sum::<f64>()
            };
            let mut z: Vec<f64> = (0..task.loss.outputs()).map(output).collect();
            let weight = task.weights[row as usize];
            sum += weight * task.loss.slope(&mut z, task.labels.of(row, task.loss.labels(), &mut class));
            total += weight;
        }
        (sum, total)
    };
    jobs.par_iter().map(mean).collect()
}
