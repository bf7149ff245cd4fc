//! Training: forward, backward, balance, step, until the budget is spent or nothing gets better.

mod ahead;
mod average;
mod bilevel;
mod checkpoint;
pub mod criterion;
mod divergence;
pub(crate) mod fingerprint;
mod fits;
mod history;
mod probe;
mod schedule;
mod solved;
mod step;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use divergence::Divergence;
pub(crate) use fits::FITS_OF;
pub use fits::Fits;
pub use history::{Gradients, Round};
pub use solved::{LinearProblem, Solved};

use crate::own::BuildBalancer;
use ahead::{Ahead, Order};
use average::Average;
use checkpoint::State;
use fingerprint::Fingerprint;
use history::Sums;
use indexmap::IndexMap;
use polytask_balance::{BalanceError, HeldOut};
use polytask_exec::{Batch, OptimizerState, Parameters, PortError, Session, Unsupported};
use polytask_graph::Graph;
use polytask_model::config::{LossConfig, TrainConfig};
use polytask_model::inputs::{Draw, EncodeError, Step};
use polytask_model::model::{Body, Network};
use polytask_model::share::Linear;
use polytask_model::tasks::{Prediction, Task};
use polytask_model::{Dataset, Device};
use probe::Probe;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};
use step::Stepper;

/// A graph to train on given rows.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// Its losses are those of `tasks`, in that order.
    pub graph: &'a Graph,
    /// The tasks it learns.
    pub tasks: &'a [Task],
    /// Where the labels of each task stand in the data set.
    pub labels: &'a [usize],
    /// Features and labels of all rows.
    pub data: &'a Dataset,
    /// Where it is trained.
    pub device: &'a Device,
    /// Rows to learn from.
    pub train: &'a [u32],
    /// Rows that choose the best model; may be empty.
    pub valid: &'a [u32],
    /// The `[loss]` section.
    pub loss: &'a LossConfig,
    /// The `[train]` section; its seed counts, its length does not.
    pub config: &'a TrainConfig,
    /// How long.
    pub budget: Budget,
    /// The settings of a linear model, which is solved instead of trained step by step.
    pub linear: Option<&'a Linear>,
    /// The balancing method, where it is not the one of the `[loss]` section.
    pub balancer: Option<&'a BuildBalancer>,
}

impl Job<'_> {
    /// What `ask` says of some rows.
    fn on<T>(&self, rows: &[u32], ask: impl FnOnce(&Batch<'_>) -> T) -> Result<T, TrainError> {
        let said = self.data.with_batch(self.graph, self.labels, rows, ask)?;
        self.data.features.check()?;
        Ok(said)
    }

    /// A checksum of all that the result depends on: tasks, settings, network, rows in their order.
    ///
    /// # Errors
    /// A number that has no JSON form.
    pub fn fingerprint(&self) -> Result<u32, TrainError> {
        let all = Fingerprint::of(self).and_then(|own| serde_json::to_vec(&own)).map_err(CheckpointError::from)?;
        Ok(crc32fast::hash(&all))
    }

    /// Each task's loss on some rows.
    pub fn losses(&self, judge: &mut dyn Session, rows: &[u32]) -> Result<Vec<Option<f64>>, TrainError> {
        self.on(rows, |feed| judge.evaluate(feed))
    }

    /// Each task's loss and metrics on some rows, whose images are unpacked once.
    pub fn scores(&self, judge: &mut dyn Session, rows: &[u32]) -> Result<(Vec<Option<f64>>, Scores), TrainError> {
        let (losses, outputs) = self.on(rows, |feed| (judge.evaluate(feed), judge.predict(feed)))?;
        let scored = self.tasks.par_iter().zip(self.labels).zip(&outputs.tasks).map(|((task, &at), output)| {
            let truth = self.data.labels[at].truth.select(rows);
            let prediction = task.predict(output, &self.data.layout(task, rows));
            let metrics = task.outcome().score(&truth, &prediction);
            (
                task.name.clone(),
                metrics.scores.into_iter().map(|metric| (metric.name.to_owned(), metric.value)).collect(),
            )
        });
        Ok((losses, scored.collect::<Vec<_>>().into_iter().collect()))
    }
}

/// Length of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Optimiser steps in all.
    pub steps: u64,
    /// Steps between two looks at the validation rows.
    pub every: u64,
    /// Rounds without improvement after which training stops; 0 never stops early.
    pub patience: u64,
}

