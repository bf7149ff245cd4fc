//! The joint run that is looked at: how often, and what came of it.

use super::ahead::{LookAhead, Measurement, Rows, interval};
use super::error::SelectError;
use super::matrix::Matrix;
use crate::Error;
use polytask_exec::Parameters;
use polytask_graph::{Graph, Op, ops};
use polytask_model::config::Config;
use polytask_model::{files, model};
use polytask_train::fit;
use polytask_train::train::{BeforeStep, Budget, Callback, Checkpoint, CheckpointError, Job, Round, StopReason};
use polytask_train::{Build, Own, Prepared};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

/// What a joint run showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// Every look, in the order of the steps.
    pub looks: Vec<Measurement>,
    /// Steps between two looks.
    pub every: u64,
    /// Every round of the run, with the losses.
    pub history: Vec<Round>,
    /// Of the whole.
    pub seconds: f64,
    /// Of the looks.
    pub looking: f64,
    /// The round whose state validation chose.
    pub best_epoch: Option<u64>,
    /// That state.
    pub parameters: Parameters,
}

impl Measured {
    /// How much longer the run took than it would have without looks, as a factor.
    pub fn cost(&self) -> f64 {
        self.seconds / (self.seconds - self.looking).max(f64::MIN_POSITIVE)
    }

    /// The looks up to the state that validation chose: later steps are not in the model that is kept. All of them where
    /// these are few.
    pub fn counted(&self) -> &[Measurement] {
        let best = self.history.iter().find(|round| Some(round.epoch) == self.best_epoch).map(|round| round.step);
        let upto = best.map_or(self.looks.len(), |step| self.looks.partition_point(|look| look.step < step));
        &self.looks[..upto.max(FEW.min(self.looks.len()))]
    }
}

/// Looks that a mean needs to be worth something.
pub const FEW: usize = 16;

/// Where the looks of an unfinished run are kept, beside its checkpoint.
const LOOKS: &str = "looks.json";

/// Trains all tasks jointly and looks ahead now and then. `folder` holds a checkpoint and the looks so far; with `resume`
/// the run goes on from there. None where `callback` ended the run.
///
/// # Errors
/// Whatever keeps the joint model from being trained.
pub fn measure(
    config: &Config,
    prepared: &Prepared,
    rows: Rows,
    share: f64,
    folder: &Path,
    resume: bool,
    callback: &mut dyn Callback,
) -> Result<Option<Measured>, Error> {
    let mut config = config.clone();
    config.loss.watch = false;
    let labels: Vec<usize> = (0..prepared.tasks.len()).collect();
    config.model.init = None;
    let mut build = Build::settled(config.clone(), prepared, &labels, &Own::default())?;
    let graph = &build.graph;
    if graph.shared_parameter_count() == 0 {
        return Err(SelectError::NothingShared(config.model.sharing.name()).into());
    }
    silence(graph, &mut build.start);
    let budget = Budget { patience: 0, ..Budget::of(&config.train, prepared.split.train.len()) };
    let job = Job { budget, linear: None, ..build.job(prepared) };
    let checkpoint = folder.join(model::CHECKPOINT);
    let from = match resume && checkpoint.exists() {
        true => Some(Checkpoint::load(&checkpoint, &job).map_err(polytask_train::train::TrainError::from)?),
        false => None,
    };
    let batch = config.train.batch.rows(prepared.split.train.len());
    let mut looking = Looking {
        ahead: LookAhead::new(&prepared.device, graph, &config.train, batch, rows)?,
        every: interval(graph, batch, rows, share),
        batch,
        kept: Kept::default(),
        folder,
        callback,
    };
    if let Some(from) = &from {
        looking.kept = Kept::load(folder)?;
        // Looks at steps after the checkpoint come again.
        looking.kept.looks.retain(|look| look.step < from.steps());
    }
    let fitted = fit(&job, &build.start, from, &mut looking)?;
    let Looking { every, kept, .. } = looking;
    let looks = kept.looks.into_iter().map(Flat::back).collect();
    match fitted.stop_reason {
        StopReason::Diverged(by) => {
            let kept = " of the joint run that affinities are measured on; nothing was selected".to_owned();
            Err(polytask_train::Error::Diverged { by, kept }.into())
        }
        StopReason::Stopped => Ok(None),
        StopReason::Complete | StopReason::EarlyStopping | StopReason::TimeOver => Ok(Some(Measured {
            looks,
            every,
            history: fitted.history,
            seconds: fitted.seconds,
            looking: kept.seconds,
            best_epoch: fitted.best_epoch,
            parameters: fitted.body.network().map_or_else(|| Parameters::zeros(&build.graph), |n| n.parameters.clone()),
        })),
    }
}

