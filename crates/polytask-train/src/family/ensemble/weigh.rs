//! How much each candidate counts for each task: greedy picks with replacement, by what the candidates predict for rows
//! that they were not fitted on (Caruana et al. 2004).

use super::candidate::Material;
use crate::train::OutOfFold;
use polytask_exec::{Outputs, TaskOutput, Values};
use polytask_graph::LossKind;
use polytask_math::seed::SplitMix64;
use polytask_model::tasks::{Labels, Layout, Link, Target, Task};
use rayon::prelude::*;

/// Picks a task.
const PICKS: usize = 25;
/// Bags of the rows at most, and rows of all bags together.
const BAGS: usize = 20;
const BAGGED: usize = 100_000;
/// A row with this part of the loss of all rows outweighs them; one in so many may.
const OUTWEIGHS: f64 = 0.05;
const FEW: usize = 100;
/// A smaller weight is none.
const LEAST: f64 = 0.01;
/// What draws of bags are for.
const BAG: u64 = 0x6261_6773;

/// The rows that judge, and how predictions are judged there.
pub(super) struct Judge<'a> {
    tasks: Vec<Column<'a>>,
    /// By row of the data set, its place among those that judge.
    places: Vec<Option<u32>>,
    rows: Vec<u32>,
}

/// One task over the rows that judge.
struct Column<'a> {
    task: &'a Task,
    link: Link,
    width: usize,
    loss: LossKind,
    /// `rows x width` of numbers and flags, `rows` of classes.
    labels: Vec<f64>,
    weights: Vec<f64>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(material: &Material<'a>) -> Self {
        let data = &material.prepared.data;
        let mut rows: Vec<u32> = material.folds.iter().flat_map(|fold| fold.held.iter().copied()).collect();
        rows.sort_unstable();
        let mut places = vec![None; data.rows()];
        rows.iter().enumerate().for_each(|(place, row)| places[*row as usize] = Some(place as u32));
        let column = |(task, at): (&'a Task, &usize)| Column::new(task, &data.labels[*at], &rows);
        let tasks = material.table.tasks.iter().zip(&material.table.labels).map(column).collect();
        Judge { tasks, places, rows }
    }

    /// No predictions yet.
    pub(super) fn nothing(&self) -> Vec<Vec<f64>> {
        self.tasks.iter().map(|column| vec![f64::NAN; self.rows.len() * column.width]).collect()
    }

    /// Takes over what was predicted for some rows.
    pub(super) fn write(&self, seen: &mut [Vec<f64>], rows: &[u32], outputs: &Outputs) {
        for ((column, seen), output) in self.tasks.iter().zip(seen).zip(&outputs.tasks) {
            let width = column.width;
            for (row, raw) in rows.iter().zip(output.prediction.values().chunks_exact(width.max(1))) {
                let Some(place) = self.places[*row as usize] else { continue };
                let own = &mut seen[place as usize * width..][..width];
                own.iter_mut().zip(raw).for_each(|(own, z)| *own = f64::from(*z));
                column.link.decode(own);
            }
        }
    }

    /// The mean loss of each task over the rows that were predicted.
    pub(super) fn losses(&self, seen: &[Vec<f64>]) -> Vec<Option<f64>> {
        self.tasks.iter().zip(seen).map(|(column, seen)| column.mean(seen)).collect()
    }

    /// The mean loss of one task over the rows where others have predictions.
    pub(super) fn loss_where(&self, task: usize, seen: &[Vec<f64>], others: &[Vec<f64>]) -> Option<f64> {
        let column = &self.tasks[task];
        let there = others[task].chunks_exact(column.width.max(1)).map(|row| !row[0].is_nan());
        let weights: Vec<f64> =
            column.weights.iter().zip(there).map(|(weight, there)| if there { *weight } else { 0.0 }).collect();
        column.mean_by(&weights, &seen[task])
    }

    /// The same of constant predictions.
    pub(super) fn constant_losses(&self) -> Vec<Option<f64>> {
        let of = |column: &Column<'_>| {
            let mut constant: Vec<f64> = column.task.outcome().initial_bias().iter().map(|z| f64::from(*z)).collect();
            column.link.decode(&mut constant);
            column.mean(&constant.repeat(self.rows.len()))
        };
        self.tasks.iter().map(of).collect()
    }

    /// By task, the weight of each candidate.
    pub(super) fn weights(&self, seen: &[&[Vec<f64>]], seed: u64) -> Vec<Vec<f64>> {
        let of = |(at, column): (usize, &Column<'_>)| {
            let seen: Vec<&[f64]> = seen.iter().map(|seen| seen[at].as_slice()).collect();
            column.weights(&seen, seed)
        };
        self.tasks.iter().enumerate().map(of).collect()
    }
}