impl Budget {
    /// The budget that a config gives to this many training rows: a look at the validation rows every epoch.
    pub fn of(config: &TrainConfig, rows: usize) -> Self {
        let epoch = rows.div_ceil(config.batch.rows(rows)).max(1) as u64;
        let steps = match config.length() {
            polytask_model::config::Length::Epochs(epochs) => epochs.saturating_mul(epoch),
            polytask_model::config::Length::Steps(steps) => steps,
        };
        Budget { steps, every: epoch, patience: config.patience }
    }
}

/// What looks on while a model is trained, and may end it.
pub trait Callback {
    /// A step is about to be taken from here. What looks on may ask the model about other places, and changes nothing.
    fn before_step(&mut self, _at: &BeforeStep<'_>) {}

    /// A step is done.
    fn step(&mut self, _step: u64, _of: u64) {}

    /// A round is done.
    fn round(&mut self, _round: &Round) {}

    /// The model as it is before the first step and after every round; a linear one is not shown.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    fn model(&mut self, _job: &Job<'_>, _parameters: &Parameters) -> Result<(), TrainError> {
        Ok(())
    }

    /// Whether it wants the tasks' metrics on the validation rows after every round, which cost time.
    fn scores(&self) -> bool {
        false
    }

    /// Whether to end after this step.
    fn stop(&self) -> bool {
        false
    }

    /// Called now and then, and at the end, with all that is needed to go on later.
    ///
    /// # Errors
    /// Whatever keeps it from being stored.
    fn keep(&mut self, _checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        Ok(())
    }

    /// Told where a checkpoint could not be stored and what is run goes on without one.
    fn unkept(&mut self, _error: &CheckpointError) {}

    /// A candidate of an ensemble is fitted, on all folds: its name, and the mean of its models.
    fn candidate(&mut self, _name: &str, _body: &Body) {}

    /// Where an ensemble keeps the fits that are finished, to go on with them later.
    fn fits(&self) -> Option<Arc<Fits>> {
        None
    }
}

/// Where a step starts from.
#[derive(Clone, Copy)]
pub struct BeforeStep<'a> {
    /// Counted from 0.
    pub step: u64,
    /// The step's learning rate.
    pub rate: f64,
    /// The step's batch.
    pub feed: &'a Batch<'a>,
    /// The model as it is.
    pub parameters: &'a Parameters,
    /// What the optimiser remembers of the steps before.
    pub optimizer: &'a OptimizerState,
}

/// Nobody looks on.
impl Callback for () {}

/// Why training ended.
#[derive(Clone, Debug, PartialEq)]
pub enum StopReason {
    /// The budget was spent.
    Complete,
    /// The criterion did not improve for as many rounds as the patience.
    EarlyStopping,
    /// Someone asked for it.
    Stopped,
    /// `model.time` is over.
    TimeOver,
    /// A step met numbers that nobody can go on from.
    Diverged(Divergence),
}

/// A trained model.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// What was fitted: of a network the best state by the criterion, or the last without validation rows.
    pub body: Body,
    /// Why training ended.
    pub stop_reason: StopReason,
    /// The round the parameters come from; none if training ended before the first was done.
    pub best_epoch: Option<u64>,
    /// Optimiser steps taken.
    pub steps: u64,
    /// Seconds of training, evaluation included.
    pub seconds: f64,
    /// Every round.
    pub history: Vec<Round>,
    /// What the strength of a linear model's penalty came to.
    pub solved: Option<Solved>,
    /// Predictions for rows that the models which made them were not fitted on, of an ensemble on several folds.
    pub out_of_fold: Option<OutOfFold>,
}

/// Rows with predictions of models that were not fitted on them.
#[derive(Clone, Debug)]
pub struct OutOfFold {
    /// Places in the data set, ascending.
    pub rows: Vec<u32>,
    /// By task.
    pub predictions: Vec<Prediction>,
}

