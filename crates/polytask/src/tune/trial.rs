//! One trial: a config, trained and looked at on the validation rows.

use super::skill::{TaskSkill, overall, skills};
use crate::config::Config;
use crate::error::Error;
use crate::model::{self, Model};
use crate::prepare::Prepared;
use crate::search;
use crate::share::{self, Design};
use crate::train::{Checkpoint, CheckpointError, Ending, Watch, fit};
use indexmap::IndexMap;
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
    let mut watch = Until { step: 0, until, checkpoint, stop };
    if let Some(settled) = search::settle(&config, prepared, &labels, &mut Stopping(stop))? {
        config = settled;
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let graph = share::build(&Design::new(&config, &prepared.encoder, &prepared.tasks))?;
    let init = config.model.init.as_ref().map(|path| config.resolve(path)).transpose()?;
    let start = model::start(&graph, &prepared.encoder, &prepared.tasks, config.train.seed, init.as_deref())?;
    let job = prepared.job(&graph, &labels, &config);
    // One that is missing, damaged or of later is made again.
    let resume = checkpoint.and_then(|path| Checkpoint::load(path, &job).ok()).filter(|kept| kept.steps() <= until);
    watch.step = resume.as_ref().map_or(0, Checkpoint::steps);
    let fitted = fit(&job, &start, resume, &mut watch)?;
    if let Ending::Broken(by) = fitted.ending {
        return Err(Error::Broken { by, kept: String::new() });
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let (encoder, tasks) = (prepared.encoder.clone(), prepared.tasks.clone());
    let model = Model { graph, encoder, tasks, dialect: prepared.dialect.clone(), parameters: fitted.parameters };
    let scores = model.score(&prepared.data, &labels, &prepared.split.valid)?;
    let skills = skills(&model.tasks, &scores);
    let score = overall(&config.train.criterion, &skills);
    Ok(Some(Trained { model, skills, score, seconds: fitted.seconds }))
}

/// Ends a search when someone has asked for it.
struct Stopping<'a>(&'a AtomicBool);

impl Watch for Stopping<'_> {
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

impl Watch for Until<'_> {
    fn step(&mut self, step: u64, _of: u64) {
        self.step = step;
    }

    fn stop(&self) -> bool {
        self.step >= self.until || self.stop.load(Ordering::Relaxed)
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        self.checkpoint.map_or(Ok(()), |path| checkpoint.save(path))
    }
}
