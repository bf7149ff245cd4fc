//! One model of a comparison: trained for some of the tasks, measured on the test rows.

use super::contrast::Outcomes;
use crate::Error;
use polytask_model::config::{Config, LossConfig};
use polytask_model::metric::Metrics;
use polytask_model::model::Model;
use polytask_model::tasks::Prediction;
use polytask_train::Group;
use polytask_train::Prepared;
use polytask_train::linear::Solved;
use polytask_train::train::{Budget, Callback};
use std::sync::atomic::{AtomicBool, Ordering};

/// Which tasks a model is trained for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Places among the prepared tasks, ascending.
    pub tasks: Vec<usize>,
    /// The task whose loss weighs [`FAVOUR`] times those of the others; none balances as the config says.
    pub favour: Option<usize>,
}

/// What the loss of a favoured task weighs.
pub const FAVOUR: f64 = 4.0;

/// A trained model with what it came to on the test rows.
pub struct Trained {
    /// Its tasks are those of the side, in that order.
    pub model: Model,
    /// By task, its own and those of the best constant.
    pub scores: Vec<(Metrics, Metrics)>,
    /// Of the test rows, by task.
    pub predictions: Vec<Prediction>,
    /// Seconds of training.
    pub seconds: f64,
    /// What the strength of a linear model's penalty came to.
    pub solved: Option<Solved>,
}

impl Trained {
    /// What a task, by its place in the side, came to.
    pub fn outcome(&self, place: usize) -> Outcomes<'_> {
        Outcomes { metrics: &self.scores[place].0, prediction: &self.predictions[place] }
    }
}

impl Side {
    /// Some tasks together.
    pub fn of(mut tasks: Vec<usize>) -> Self {
        tasks.sort_unstable();
        tasks.dedup();
        Side { tasks, favour: None }
    }

    /// Trains the config's model for these tasks and measures it on the test rows.
    ///
    /// One of several tasks on its own is trained without sharing, on the rows that have its label, so that no step of it
    /// is wasted; some of the tasks on the rows that have a label of one of them. The budget's steps are made whatever the
    /// number of rows; the best state is kept by the validation rows. `stop` ends training early, with a model that is not
    /// to be used.
    ///
    /// # Errors
    /// Whatever keeps the model from being trained.
    pub fn train(
        &self,
        config: &Config,
        prepared: &Prepared,
        budget: Budget,
        seed: u64,
        stop: &AtomicBool,
    ) -> Result<Trained, Error> {
        let mut config = match self.favour {
            Some(favoured) => favouring(config, &prepared.tasks[favoured].name),
            None => config.clone(),
        };
        config.train.seed = seed;
        config.loss.watch = false;
        let trained = Group::of(self.tasks.clone()).train(&config, prepared, budget, &mut Until(stop), &|_| Ok(None));
        let polytask_train::Trained { model, fitted, .. } = trained.map_err(|error| match error {
            polytask_train::Error::Diverged { by, kept } => {
                polytask_train::Error::Diverged { by, kept: format!("{kept}; nothing was compared") }
            }
            other => other,
        })?;
        let test = &prepared.split.test;
        let predictions = model.predict_judged(&prepared.data, test)?;
        let scores = model.score(&prepared.data, &self.tasks, test)?.tasks.into_values();
        let scores = scores.map(|score| (score.metrics, score.baseline)).collect();
        Ok(Trained { model, scores, predictions, seconds: fitted.seconds, solved: fitted.solved })
    }
}

/// Ends a run when someone has asked for it.
struct Until<'a>(&'a AtomicBool);

impl Callback for Until<'_> {
    fn stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The config with equal weights but for one task.
fn favouring(config: &Config, task: &str) -> Config {
    let (l2, l2_biases) = (config.loss.l2, config.loss.l2_biases);
    let mut config = Config { loss: LossConfig { l2, l2_biases, ..Default::default() }, ..config.clone() };
    let weights = serde_json::json!({ task: FAVOUR });
    config.loss.balance.method = "fixed".to_owned();
    config.loss.balance.options = [("weights".to_owned(), weights)].into_iter().collect();
    config
}
