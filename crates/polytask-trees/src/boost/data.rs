//! Rows, binned once, and what is summed over them in an order that no number of threads changes.

use rayon::prelude::*;

use crate::binning::{self, Bins, Matrix};
use crate::{Features, Growing, Monotone, Task, TreesError};

/// Rows that are summed by one job; sums of blocks are added in the order of blocks.
pub(crate) const BLOCK: usize = 2048;

/// Some rows of the tables, in bins.
pub(crate) struct Part {
    /// Rows of the features and labels.
    pub(crate) rows: Vec<usize>,
    pub(crate) matrix: Matrix,
}

/// All that trees are fitted on.
pub(crate) struct Data<'a> {
    pub(crate) features: &'a Features,
    pub(crate) tasks: &'a [Task],
    pub(crate) bins: Vec<Bins>,
    /// Features that can be split.
    pub(crate) usable: Vec<usize>,
    pub(crate) train: Part,
    pub(crate) validation: Part,
}

impl<'a> Data<'a> {
    pub(crate) fn new(
        features: &'a Features,
        tasks: &'a [Task],
        train: &[usize],
        validation: &[usize],
        most: usize,
    ) -> Result<Self, TreesError> {
        for (index, task) in tasks.iter().enumerate() {
            task.check(index, features.rows())?;
        }
        if tasks.is_empty() {
            return Err(TreesError::Value("there is no task to fit".into()));
        }
        if tasks.iter().map(|task| task.objective.width()).sum::<usize>() > 1 << 22 {
            return Err(TreesError::Value("the tasks have more outputs than trees can have".into()));
        }
        if train.is_empty() {
            return Err(TreesError::Value("there is no row to train on".into()));
        }
        if let Some(row) = train.iter().chain(validation).find(|&&row| row >= features.rows()) {
            return Err(TreesError::Value(format!("row {row} does not exist: there are {}", features.rows())));
        }
        let bins = binning::fit(features, train, most);
        let part = |rows: &[usize]| {
            Ok::<_, TreesError>(Part { rows: rows.to_vec(), matrix: Matrix::new(features, &bins, rows)? })
        };
        let (train, validation) = (part(train)?, part(validation)?);
        let varied = |feature: &usize| {
            let column = train.matrix.column(*feature);
            column.iter().any(|bin| *bin != column[0])
        };
        let usable = (0..bins.len()).into_par_iter().filter(varied).collect();
        Ok(Self { features, tasks, bins, usable, train, validation })
    }

    /// For every feature the signs of all tasks' outputs; empty if nothing is monotone.
    pub(crate) fn signs(&self, growing: &Growing) -> Result<Vec<Option<Vec<Vec<i8>>>>, TreesError> {
        if growing.monotone.is_empty() {
            return Ok(Vec::new());
        }
        let free: Vec<Vec<i8>> = self.tasks.iter().map(|task| vec![0; task.objective.width()]).collect();
        let mut signs = vec![None; self.bins.len()];
        for &Monotone { feature, task, increasing } in &growing.monotone {
            match self.bins.get(feature) {
                Some(Bins::Numbers { .. }) => {}
                Some(Bins::Categories { .. }) => {
                    return Err(TreesError::Option(format!("feature {feature} cannot be monotone: it has categories")));
                }
                None => return Err(TreesError::Option(format!("feature {feature} cannot be monotone: there is none"))),
            }
            if task.is_some_and(|task| task >= self.tasks.len()) {
                return Err(TreesError::Option(format!("feature {feature} is monotone in a task that there is not")));
            }
            let signs = signs[feature].get_or_insert_with(|| free.clone());
            for (index, signs) in signs.iter_mut().enumerate() {
                if task.is_none_or(|task| task == index) {
                    signs.fill(if increasing { 1 } else { -1 });
                }
            }
        }
        Ok(signs)
    }
}

/// Mean loss of a task over some rows, given its scores; `None` where no row counts.
pub(crate) fn mean_loss(task: &Task, rows: &[usize], scores: &[f64], outputs: usize, first: usize) -> Option<f64> {
    let width = task.objective.width();
    let blocks: Vec<(f64, f64)> = rows
        .par_chunks(BLOCK)
        .zip(scores.par_chunks(BLOCK * outputs))
        .map(|(rows, scores)| {
            let (mut sum, mut total) = (0.0, 0.0);
            for (&row, scores) in rows.iter().zip(scores.chunks_exact(outputs)) {
                if task.counts(row) {
                    let weight = f64::from(task.row_weight(row));
                    sum += weight * task.objective.loss(task.row_labels(row), &scores[first..first + width]);
                    total += weight;
                }
            }
            (sum, total)
        })
        .collect();
    let (sum, total) = blocks.into_iter().fold((0.0, 0.0), |all, block| (all.0 + block.0, all.1 + block.1));
    (total > 0.0).then(|| sum / total)
}
