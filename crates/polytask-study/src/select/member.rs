//! A model of a set of groups, and what became of it.

use super::halves::Worth;
use super::worth::{Set, members};
use crate::Error;
use polytask_graph::{Graph, LossId};
use polytask_model::tasks::Task;
use polytask_train::Prepared;
use polytask_train::{Group, Trained};
use serde::{Deserialize, Serialize};

/// A model to train.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member {
    /// Tasks that the model is for.
    pub served: Set,
    /// Tasks that it learns for their help alone.
    pub helpers: Set,
}

impl Member {
    /// A model for these tasks and no others.
    pub fn of(served: Set) -> Self {
        Member { served, helpers: 0 }
    }

    /// All that it learns, in the order of the config.
    pub fn tasks(self) -> Vec<usize> {
        members(self.served | self.helpers).collect()
    }

    /// All that it learns.
    pub fn all(self) -> Set {
        self.served | self.helpers
    }

    /// The same as places.
    pub fn group(self) -> Group {
        Group { served: members(self.served).collect(), helpers: members(self.helpers).collect() }
    }
}

/// What a trained group scored and took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// By task of the group: its loss on validation rows that did not choose the state it is measured at; none without
    /// labels there.
    pub losses: Vec<Option<f64>>,
    /// By task of the group: the metric that stands for it, likewise.
    pub valid: Vec<Option<f64>>,
    /// The same on the test rows, at the state that all validation rows chose.
    pub scores: Vec<Option<f64>>,
    /// Of training.
    pub seconds: f64,
    /// Trained scalars that the tasks it serves depend on.
    pub parameters: usize,
    /// Multiply-adds that predict a row for the tasks it serves.
    pub multiply_adds: usize,
}

impl Outcome {
    /// Of a trained group, and what `halves` of the validation rows say it is worth; where there are none, all of them at
    /// the state that was kept.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn of(
        trained: &Trained,
        halves: Option<Vec<Worth>>,
        prepared: &Prepared,
        member: Member,
    ) -> Result<Self, Error> {
        let Trained { model, fitted, .. } = trained;
        let which = member.tasks();
        let kept = fitted.history.iter().find(|round| Some(round.epoch) == fitted.best_epoch);
        let loss = |task: &Task| kept.and_then(|round| round.valid.get(&task.name).copied());
        let scores = |rows: &[u32]| {
            if rows.is_empty() {
                return Ok(vec![None; which.len()]);
            }
            let scores = model.score(&prepared.data, &which, rows)?;
            let primary = |task: &Task| scores.tasks[&task.name].metrics.value(task.outcome().primary().0);
            Ok::<_, Error>(model.tasks.iter().map(primary).collect())
        };
        // What helps alone is not there any more when the model predicts.
        let places = members(member.served).filter_map(|task| which.iter().position(|t| *t == task));
        let served = places.map(LossId).collect::<Vec<_>>();
        let predicts = model.network().map(|network| network.graph.only(&served));
        let (losses, valid) = match halves {
            Some(worth) => worth.iter().map(|worth| (worth.loss, worth.metric)).unzip(),
            None => (model.tasks.iter().map(loss).collect(), scores(&prepared.split.valid)?),
        };
        Ok(Outcome {
            losses,
            valid,
            scores: scores(&prepared.split.test)?,
            seconds: fitted.seconds,
            parameters: predicts.as_ref().map_or(model.body.parameter_count(), Graph::parameter_count),
            multiply_adds: predicts.as_ref().map_or(0, Graph::multiply_adds),
        })
    }
}
