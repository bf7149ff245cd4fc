//! One model of a comparison: trained for some of the tasks, measured on the test rows.

use super::contrast::Outcomes;
use crate::Error;
use polytask_model::config::{Candidates, Config, LossConfig};
use polytask_model::metric::Metrics;
use polytask_model::model::{Body, Model};
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
    /// The candidates of an ensemble.
    pub candidates: Vec<Tried>,
    /// What the strength of a linear model's penalty came to.
    pub solved: Option<Solved>,
}

/// A candidate of an ensemble, measured as a model of its own.
pub struct Tried {
    /// Its name, without whether it is joint.
    pub name: String,
    scores: Vec<Metrics>,
    predictions: Vec<Prediction>,
}

impl Trained {
    /// What a candidate came to on a task, by its place in the side; none where it was given up.
    pub fn tried(&self, name: &str, place: usize) -> Option<Outcomes<'_>> {
        let tried = self.candidates.iter().find(|tried| tried.name == name)?;
        Some(Outcomes { metrics: &tried.scores[place], prediction: &tried.predictions[place] })
    }

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
    /// An ensemble of several tasks has joint candidates alone. One of several tasks on its own is trained without sharing, on the rows that have its label, so that no step of it
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
        config.model.candidates = Candidates::Joint;
        let mut looking = Looking { stop, prepared, side: &self.tasks, candidates: Vec::new(), problem: None };
        let trained = Group::of(self.tasks.clone()).train(&config, prepared, budget, &mut looking, &|_| Ok(None));
        let polytask_train::Trained { model, fitted, .. } = trained.map_err(|error| match error {
            polytask_train::Error::Diverged { by, kept } => {
                polytask_train::Error::Diverged { by, kept: format!("{kept}; nothing was compared") }
            }
            other => other,
        })?;
        if let Some(problem) = looking.problem {
            return Err(problem);
        }
        let candidates = looking.candidates;
        let (scores, predictions) = measure(&model, prepared, &self.tasks)?;
        Ok(Trained { model, scores, predictions, seconds: fitted.seconds, candidates, solved: fitted.solved })
    }
}

/// A task's scores, and those of the best constant.
type Scored = (Metrics, Metrics);

/// What a model comes to on the test rows, by task.
fn measure(model: &Model, prepared: &Prepared, tasks: &[usize]) -> Result<(Vec<Scored>, Vec<Prediction>), Error> {
    let test = &prepared.split.test;
    let predictions = model.predict_judged(&prepared.data, test)?;
    let scores = model.score(&prepared.data, tasks, test)?.tasks.into_values();
    Ok((scores.map(|score| (score.metrics, score.baseline)).collect(), predictions))
}

/// Measures the candidates of an ensemble, and ends a run when someone has asked for it.
struct Looking<'a> {
    stop: &'a AtomicBool,
    prepared: &'a Prepared,
    side: &'a [usize],
    candidates: Vec<Tried>,
    problem: Option<Error>,
}

impl Looking<'_> {
    fn measure(&self, name: &str, body: &Body) -> Result<Tried, Error> {
        let tasks = self.side.iter().map(|&task| self.prepared.tasks[task].clone()).collect();
        let model = self.prepared.model(tasks, body.clone());
        let (scores, predictions) = measure(&model, self.prepared, self.side)?;
        let name = name.strip_suffix(", joint").unwrap_or(name).to_owned();
        Ok(Tried { name, scores: scores.into_iter().map(|(own, _)| own).collect(), predictions })
    }
}

impl Callback for Looking<'_> {
    fn stop(&self) -> bool {
        self.problem.is_some() || self.stop.load(Ordering::Relaxed)
    }

    fn candidate(&mut self, name: &str, body: &Body) {
        match self.measure(name, body) {
            Ok(tried) => self.candidates.push(tried),
            Err(error) => self.problem = Some(error),
        }
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
