//! A model that predicts again and again: planned once, its working memory kept.

use super::{Engine, Model};
use crate::Error;
use crate::dataset::Dataset;
use crate::tasks::{Kind, Layout, Prediction, Task};
use polytask_exec::{Outputs, TaskOutput};
use std::ops::Range;
use std::sync::Arc;

/// A model at work. Predictions are those of [`Model::predict`], to the bit, whatever rows are run together.
pub struct Predictor {
    model: Arc<Model>,
    engine: Engine,
}

impl Predictor {
    /// Plans for batches of `rows` rows; more are run in several.
    ///
    /// # Errors
    /// The model's device cannot run it.
    pub fn new(model: Arc<Model>, rows: usize) -> Result<Self, Error> {
        let engine = model.engine(rows)?;
        Ok(Predictor { model, engine })
    }

    /// The model.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Outputs of every task for some rows of a data set.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn outputs(&mut self, data: &Dataset, rows: &[u32]) -> Result<Outputs, Error> {
        self.model.run(&mut self.engine, &data.structure, data, rows)
    }

    /// Predictions of every task for each of several sets of inputs, as [`Model::read`] gives them. They are run as one
    /// batch; where predicates and heads must be found first, each set is one. Now and then `wanted` is asked whether anyone
    /// still waits for them; none where nobody does.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn predict(
        &mut self,
        sets: Vec<Dataset>,
        wanted: &dyn Fn() -> bool,
    ) -> Result<Option<Vec<Vec<Prediction>>>, Error> {
        let mut predictions = Vec::with_capacity(sets.len());
        if self.model.tasks.iter().any(has_structure) {
            for data in sets {
                if !wanted() {
                    return Ok(None);
                }
                let rows: Vec<u32> = (0..data.rows() as u32).collect();
                predictions.push(self.model.predict_rows(&mut self.engine, &data, &rows)?);
            }
            return Ok(Some(predictions));
        }
        let mut sets = sets.into_iter().peekable();
        while let Some(mut batch) = sets.next() {
            let mut own: Vec<Range<usize>> = std::iter::once(0..batch.rows()).collect();
            while let Some(next) = sets.next_if(|next| batch.features.goes_with(&next.features)) {
                let start = batch.rows();
                batch.features.append(next.features);
                own.push(start..batch.rows());
            }
            let rows: Vec<u32> = (0..batch.rows() as u32).collect();
            let mut outputs = Outputs::default();
            for rows in rows.chunks(PASS) {
                if !wanted() {
                    return Ok(None);
                }
                outputs.append(self.model.run(&mut self.engine, &batch.structure, &batch, rows)?);
            }
            for rows in own {
                let outputs = outputs.select(rows.clone());
                let of = |(task, output): (&Task, &TaskOutput)| task.predict(output, &Layout::of_rows(rows.len()));
                predictions.push(self.model.tasks.iter().zip(&outputs.tasks).map(of).collect());
            }
        }
        Ok(Some(predictions))
    }
}

/// Rows that are run before it is asked again whether they are wanted.
const PASS: usize = 256;

/// Whether a task is about predicates or heads.
fn has_structure(task: &Task) -> bool {
    task.is_of_predicates() || matches!(task.kind, Kind::Predicates(_) | Kind::Arcs(_))
}
