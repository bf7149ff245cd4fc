//! `[train]`: how long, how fast, and when to stop.

use super::criterion::Criterion;
use super::error::Problem;
use super::mixing::Mixing;
use super::scalar::Scalar;
use super::schedule::Schedule;
use polytask_exec::Rule;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training rows, 1 or more. Default 200. Stands instead of `steps`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<u64>,
    /// Optimizer steps, 1 or more. Stands instead of `epochs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Rows a step, 1 or more; 0 or "full" takes all training rows. Default 64.
    #[schemars(with = "RowsOrFull")]
    pub batch: Batch,
    /// The optimizer. Default "adam".
    pub optimizer: OptimizerName,
    /// The step size before the schedule, above 0. Default 0.001.
    pub learning_rate: f64,
    /// sgd: share of the last step that is kept, at least 0 and below 1. Default 0.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub momentum: Option<f64>,
    /// sgd: look ahead along the momentum (Nesterov 1983). Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nesterov: Option<bool>,
    /// adam, adamw: decay of the mean of gradients, at least 0 and below 1. Default 0.9.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    /// adam, adamw: decay of the mean of squared gradients, at least 0 and below 1. Default 0.999.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    /// adam, adamw: added to the root of the mean of squares, above 0. Default 1e-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
    /// adamw: share of the weights taken off a step, times the learning rate (Loshchilov and Hutter 2019), 0 or
    /// above. Default 0.01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    /// How the learning rate goes on: "constant", "cosine" (to 0 at the end), "cycles" (whole
    /// cosines that begin and end at 0, each twice as long as the one before; `{ kind = "cycles", count = 4 }`, Holzmüller et
    /// al. 2024) or `{ kind = "step", every = 30, factor = 0.1 }`. Default "constant".
    pub schedule: Schedule,
    /// Steps over which the learning rate rises from 0, 0 or more. Default 0.
    pub warmup: u64,
    /// Largest norm of the whole gradient, above 0; longer ones are scaled down. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    /// Epochs over which the model is averaged, 0 or above: what is judged on the validation rows and kept is the exponential
    /// mean of the states of about so many epochs (Polyak and Juditsky 1992), not the last of them. Default 0: the last.
    #[serde(skip_serializing_if = "is_zero")]
    pub average: f64,
    /// Epochs without improvement of the criterion after which training stops; 0 never stops early. Default 30.
    pub patience: u64,
    /// What the best model is chosen by, on the validation rows: "mean" (the mean over the tasks of the loss relative
    /// to the task's own first value), `{ task = "NAME" }` (one task's loss) or `{ weights = { NAME = 2.0 } }` (a
    /// weighted mean of the relative losses). Default "mean".
    pub criterion: Criterion,
    /// How often the rows of each of several data sets come in an epoch, which is as long as all of them: "proportional"
    /// (every row once), "annealed" (by the size of a set to the power of 1 in the first epoch, falling to 0.2 in the last;
    /// Stickland and Murray 2019), or `{ temperature = 2 }` (by the size to the power of 1 / 2). Default "proportional".
    #[serde(skip_serializing_if = "Mixing::is_default")]
    pub mixing: Mixing,
    /// Seconds between two checkpoints, which `--resume` goes on from, also within an epoch; 0 writes one at the end alone.
    /// An ensemble keeps every finished fit that took a sixtieth of it or more. Default 30.
    #[serde(skip_serializing_if = "is_usual")]
    pub checkpoint_every: f64,
    /// Seed of the weights, the order of rows and dropout, a whole number. Default 0.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        TrainConfig {
            epochs: None,
            steps: None,
            batch: Batch::Rows(64),
            optimizer: OptimizerName::default(),
            learning_rate: 1e-3,
            momentum: None,
            nesterov: None,
            beta1: None,
            beta2: None,
            epsilon: None,
            weight_decay: None,
            schedule: Schedule::default(),
            warmup: 0,
            clip: None,
            average: 0.0,
            patience: 30,
            criterion: Criterion::default(),
            mixing: Mixing::default(),
            checkpoint_every: CHECKPOINT_EVERY,
            seed: 0,
        }
    }
}

