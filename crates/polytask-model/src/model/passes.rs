//! Prediction in one pass, or in two where some tasks read what others find: the first finds predicates and heads, the
//! second the senses and arguments of these predicates and the relations to these heads.

use super::{Engine, Model, Score, Scores};
use crate::Error;
use crate::dataset::Dataset;
use crate::device::MEMORY;
use crate::metric::Metric;
use crate::structure::Structure;
use crate::tasks::{Kind, Prediction, Task, Truth};
use polytask_exec::TaskOutput;

impl Model {
    /// Whether a task finds what others read.
    fn has_two_passes(&self) -> bool {
        let any = |of: fn(&Task) -> bool| self.tasks.iter().any(of);
        any(|task| matches!(task.kind, Kind::Arcs(_))) || self.has_pipeline()
    }

    /// Whether senses or roles can be had of predicates that the model itself has found.
    fn has_pipeline(&self) -> bool {
        let any = |of: fn(&Task) -> bool| self.tasks.iter().any(of);
        any(Task::is_of_predicates) && any(|task| matches!(task.kind, Kind::Predicates(_)))
    }

    /// Predictions for some rows.
    pub(super) fn predict_rows(
        &self,
        engine: &mut Engine,
        data: &Dataset,
        rows: &[u32],
    ) -> Result<Vec<Prediction>, Error> {
        let given = &data.structure;
        let first = self.pass(engine, given, data, rows)?;
        match self.has_two_passes() {
            false => Ok(first),
            true => self.pass(engine, &given.predicted(&self.tasks, &first, rows, true), data, rows),
        }
    }

    /// The predictions that scores are of, for some rows: senses and roles of the labelled predicates, relations to the heads
    /// that were found.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn predict_judged(&self, data: &Dataset, rows: &[u32]) -> Result<Vec<Prediction>, Error> {
        let given = &data.structure;
        let engine = &mut self.engine(rows.len())?;
        let mut first = self.pass(engine, given, data, rows)?;
        if self.has_two_passes() {
            let second = self.pass(engine, &given.predicted(&self.tasks, &first, rows, false), data, rows)?;
            for ((task, first), second) in self.tasks.iter().zip(&mut first).zip(second) {
                if matches!(task.kind, Kind::Arcs(_)) {
                    *first = second;
                }
            }
        }
        Ok(first)
    }

    /// Metrics for some rows, whose labels are `truths`, by task. Senses and roles are of the labelled predicates; what
    /// becomes of them on the predicates that the model finds is in the metrics whose names begin with `found_`.
    pub(super) fn score_rows(&self, data: &Dataset, rows: &[u32], truths: Vec<Option<Truth>>) -> Result<Scores, Error> {
        let given = &data.structure;
        let engine = &mut self.engine(rows.len())?;
        let first = self.pass(engine, given, data, rows)?;
        let second = match self.has_two_passes() {
            false => None,
            true => Some(self.pass(engine, &given.predicted(&self.tasks, &first, rows, false), data, rows)?),
        };
        let of = |(i, truth): (usize, Option<Truth>)| {
            let (task, truth) = (&self.tasks[i], truth?);
            let found = second.as_ref().map(|second| &second[i]);
            let best = found.filter(|_| matches!(task.kind, Kind::Arcs(_))).unwrap_or(&first[i]);
            let mut metrics = task.outcome().score(&truth, best);
            if let Some(found) = found.filter(|_| task.is_of_predicates() && self.has_pipeline()) {
                for Metric { name, value, better } in task.outcome().score(&truth, found).scores {
                    let name = match name {
                        "f1" => "found_f1",
                        "precision" => "found_precision",
                        "recall" => "found_recall",
                        _ => continue,
                    };
                    metrics.push(name, better, Some(value));
                }
            }
            let baseline = task.baseline_in(&truth, &data.layout(task, rows));
            Some((task.name.clone(), Score { metrics, baseline }))
        };
        Ok(Scores { tasks: truths.into_iter().enumerate().filter_map(of).collect() })
    }

    fn pass(
        &self,
        engine: &mut Engine,
        structure: &Structure,
        data: &Dataset,
        rows: &[u32],
    ) -> Result<Vec<Prediction>, Error> {
        // So many rows at a time that outputs, which may be images, have room.
        let width: usize = self.tasks.iter().map(|task| task.outcome().width()).sum();
        let at_once = (MEMORY / size_of::<f32>() / width.max(1)).max(1);
        let mut predict = |rows: &[u32]| {
            let outputs = self.run(engine, structure, data, rows)?;
            let of =
                |(task, output): (&Task, &TaskOutput)| task.predict(output, &data.layout_in(structure, task, rows));
            Ok::<Vec<_>, Error>(self.tasks.iter().zip(&outputs.tasks).map(of).collect())
        };
        let sequences = self.network().is_some_and(|network| !network.graph.domains().is_empty());
        if sequences || rows.len() <= at_once {
            return predict(rows);
        }
        let (first, rest) = rows.split_at(at_once);
        let mut all = predict(first)?;
        for rows in rest.chunks(at_once) {
            all.iter_mut().zip(predict(rows)?).for_each(|(all, more)| all.append(more));
        }
        Ok(all)
    }
}