/// Why a model cannot be trained.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The balancing method cannot be built or cannot take what it is given.
    #[error("`loss.balance`: {0}")]
    Balance(#[from] BalanceError),
    /// A checkpoint that does not fit, or cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A linear model cannot be found.
    #[error(transparent)]
    Linear(#[from] LinearProblem),
    /// A balancing method that tries its steps on rows whose images are not at hand.
    #[error(
        "`loss.balance` tries its steps on a batch of other rows, but images that do not fit in memory are unpacked for one \
         batch alone; choose held_out = \"half\""
    )]
    HeldOut,
    /// An image that could be read at first.
    #[error(transparent)]
    Image(#[from] EncodeError),
    /// Trees cannot learn from what they are given.
    #[error(transparent)]
    Trees(#[from] polytask_trees::TreesError),
    /// A constraint on an input that is not there or has no order.
    #[error("`model.trees.monotone` names `{0}`, which is no input of numbers")]
    Monotone(String),
    /// A family for tables, of other data.
    #[error("`model.family` is \"{0}\", which reads numbers and categories and predicts labels of rows")]
    NotTable(&'static str),
    /// A network that reads what the inputs do not give.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The device cannot run the network.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
}

/// By task, its metrics by name.
pub(crate) type Scores = IndexMap<String, IndexMap<String, f64>>;

/// Trains a network from `start`, or from where a checkpoint left off, step by step.
///
/// # Errors
/// A balancing method that does not fit the tasks, a checkpoint of another job.
pub(crate) fn network(
    job: &Job<'_>,
    start: &Parameters,
    resume: Option<Checkpoint>,
    callback: &mut dyn Callback,
) -> Result<Fitted, TrainError> {
    Training::new(job, start, resume)?.run(callback)
}

/// The rows that are looked at after a round: those for validation, or a few that show whether the last step broke
/// the model.
fn judged<'a>(job: &Job<'a>) -> &'a [u32] {
    match job.valid.is_empty() {
        true => &job.train[..job.train.len().min(256)],
        false => job.valid,
    }
}

/// What a run has come to: the mean of its recent states, or the last.
fn reached<'a>(stepper: &'a Stepper, average: &'a Option<Average>) -> &'a Parameters {
    average.as_ref().map_or(stepper.parameters(), |average| &average.parameters)
}

struct Training<'a> {
    job: &'a Job<'a>,
    names: Vec<&'a str>,
    stepper: Stepper,
    judge: Box<dyn Session>,
    probe: Option<Probe>,
    state: State,
    /// What is judged and kept in place of the last state, where `train.average` asks for it.
    average: Option<Average>,
    order: Order,
    /// Images that are not in memory.
    ahead: Option<Ahead>,
    /// When the round began, and what steps had waited for images by then.
    round: (Instant, Duration),
    /// Nanoseconds of this round that threads spent on making images ready.
    preparing: AtomicU64,
    began: Instant,
    kept: Instant,
}

impl<'a> Training<'a> {
    fn new(job: &'a Job<'a>, start: &Parameters, resume: Option<Checkpoint>) -> Result<Self, TrainError> {
        let batch = job.config.batch.rows(job.train.len());
        let judge = job.device.predicting(job.graph, judged(job).len(), start)?;
        let stepper = Stepper::new(job, start, batch, resume.as_ref().map_or(0, Checkpoint::steps))?;
        let order = Order::new(job, batch, stepper.held_out());
        let average = Average::new(job.config.average, order.steps(), start);
        let mut training = Training {
            job,
            names: job.tasks.iter().map(|t| t.name.as_str()).collect(),
            stepper,
            judge,
            probe: Probe::new(job, start, batch)?,
            state: State::new(Fingerprint::of(job).map_err(CheckpointError::from)?, job.tasks.len()),
            average,
            order,
            ahead: None,
            round: (Instant::now(), Duration::ZERO),
            preparing: AtomicU64::new(0),
            began: Instant::now(),
            kept: Instant::now(),
        };
        match resume {
            Some(checkpoint) => {
                training.state = checkpoint.state;
                if let (Some(average), Some(parameters)) = (&mut training.average, training.state.averaged.take()) {
                    average.parameters = parameters;
                }
                training.stepper.restore(job.graph, checkpoint.tensors, &training.state)?;
            }
            None if job.valid.is_empty() => {}
            None => training.state.first = training.losses(job.valid)?,
        }
        training.ahead = Ahead::new(job, training.order.clone(), training.state.step);
        if training.ahead.is_some() && training.stepper.held_out() == Some(HeldOut::Batch) {
            return Err(TrainError::HeldOut);
        }
        Ok(training)
    }

