//! A model that predicts again and again: planned once, its working memory kept.

use super::Model;
use crate::Error;
use crate::dataset::Dataset;
use crate::tasks::{Kind, Layout, Prediction, Task};
use polytask_cpu::Runner;
use std::sync::Arc;

/// A model at work. Predictions are those of [`Model::predict`], to the bit, whatever rows are run together.
pub struct Predictor {
    model: Arc<Model>,
    runner: Runner,
}

impl Predictor {
    /// Plans for batches of `rows` rows; more are run in several.
    pub fn new(model: Arc<Model>, rows: usize) -> Self {
        let runner = model.runner(rows);
        Predictor { model, runner }
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Predictions of every task for each of several sets of inputs, as [`Model::read`] gives them. They are run as one
    /// batch; where predicates and heads must be found first, each set is one.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn predict(&mut self, sets: Vec<Dataset>) -> Result<Vec<Vec<Prediction>>, Error> {
        let mut predictions = Vec::with_capacity(sets.len());
        if self.model.tasks.iter().any(has_structure) {
            for data in sets {
                let rows: Vec<u32> = (0..data.rows() as u32).collect();
                predictions.push(self.model.predict_rows(&mut self.runner, &data, &rows)?);
            }
            return Ok(predictions);
        }
        let mut sets = sets.into_iter().peekable();
        while let Some(mut batch) = sets.next() {
            let mut layouts = vec![self.layouts(&batch)];
            while let Some(next) = sets.next_if(|next| batch.features.goes_with(&next.features)) {
                layouts.push(self.layouts(&next));
                batch.features.append(next.features);
            }
            let rows: Vec<u32> = (0..batch.rows() as u32).collect();
            let outputs = self.model.run(&mut self.runner, &batch.structure, &batch, &rows)?;
            let count = |task: usize| layouts.iter().filter_map(|layouts| layouts.get(task)).map(Layout::count).sum();
            let width = |(task, raw): (usize, &Vec<f32>)| raw.len() / usize::max(count(task), 1);
            let widths: Vec<usize> = outputs.iter().enumerate().map(width).collect();
            let mut done = vec![0; outputs.len()];
            for layouts in &layouts {
                let tasks = self.model.tasks.iter().zip(layouts).zip(outputs.iter().zip(&mut done).zip(&widths));
                let own = tasks.map(|((task, layout), ((raw, done), width))| {
                    let start = *done;
                    *done += layout.count() * width;
                    task.predict_in(&raw[start..*done], layout)
                });
                predictions.push(own.collect());
            }
        }
        Ok(predictions)
    }

    /// Where each task's outputs stand.
    fn layouts(&self, data: &Dataset) -> Vec<Layout> {
        let rows: Vec<u32> = (0..data.rows() as u32).collect();
        self.model.tasks.iter().map(|task| data.layout(task, &rows)).collect()
    }
}

/// Whether a task is about predicates or heads.
fn has_structure(task: &Task) -> bool {
    task.is_of_predicates() || matches!(task.kind, Kind::Predicates(_) | Kind::Arcs(_))
}