/// How long training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Passes over the training rows.
    Epochs(u64),
    /// Optimizer steps.
    Steps(u64),
}

/// Rows a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Scalar", into = "Scalar")]
pub enum Batch {
    /// This many, 1 or more.
    Rows(usize),
    /// All training rows.
    Full,
}

impl Batch {
    /// Rows a step out of `available` training rows, at least 1.
    pub fn rows(self, available: usize) -> usize {
        match self {
            Batch::Rows(rows) => rows.min(available).max(1),
            Batch::Full => available.max(1),
        }
    }
}

impl TryFrom<Scalar> for Batch {
    type Error = String;

    fn try_from(value: Scalar) -> Result<Self, String> {
        match value {
            Scalar::Integer(0) => Ok(Batch::Full),
            Scalar::Integer(rows @ 1..) => Ok(Batch::Rows(rows as usize)),
            Scalar::Text(word) if word == "full" => Ok(Batch::Full),
            other => Err(format!("`train.batch` is {other}; it must be a number of rows, 1 or more, or \"full\"")),
        }
    }
}

impl From<Batch> for Scalar {
    fn from(batch: Batch) -> Self {
        match batch {
            Batch::Rows(rows) => Scalar::Integer(rows as i64),
            Batch::Full => Scalar::Text("full".into()),
        }
    }
}

/// The name of an optimizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerName {
    /// Stochastic gradient descent with momentum.
    Sgd,
    /// Adam (Kingma and Ba 2015).
    #[default]
    Adam,
    /// Adam with decoupled weight decay (Loshchilov and Hutter 2019).
    Adamw,
}

/// An optimizer with all its settings but the learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent.
    Sgd {
        /// At least 0 and below 1.
        momentum: f64,
        /// Look ahead along the momentum.
        nesterov: bool,
    },
    /// Adam, or AdamW where `weight_decay` is given.
    Adam {
        /// Decay of the mean of gradients.
        beta1: f64,
        /// Decay of the mean of squares.
        beta2: f64,
        /// Added to the root of the mean of squares.
        epsilon: f64,
        /// Decoupled weight decay; `None` for plain Adam.
        weight_decay: Option<f64>,
    },
}

impl Optimizer {
    /// The update rule, in the precision of parameters.
    pub fn rule(self) -> Rule {
        match self {
            Optimizer::Sgd { momentum, nesterov } => Rule::Sgd { momentum: momentum as f32, nesterov },
            Optimizer::Adam { beta1, beta2, epsilon, weight_decay } => Rule::Adam {
                beta1: beta1 as f32,
                beta2: beta2 as f32,
                epsilon: epsilon as f32,
                decay: weight_decay.unwrap_or(0.0) as f32,
            },
        }
    }
}

impl TrainConfig {
    /// How long training goes on.
    pub fn length(&self) -> Length {
        match self.steps {
            Some(steps) => Length::Steps(steps),
            None => Length::Epochs(self.epochs.unwrap_or(200)),
        }
    }

    /// The optimizer with its settings.
    pub fn optimizer(&self) -> Optimizer {
        match self.optimizer {
            OptimizerName::Sgd => {
                Optimizer::Sgd { momentum: self.momentum.unwrap_or(0.9), nesterov: self.nesterov.unwrap_or(false) }
            }
            OptimizerName::Adam | OptimizerName::Adamw => Optimizer::Adam {
                beta1: self.beta1.unwrap_or(0.9),
                beta2: self.beta2.unwrap_or(0.999),
                epsilon: self.epsilon.unwrap_or(1e-8),
                weight_decay: (self.optimizer == OptimizerName::Adamw).then(|| self.weight_decay.unwrap_or(0.01)),
            },
        }
    }