/// Sets the weights of every prediction to 0. Drawn at random, the heads of two tasks that are the same would lead their
/// gradients to different features of the trunk for as long as the heads remember it; from 0 they grow towards what
/// their labels have in common, so that the gradients tell who goes with whom from the first steps on.
fn silence(graph: &Graph, parameters: &mut Parameters) {
    for loss in graph.losses() {
        if let Op::Dense(ops::Dense { weight, .. }) = graph.node(loss.prediction).op {
            parameters.of_mut(weight).fill(0.0);
        }
    }
}

/// Looks ahead, and lets someone else look on.
struct Looking<'a> {
    ahead: LookAhead,
    every: u64,
    /// Rows of a full batch.
    batch: usize,
    kept: Kept,
    folder: &'a Path,
    callback: &'a mut dyn Callback,
}

impl Callback for Looking<'_> {
    fn before_step(&mut self, at: &BeforeStep<'_>) {
        // What is left for the last batch of an epoch may be a few rows: Adam, used to steps of a full batch, makes a far
        // larger one of them, whose effect would be most of the noise. The look waits for the next full batch.
        let due = self.kept.looks.last().is_none_or(|last| at.step >= last.step + self.every);
        if due && at.feed.rows.len() == self.batch {
            let began = Instant::now();
            self.kept.looks.push(Flat::of(&self.ahead.measure(at)));
            self.kept.seconds += began.elapsed().as_secs_f64();
        }
    }

    fn step(&mut self, step: u64, of: u64) {
        self.callback.step(step, of);
    }

    fn round(&mut self, round: &Round) {
        self.callback.round(round);
    }

    fn stop(&self) -> bool {
        self.callback.stop()
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        // The looks first: those after the checkpoint are told by their step.
        let kept = self.kept.save(self.folder);
        // What is measured is worth more than the way back to it.
        if let Err(error) = kept.and_then(|()| checkpoint.save(&self.folder.join(model::CHECKPOINT))) {
            self.callback.unkept(&error);
        }
        Ok(())
    }
}

/// The looks so far, as they are written down.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    looks: Vec<Flat>,
    seconds: f64,
}

impl Kept {
    fn save(&self, folder: &Path) -> Result<(), CheckpointError> {
        files::make_folder(folder)?;
        Ok(files::write(&folder.join(LOOKS), &serde_json::to_vec(self)?)?)
    }

    fn load(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(LOOKS);
        let damaged =
            |reason: serde_json::Error| CheckpointError::Damaged { path: path.clone(), reason: reason.to_string() };
        let kept = serde_json::from_str(&files::read_text(&path)?).map_err(damaged);
        Ok(kept.map_err(polytask_train::train::TrainError::from)?)
    }
}

/// A look as JSON has it: no NaN, so what was not measured is null.
#[derive(Serialize, Deserialize)]
struct Flat {
    step: u64,
    weights: Vec<f64>,
    losses: Vec<Option<f64>>,
    after: Vec<Option<f64>>,
    gradients: Vec<Option<f64>>,
}

impl Flat {
    fn of(look: &Measurement) -> Self {
        let known = |v: f64| v.is_finite().then_some(v);
        let n = look.losses.len();
        let flat = |m: &Matrix| (0..n * n).map(|i| known(m.at(i / n, i % n))).collect();
        Flat {
            step: look.step,
            weights: look.weights.clone(),
            losses: look.losses.iter().map(|v| known(*v)).collect(),
            after: flat(&look.after),
            gradients: flat(&look.gradients),
        }
    }

    fn back(self) -> Measurement {
        let n = self.losses.len();
        let matrix = |flat: Vec<Option<f64>>| {
            Matrix::from_fn(n, |(i, j)| flat.get(i * n + j).copied().flatten().unwrap_or(f64::NAN))
        };
        Measurement {
            step: self.step,
            weights: self.weights,
            losses: self.losses.into_iter().map(|v| v.unwrap_or(f64::NAN)).collect(),
            after: matrix(self.after),
            gradients: matrix(self.gradients),
        }
    }
}
