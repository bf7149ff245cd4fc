//! One trial: a config, trained and looked at on the validation rows.

use super::skill::{TaskSkill, overall, skills};
use crate::Error;
use indexmap::IndexMap;
use polytask_model::config::Config;
use polytask_model::model::Model;
use polytask_train::train::{Callback, Checkpoint, CheckpointError, Job, StopReason};
use polytask_train::{Own, Plan, Prepared};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// What came of a trial: a line of `trials.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// From 1; 0 is the config as it stands.
    pub trial: usize,
    /// The optimiser step it was trained to, unless it stopped getting better before.
    pub steps: u64,
    /// What each key was set to; empty of the config as it stands.
    pub values: IndexMap<String, serde_json::Value>,
    /// The mean of the tasks' skills, weighted as `train.criterion` has it; higher is better. None where the settings
    /// cannot be trained.
    pub score: Option<f64>,
    /// By task.
    pub tasks: IndexMap<String, TaskSkill>,
    /// Seconds of training.
    pub seconds: f64,
    /// Why the settings cannot be trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What became of the training of a trial.
pub(super) struct Trained {
    pub model: Model,
    pub skills: IndexMap<String, TaskSkill>,
    pub score: Option<f64>,
    pub seconds: f64,
}

/// Trains a config until a step, and goes on from a checkpoint where there is one; none where someone has asked for the
/// end. With a `checkpoint` the state is kept there.
pub(super) fn train(
    config: &Config,
    prepared: &Prepared,
    until: u64,
    checkpoint: Option<&Path>,
    stop: &AtomicBool,
) -> Result<Option<Trained>, Error> {
    let mut config = config.clone();
    config.loss.watch = false;
    let labels: Vec<usize> = (0..prepared.tasks.len()).collect();
    let mut until = Until { step: 0, until, checkpoint, stop };
    let planned = Plan::new(&config, prepared, &labels, &Own::default(), &mut Stopping(stop))?;
    let Some(mut plan) = planned else { return Ok(None) };
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    // One that is missing, damaged or of later is made again.
    let load = |job: Job<'_>| checkpoint.and_then(|path| Checkpoint::load(path, &job).ok());
    let resume = plan.job(prepared).and_then(load).filter(|kept| kept.steps() <= until.until);
    until.step = resume.as_ref().map_or(0, Checkpoint::steps);
    if let Plan::Table(table) = &mut plan {
        // Trees and ensembles are fitted whole; rows that judge settings choose nothing in an ensemble.
        until.until = u64::MAX;
        table.keep_validation();
    }
    let fitted = plan.fit(prepared, None, resume, &mut until)?;
    if let StopReason::Diverged(by) = fitted.stop_reason {
        return Err(polytask_train::Error::Diverged { by, kept: String::new() }.into());
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let model = plan.model(prepared, fitted.body);
    let scores = model.score(&prepared.data, &labels, &prepared.split.valid)?;
    let skills = skills(&model.tasks, &scores);
    let score = overall(&config.train.criterion, &skills);
    Ok(Some(Trained { model, skills, score, seconds: fitted.seconds }))
}

/// Ends a search when someone has asked for it.
struct Stopping<'a>(&'a AtomicBool);

impl Callback for Stopping<'_> {
    fn stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Ends a run at a step, or when someone has asked for it.
struct Until<'a> {
    step: u64,
    until: u64,
    checkpoint: Option<&'a Path>,
    stop: &'a AtomicBool,
}

impl Callback for Until<'_> {
    fn step(&mut self, step: u64, _of: u64) {
        self.step = step;
    }

    fn stop(&self) -> bool {
        self.step >= self.until || self.stop.load(Ordering::Relaxed)
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        // Where it is missing the trial is trained from the beginning later.
        drop(self.checkpoint.map(|path| checkpoint.save(path)));
        Ok(())
    }
}
