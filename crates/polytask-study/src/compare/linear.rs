//! The first baseline: a linear model of all tasks.

use super::Side;
use crate::Error;
use polytask_model::config::{Config, Family};
use polytask_model::metric::Metrics;
use polytask_model::share::{Linear, Sharing, linear};
use polytask_train::Prepared;
use polytask_train::linear::Solved;
use polytask_train::train::{Budget, TrainError};
use serde::Serialize;
use std::sync::atomic::AtomicBool;

/// What became of the linear model.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum LinearBaseline {
    /// It was found.
    Found {
        /// Its weights and intercepts.
        parameters: usize,
        /// Seconds it took.
        seconds: f64,
        /// Penalty and strength.
        #[serde(flatten)]
        solved: Box<Solved>,
    },
    /// There is none.
    LeftOut {
        /// Why.
        left_out: String,
    },
}

/// Close enough for a score: a hundredth of what a model that is kept is asked for, at a fraction of the price.
const TOLERANCE: f64 = 1e-6;

/// A linear model with the default penalty, its strength chosen as the config chooses models, and its scores on the test
/// rows, by task. It draws nothing at random but the parts of cross-validation, so one seed does.
///
/// # Errors
/// Whatever keeps a model from being scored. What a linear model cannot take is no error: it is left out.
pub(super) fn baseline(
    config: &Config,
    prepared: &Prepared,
    budget: Budget,
    stop: &AtomicBool,
) -> Result<(LinearBaseline, Vec<Metrics>), Error> {
    let left_out = |reason: String| Ok((LinearBaseline::LeftOut { left_out: reason }, Vec::new()));
    if config.model.sharing.linear().is_some() {
        return left_out("the joint model is a linear one".to_owned());
    }
    if let Some(reason) = linear::unfit(&prepared.encoder) {
        return left_out(reason);
    }
    let mut config = config.clone();
    config.model.family = Family::Network;
    config.model.sharing = Sharing::Linear(Linear { tolerance: TOLERANCE, ..Linear::default() });
    let all = Side::of((0..prepared.tasks.len()).collect());
    let trained = match all.train(&config, prepared, budget, config.train.seed, stop) {
        Err(Error::Train(polytask_train::Error::Train(TrainError::Linear(problem)))) => {
            return left_out(problem.to_string());
        }
        trained => trained?,
    };
    let Some(solved) = trained.solved else { return left_out("it was not solved".to_owned()) };
    let scores = trained.scores.into_iter().map(|(metrics, _)| metrics).collect();
    let (parameters, seconds) = (trained.model.body.parameter_count(), trained.seconds);
    Ok((LinearBaseline::Found { parameters, seconds, solved: Box::new(solved) }, scores))
}
