//! One model of a comparison: trained for some of the tasks, measured on the test rows.

use super::contrast::Outcomes;
use crate::config::{Config, Criterion, LossConfig};
use crate::error::Error;
use crate::linear::Solved;
use crate::metric::Metrics;
use crate::model::{self, Model};
use crate::prepare::Prepared;
use crate::search;
use crate::share::{self, Design, Nothing, Sharing};
use crate::task::{Prediction, Task};
use crate::train::{Budget, Ending, Job, Watch, fit};
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

/// Ends a run when someone has asked for it.
struct Until<'a>(&'a AtomicBool);

impl Watch for Until<'_> {
    fn stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
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
        let which = self.tasks.as_slice();
        let tasks: Vec<Task> = which.iter().map(|&t| prepared.tasks[t].clone()).collect();
        let mut config = self.config(config, prepared)?;
        config.train.seed = seed;
        config.loss.watch = false;
        let whole = which.len() == prepared.tasks.len();
        let weighs = |row: &u32| which.iter().any(|&task| prepared.data.labels[task].weighs(*row as usize));
        let labelled = |rows: &[u32]| match whole {
            true => rows.to_vec(),
            false => rows.iter().copied().filter(weighs).collect(),
        };
        let (train, valid) = (labelled(&prepared.split.train), labelled(&prepared.split.valid));
        if let Some(settled) = search::settle(&config, prepared, which, &mut Until(stop))? {
            config = settled;
        }
        let graph = share::build(&Design::new(&config, &prepared.encoder, &tasks))?;
        // A file of weights is for the whole model; each side starts from its own draw.
        let start = model::start(&graph, &prepared.encoder, &tasks, seed, None)?;
        let job = Job {
            graph: &graph,
            tasks: &tasks,
            labels: which,
            data: &prepared.data,
            train: &train,
            valid: &valid,
            loss: &config.loss,
            config: &config.train,
            budget,
            linear: config.model.sharing.linear(),
        };
        let fitted = fit(&job, &start, None, &mut Until(stop))?;
        if let Ending::Broken(by) = fitted.ending {
            let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
            let of = match which.len() {
                1 if !whole => format!("the single-task model of `{}`", names[0]),
                _ if whole => "the joint model".to_owned(),
                _ => format!("the model of {}", names.join(", ")),
            };
            let kept = format!(", in {of} with seed {seed}; nothing was compared");
            return Err(Error::Broken { by, kept });
        }
        let encoder = prepared.encoder.clone();
        let model = Model { graph, encoder, tasks, missing: prepared.missing.clone(), parameters: fitted.parameters };
        let test = &prepared.split.test;
        let predictions = model.predict_judged(&prepared.data, test)?;
        let scores = model.score(&prepared.data, which, test)?.tasks.into_values();
        let scores = scores.map(|score| (score.metrics, score.baseline)).collect();
        Ok(Trained { model, scores, predictions, seconds: fitted.seconds, solved: fitted.solved })
    }

    /// The config for these tasks.
    fn config(&self, config: &Config, prepared: &Prepared) -> Result<Config, Error> {
        let names: Vec<&str> = self.tasks.iter().map(|&t| prepared.tasks[t].name.as_str()).collect();
        let mut config = match self.tasks.len() == prepared.tasks.len() {
            true => config.clone(),
            false => config.for_tasks(&names)?,
        };
        let (l2, l2_biases) = (config.loss.l2, config.loss.l2_biases);
        let plain = LossConfig { l2, l2_biases, ..Default::default() };
        if names.len() == 1 && prepared.tasks.len() > 1 {
            config.model.sharing = match config.model.sharing.linear() {
                Some(linear) => Sharing::Linear(linear.alone()),
                None => Sharing::None(Nothing {}),
            };
            // There is nothing to balance.
            config.loss = plain.clone();
            config.train.criterion = Criterion::Mean;
        }
        if let Some(favoured) = self.favour {
            config.loss = plain;
            let weights = [(prepared.tasks[favoured].name.clone(), FAVOUR.into())];
            config.loss.balance.method = "fixed".to_owned();
            config.loss.balance.options =
                [("weights".to_owned(), serde_json::Value::Object(weights.into_iter().collect()))]
                    .into_iter()
                    .collect();
        }
        Ok(config)
    }
}