impl Judge<'_> {
    /// What the weighted candidates predict for the rows that judge; `weights` by task and candidate.
    pub(super) fn out_of_fold(&self, seen: &[&[Vec<f64>]], weights: &[Vec<f64>]) -> OutOfFold {
        let of = |(at, column): (usize, &Column<'_>)| {
            let mut sums = vec![0.0; self.rows.len() * column.width];
            for (seen, weight) in seen.iter().zip(&weights[at]).filter(|(_, weight)| **weight > 0.0) {
                sums.iter_mut().zip(&seen[at]).for_each(|(sum, own)| *sum += weight * own);
            }
            sums.chunks_exact_mut(column.width.max(1)).for_each(|row| column.link.encode(row));
            let mut values = Values::of_rows(column.width, self.rows.len());
            values.extend(&sums.iter().map(|z| *z as f32).collect::<Vec<_>>());
            let output = TaskOutput { prediction: values, ..TaskOutput::default() };
            column.task.predict(&output, &Layout::of_rows(self.rows.len()))
        };
        OutOfFold { rows: self.rows.clone(), predictions: self.tasks.iter().enumerate().map(of).collect() }
    }
}

impl<'a> Column<'a> {
    fn new(task: &'a Task, labels: &Labels, rows: &[u32]) -> Self {
        let width = task.outcome().width();
        let real = |values: &[f32], row: u32| values[row as usize * width..(row as usize + 1) * width].to_vec();
        let labels_of = |row: &u32| match &labels.target {
            Target::Real(values) => real(values, *row).into_iter().map(f64::from).collect(),
            Target::Class(classes) => vec![f64::from(classes[*row as usize])],
        };
        Column {
            task,
            link: task.link().unwrap_or(Link::Identity),
            width,
            loss: task.outcome().loss(),
            labels: rows.iter().flat_map(labels_of).collect(),
            weights: rows.iter().map(|row| f64::from(labels.weights[*row as usize])).collect(),
        }
    }

    /// The mean loss over the rows that were predicted; none without any.
    fn mean(&self, seen: &[f64]) -> Option<f64> {
        self.mean_by(&self.weights, seen)
    }