    fn run(mut self, callback: &mut dyn Callback) -> Result<Fitted, TrainError> {
        if self.state.step == 0 {
            callback.model(self.job, reached(&self.stepper, &self.average))?;
        }
        let stop_reason = loop {
            if self.state.step >= self.job.budget.steps {
                break StopReason::Complete;
            }
            if self.job.budget.patience > 0 && self.state.stale >= self.job.budget.patience {
                break StopReason::EarlyStopping;
            }
            if self.stops(callback) {
                break StopReason::Stopped;
            }
            match self.step(callback) {
                Ok(None) => {}
                Ok(Some(task)) => break StopReason::Diverged(Divergence::loss(&task, self.state.step + 1)),
                Err(error) => break StopReason::Diverged(Divergence::of(error, self.state.step + 1)?),
            }
            callback.step(self.state.step, self.job.budget.steps);
            let last = self.state.step == self.job.budget.steps;
            let round = self.state.step.is_multiple_of(self.job.budget.every) || last;
            if let Some(task) = if round { self.round(callback)? } else { None } {
                break StopReason::Diverged(Divergence::loss(&task, self.state.step));
            }
            if self.keeps() {
                callback.keep(&self.checkpoint())?;
                self.kept = Instant::now();
            }
        };
        if !matches!(stop_reason, StopReason::Diverged(_)) {
            callback.keep(&self.checkpoint())?;
        }
        let seconds = self.seconds();
        let State { best, history, step, .. } = self.state;
        let (best_epoch, parameters) = match best {
            Some(best) => (Some(best.epoch), best.parameters),
            None => (None, reached(&self.stepper, &self.average).clone()),
        };
        let body = Body::Network(Network { graph: self.job.graph.clone(), parameters });
        Ok(Fitted { body, stop_reason, best_epoch, steps: step, seconds, history, solved: None, out_of_fold: None })
    }

    /// Whether to end now: all processes that train together do so after the same step.
    fn stops(&self, callback: &dyn Callback) -> bool {
        let collective = self.job.device.collective();
        let mut asked = [f64::from(u8::from(callback.stop()))];
        if collective.size() > 1 {
            collective.sum_f64(&mut asked, collective.size());
        }
        asked[0] > 0.0
    }

    /// One optimiser step; the task whose loss is no longer finite, if one is.
    fn step(&mut self, callback: &mut dyn Callback) -> Result<Option<String>, TrainError> {
        let Training { job, names, stepper, state, probe, average, order, ahead, preparing, .. } = self;
        let epoch_steps = order.steps();
        let epoch = state.step / epoch_steps;
        stepper.free(job, job.config.batch.rows(job.train.len()), state.step)?;
        if state.order.is_empty() || state.step.is_multiple_of(epoch_steps) {
            state.order = order.epoch(epoch);
            state.held_out = order.held_out(epoch);
        }
        let rows = order.batch(&state.order, state.step);
        let held_out = if state.held_out.is_empty() { &[][..] } else { order.batch(&state.held_out, state.step) };
        let unpacked = ahead.as_mut().map(|ahead| ahead.take(state.step)).transpose()?;
        let draw = Draw { seed: job.config.seed, step: state.step };
        let step = Step { draw, unpacked: unpacked.as_ref(), preparing, held_out };
        state.rate = schedule::rate(job.config, state.step, job.budget.steps, epoch_steps);
        let temperature = schedule::temperature(state.step, job.budget.steps);
        let at = step::At { step: state.step, epoch, rate: state.rate, temperature };
        let done = job.data.with_step(job.graph, job.labels, rows, step, |feed| {
            let (parameters, optimizer) = (stepper.parameters(), stepper.optimizer());
            callback.before_step(&BeforeStep { step: at.step, rate: at.rate, feed, parameters, optimizer });
            if let Some(probe) = probe.as_mut().filter(|probe| probe.is_due(at.step)) {
                state.sums.gradients = Some(probe.measure(feed, stepper.parameters(), names, at.step));
            }
            stepper.step(feed, held_out, at)
        })??;
        if let Some(bad) = done.losses.iter().position(|l| l.is_some_and(|l| !l.is_finite())) {
            return Ok(Some(job.tasks[bad].name.clone()));
        }
        state.sums.add(&done.losses, &done.weights, done.penalty);
        state.step += 1;
        if let Some(average) = average {
            average.take(state.step, stepper.parameters());
        }
        Ok(None)
    }