    /// With the defaults in the keys that were left out.
    pub fn filled(&self) -> Self {
        let mut filled = self.clone();
        match self.length() {
            Length::Epochs(epochs) => filled.epochs = Some(epochs),
            Length::Steps(steps) => filled.steps = Some(steps),
        }
        match self.optimizer() {
            Optimizer::Sgd { momentum, nesterov } => {
                (filled.momentum, filled.nesterov) = (Some(momentum), Some(nesterov));
            }
            Optimizer::Adam { beta1, beta2, epsilon, weight_decay } => {
                (filled.beta1, filled.beta2, filled.epsilon) = (Some(beta1), Some(beta2), Some(epsilon));
                filled.weight_decay = weight_decay;
            }
        }
        filled
    }

    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.epochs.is_some() && self.steps.is_some() {
            let message = "`train.epochs` and `train.steps` both say how long to train";
            return Err(Problem::new(&["train", "steps"], message).hint("keep one of them".to_owned()));
        }
        for (key, value) in [("epochs", self.epochs), ("steps", self.steps)] {
            if value == Some(0) {
                return Err(Problem::value(&["train", key], 0, "it must be 1 or more"));
            }
        }
        above_zero("learning_rate", Some(self.learning_rate))?;
        above_zero("epsilon", self.epsilon)?;
        above_zero("clip", self.clip)?;
        for (key, value) in [("momentum", self.momentum), ("beta1", self.beta1), ("beta2", self.beta2)] {
            if value.is_some_and(|v| !(0.0..1.0).contains(&v)) {
                let rule = "it must be at least 0 and below 1";
                return Err(Problem::value(&["train", key], value.unwrap_or_default(), rule));
            }
        }
        if let Some(decay) = self.weight_decay
            && !(decay.is_finite() && decay >= 0.0)
        {
            return Err(Problem::value(&["train", "weight_decay"], decay, "it must be 0 or above"));
        }
        if !(self.average.is_finite() && self.average >= 0.0) {
            return Err(Problem::value(
                &["train", "average"],
                self.average,
                "it must be a number of epochs, 0 or above",
            ));
        }
        if !(self.checkpoint_every.is_finite() && self.checkpoint_every >= 0.0) {
            return Err(Problem::value(
                &["train", "checkpoint_every"],
                self.checkpoint_every,
                "it must be a number of seconds, 0 or above",
            ));
        }
        self.schedule.check()?;
        self.mixing.check()?;
        self.check_optimizer_keys()
    }

    /// A key of another optimizer would silently do nothing.
    fn check_optimizer_keys(&self) -> Result<(), Problem> {
        let sgd = self.optimizer == OptimizerName::Sgd;
        let adamw = self.optimizer == OptimizerName::Adamw;
        let stray = [
            ("momentum", self.momentum.is_some() && !sgd, "\"sgd\""),
            ("nesterov", self.nesterov.is_some() && !sgd, "\"sgd\""),
            ("beta1", self.beta1.is_some() && sgd, "\"adam\" and \"adamw\""),
            ("beta2", self.beta2.is_some() && sgd, "\"adam\" and \"adamw\""),
            ("epsilon", self.epsilon.is_some() && sgd, "\"adam\" and \"adamw\""),
            ("weight_decay", self.weight_decay.is_some() && !adamw, "\"adamw\"; `loss.l2` works with all of them"),
        ];
        match stray.into_iter().find(|(_, stray, _)| *stray) {
            Some((key, _, owner)) => {
                Err(Problem::new(&["train", key], format!("`train.{key}` belongs to optimizer {owner}")))
            }
            None => Ok(()),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// Seconds between two checkpoints.
const CHECKPOINT_EVERY: f64 = 30.0;

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_usual(value: &f64) -> bool {
    *value == CHECKPOINT_EVERY
}

fn above_zero(key: &str, value: Option<f64>) -> Result<(), Problem> {
    match value {
        Some(value) if !(value.is_finite() && value > 0.0) => {
            Err(Problem::value(&["train", key], value, "it must be above 0 and finite"))
        }
        _ => Ok(()),
    }
}

// A number of rows or "full", as the schema sees it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum RowsOrFull {
    Rows(usize),
    Word(Full),
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only its schema is used")]
enum Full {
    Full,
}