    /// The same with other weights of the rows.
    fn mean_by(&self, weights: &[f64], seen: &[f64]) -> Option<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        let width = self.width.max(1);
        let labels = self.labels.chunks_exact(self.labels.len() / self.weights.len().max(1));
        for ((row, labels), weight) in seen.chunks_exact(width).zip(labels).zip(weights) {
            if *weight > 0.0 && !row[0].is_nan() {
                sum += weight * self.of(row, labels);
                total += weight;
            }
        }
        (total > 0.0).then_some(sum / total)
    }

    /// The loss of a row.
    fn of(&self, row: &[f64], labels: &[f64]) -> f64 {
        const SMALLEST: f64 = 1e-7;
        let pairs = || row.iter().zip(labels).filter(|(_, y)| !y.is_nan());
        let mean = |of: &dyn Fn(f64, f64) -> f64| {
            let (sum, count) = pairs().fold((0.0, 0), |(sum, count), (p, y)| (sum + of(*p, *y), count + 1));
            sum / f64::from(count.max(1))
        };
        match self.loss {
            LossKind::Mse | LossKind::Custom(_) => mean(&|p, y| (p - y) * (p - y)),
            LossKind::Mae => mean(&|p, y| (p - y).abs()),
            LossKind::Huber { delta } => mean(&|p, y| {
                let (e, delta) = ((p - y).abs(), f64::from(delta));
                if e <= delta { 0.5 * e * e } else { delta * (e - 0.5 * delta) }
            }),
            LossKind::BinaryCrossEntropy => mean(&|p, y| {
                let p = p.clamp(SMALLEST, 1.0 - SMALLEST);
                -(y * p.ln() + (1.0 - y) * (1.0 - p).ln())
            }),
            LossKind::Poisson => mean(&|p, y| p - y * p.max(SMALLEST).ln()),
            // Tasks of sequences are refused before.
            LossKind::CrossEntropy | LossKind::Crf { .. } | LossKind::Arcs { .. } => {
                -row.get(labels[0] as usize).copied().unwrap_or(0.0).max(SMALLEST).ln()
            }
        }
    }

    /// The mean over bags of the rows of what greedy picks come to: few rows would choose by chance.
    fn weights(&self, seen: &[&[f64]], seed: u64) -> Vec<f64> {
        let weights = self.without_outliers(seen);
        let rows = weights.iter().filter(|weight| **weight > 0.0).count();
        let bags = (BAGGED / rows.max(1)).min(BAGS);
        if bags == 0 {
            return self.picks(&weights, seen);
        }
        let bag = |bag: usize| {
            // Poisson(1) draws weigh the rows, as drawing with replacement does.
            let weigh = |(row, weight): (usize, &f64)| {
                let unit = SplitMix64::of(seed, &[BAG, bag as u64, row as u64]).unit();
                weight * f64::from(poisson(unit))
            };
            let weights: Vec<f64> = weights.iter().enumerate().map(weigh).collect();
            self.picks(&weights, seen)
        };
        let all: Vec<Vec<f64>> = (0..bags).into_par_iter().map(bag).collect();
        let mean = |i: usize| all.iter().map(|weights| weights[i]).sum::<f64>() / bags as f64;
        let mut mean: Vec<f64> = (0..seen.len()).map(mean).collect();
        // What hardly counts is not worth its time.
        mean.iter_mut().filter(|weight| **weight < LEAST).for_each(|weight| *weight = 0.0);
        let sum: f64 = mean.iter().sum();
        mean.iter_mut().for_each(|weight| *weight /= sum);
        mean
    }

    /// The weights of the rows, 0 for those that no candidate predicts and that would outweigh all others: which candidate
    /// is a little nearer to them says nothing.
    fn without_outliers(&self, seen: &[&[f64]]) -> Vec<f64> {
        let width = self.width.max(1);
        let labels = self.labels.len() / self.weights.len().max(1);
        let least = |row: usize| {
            let own = &self.labels[row * labels..(row + 1) * labels];
            let losses = seen.iter().map(|seen| &seen[row * width..(row + 1) * width]).filter(|seen| !seen[0].is_nan());
            let least = losses.map(|seen| self.of(seen, own)).fold(f64::INFINITY, f64::min);
            if least.is_finite() { self.weights[row] * least } else { 0.0 }
        };
        let mut order: Vec<(usize, f64)> = (0..self.weights.len()).map(|row| (row, least(row))).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut weights = self.weights.clone();
        let mut rest: f64 = order.iter().map(|(_, loss)| loss).sum();
        for (row, loss) in order.iter().take(weights.len() / FEW) {
            if *loss < OUTWEIGHS * rest {
                break;
            }
            weights[*row] = 0.0;
            rest -= loss;
        }
        weights
    }

    /// Greedy picks with replacement: each time the candidate that makes the mean of all picks best; the picks up to the
    /// best mean count.
    fn picks(&self, weights: &[f64], seen: &[&[f64]]) -> Vec<f64> {
        let mut counts = vec![0usize; seen.len()];
        let mut sum = vec![0.0; seen.first().map_or(0, |seen| seen.len())];
        let mut best = (f64::INFINITY, counts.clone());
        for pick in 1..=PICKS {
            let loss = |own: &&[f64]| {
                let mean: Vec<f64> = sum.iter().zip(*own).map(|(sum, own)| (sum + own) / pick as f64).collect();
                self.mean_by(weights, &mean).unwrap_or(f64::INFINITY)
            };
            let losses: Vec<f64> = seen.iter().map(loss).collect();
            let Some((chosen, loss)) = losses.into_iter().enumerate().min_by(|a, b| a.1.total_cmp(&b.1)) else { break };
            counts[chosen] += 1;
            sum.iter_mut().zip(seen[chosen]).for_each(|(sum, own)| *sum += own);
            if loss < best.0 {
                best = (loss, counts.clone());
            }
        }
        let (_, mut counts) = best;
        if counts.iter().all(|count| *count == 0) {
            // Nothing says which is better.
            counts.iter_mut().for_each(|count| *count = 1);
        }
        let all: usize = counts.iter().sum();
        counts.iter().map(|count| *count as f64 / all.max(1) as f64).collect()
    }
}

/// A draw of Poisson(1) from a number in [0, 1).
fn poisson(unit: f64) -> u8 {
    let (mut share, mut below) = ((-1.0f64).exp(), 0.0);
    for count in 0..8u8 {
        below += share;
        if unit < below {
            return count;
        }
        share /= f64::from(count + 1);
    }
    8
}