    /// Looks at the validation rows; the task whose loss is not finite there, if one is.
    fn round(&mut self, callback: &mut dyn Callback) -> Result<Option<String>, TrainError> {
        let (losses, scores) = match callback.scores() && !self.job.valid.is_empty() {
            true => self.scores()?,
            false => (self.losses(judged(self.job))?, IndexMap::new()),
        };
        let (waiting, preparing) = self.loading();
        if let Some(bad) = losses.iter().position(|l| l.is_some_and(|l| !l.is_finite())) {
            return Ok(Some(self.names[bad].to_owned()));
        }
        let losses = if self.job.valid.is_empty() { vec![None; losses.len()] } else { losses };
        let state = &mut self.state;
        state.epoch += 1;
        let criterion = criterion::value(&self.job.config.criterion, &self.names, &losses, &state.first);
        // Without validation rows the last model is the best there is.
        let best = match (criterion, state.best.as_ref().and_then(|b| b.criterion)) {
            (Some(new), Some(old)) => new < old,
            _ => true,
        };
        state.stale = if best { 0 } else { state.stale + 1 };
        if best {
            let parameters = reached(&self.stepper, &self.average).clone();
            state.best = Some(checkpoint::Best { epoch: state.epoch, criterion, parameters });
        }
        let means = state.sums.means(&self.names);
        let gradients = std::mem::replace(&mut state.sums, Sums::new(self.names.len())).gradients;
        let valid = self.names.iter().zip(&losses).filter_map(|(name, l)| Some(((*name).to_owned(), (*l)?)));
        let round = Round {
            epoch: state.epoch,
            step: state.step,
            seconds: state.seconds + self.began.elapsed().as_secs_f64(),
            learning_rate: state.rate,
            loss: means.loss,
            penalty: means.penalty,
            train: means.losses,
            valid: valid.collect(),
            scores,
            weights: means.weights,
            shares: means.shares,
            gradients,
            candidate: None,
            strength: None,
            ratio: None,
            waiting,
            preparing,
            criterion,
            best,
        };
        // A score between 0 and 1 for methods that go by one: how much of its first loss a task has shed.
        let shed = losses.iter().zip(&state.first).map(|(l, f)| Some(1.0 - (*l)? / (*f)?.max(f64::MIN_POSITIVE)));
        let scores: Vec<Option<f64>> = shed.map(|s| s.map(|s| s.clamp(0.01, 0.99))).collect();
        self.stepper.end_epoch(&scores)?;
        callback.round(&round);
        callback.model(self.job, reached(&self.stepper, &self.average))?;
        self.state.history.push(round);
        Ok(None)
    }

    /// Each task's loss on some rows.
    fn losses(&mut self, rows: &[u32]) -> Result<Vec<Option<f64>>, TrainError> {
        self.judge.set_parameters(reached(&self.stepper, &self.average));
        self.job.losses(self.judge.as_mut(), rows)
    }

    /// Each task's loss and metrics on the validation rows.
    fn scores(&mut self) -> Result<(Vec<Option<f64>>, Scores), TrainError> {
        self.judge.set_parameters(reached(&self.stepper, &self.average));
        self.job.scores(self.judge.as_mut(), self.job.valid)
    }

    /// The shares of the round's time that its steps waited for images to be unpacked and that its threads made images
    /// ready; begins a new round.
    fn loading(&mut self) -> (Option<f64>, Option<f64>) {
        let waited = self.ahead.as_ref().map(|ahead| ahead.waited);
        let (began, before) = std::mem::replace(&mut self.round, (Instant::now(), waited.unwrap_or_default()));
        let passed = began.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
        let prepared = std::mem::take(self.preparing.get_mut()) as f64 * 1e-9;
        let threads = rayon::current_num_threads() as f64;
        (
            waited.map(|waited| (waited - before).as_secs_f64() / passed),
            (prepared > 0.0).then_some(prepared / (passed * threads)),
        )
    }

    /// Whether it is time for a checkpoint, which an epoch that lasts does not wait for.
    fn keeps(&self) -> bool {
        let every = self.job.config.checkpoint_every;
        every > 0.0 && self.kept.elapsed().as_secs_f64() >= every
    }

    fn seconds(&self) -> f64 {
        self.state.seconds + self.began.elapsed().as_secs_f64()
    }

    fn checkpoint(&self) -> Checkpoint {
        let mut state = self.state.clone();
        state.seconds = self.seconds();
        state.averaged = self.average.as_ref().map(|average| average.parameters.clone());
        self.stepper.checkpoint(self.job.graph, state)
    }
}
