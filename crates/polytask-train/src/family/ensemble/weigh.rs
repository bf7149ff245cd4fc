//! How much each candidate counts for each task: greedy picks with replacement, by what the candidates predict for rows
//! that they were not fitted on (Caruana et al. 2004).

use super::candidate::Material;
use polytask_exec::Outputs;
use polytask_graph::LossKind;
use polytask_model::tasks::{Labels, Link, Target, Task};

/// Picks a task.
const PICKS: usize = 25;

/// The rows that judge, and how predictions are judged there.
pub(super) struct Judge<'a> {
    tasks: Vec<Column<'a>>,
    /// By row of the data set, its place among those that judge.
    places: Vec<Option<u32>>,
    rows: usize,
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
        Judge { tasks, places, rows: rows.len() }
    }

    /// No predictions yet.
    pub(super) fn nothing(&self) -> Vec<Vec<f64>> {
        self.tasks.iter().map(|column| vec![f64::NAN; self.rows * column.width]).collect()
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

    /// The same of constant predictions.
    pub(super) fn constant_losses(&self) -> Vec<Option<f64>> {
        let of = |column: &Column<'_>| {
            let mut constant: Vec<f64> = column.task.outcome().initial_bias().iter().map(|z| f64::from(*z)).collect();
            column.link.decode(&mut constant);
            column.mean(&constant.repeat(self.rows))
        };
        self.tasks.iter().map(of).collect()
    }

    /// By task, the weight of each candidate.
    pub(super) fn weights(&self, seen: &[&[Vec<f64>]], _seed: u64) -> Vec<Vec<f64>> {
        let of = |(at, column): (usize, &Column<'_>)| {
            let seen: Vec<&[f64]> = seen.iter().map(|seen| seen[at].as_slice()).collect();
            column.weights(&seen)
        };
        self.tasks.iter().enumerate().map(of).collect()
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
        let (mut sum, mut total) = (0.0, 0.0);
        let width = self.width.max(1);
        let labels = self.labels.chunks_exact(self.labels.len() / self.weights.len().max(1));
        for ((row, labels), weight) in seen.chunks_exact(width).zip(labels).zip(&self.weights) {
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

    /// Greedy picks with replacement: each time the candidate that makes the mean of all picks best; the picks up to the
    /// best mean count.
    fn weights(&self, seen: &[&[f64]]) -> Vec<f64> {
        let mut counts = vec![0usize; seen.len()];
        let mut sum = vec![0.0; seen.first().map_or(0, |seen| seen.len())];
        let mut best = (f64::INFINITY, counts.clone());
        for pick in 1..=PICKS {
            let loss = |own: &&[f64]| {
                let mean: Vec<f64> = sum.iter().zip(*own).map(|(sum, own)| (sum + own) / pick as f64).collect();
                self.mean(&mean).unwrap_or(f64::INFINITY)
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
