//! What breaks a run in the middle: numbers that nobody can go on from. The best model so far is kept.

use super::TrainError;
use polytask_balance::BalanceError;

/// Why a run could not go on. Steps count from 1.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Divergence {
    /// A loss, or a gradient that the balancing method reads, is no longer a finite number.
    #[error("the {what} of task `{task}` is not a finite number at step {step}")]
    NotFinite {
        /// `loss` or `gradient`.
        what: &'static str,
        /// The task.
        task: String,
        /// The step that met it.
        step: u64,
    },
    /// A loss that the balancing method cannot take.
    #[error("the loss of task `{task}` is {loss} at step {step}, and `{method}` needs losses {bound}")]
    OutOfRange {
        /// The balancing method.
        method: &'static str,
        /// The task.
        task: String,
        /// Its loss.
        loss: f64,
        /// What the method can take, in words.
        bound: String,
        /// The step that met it.
        step: u64,
    },
    /// Losses or gradients so large that the balancing method's weights are no longer finite numbers.
    #[error("the weights of `{method}` are not finite numbers at step {step}")]
    Overflow {
        /// The balancing method.
        method: &'static str,
        /// The step that met it.
        step: u64,
    },
    /// A step that the balancing method tried out led to losses or gradients that are no finite numbers.
    #[error("a step that `{method}` tries out leads to losses or gradients that are not finite numbers at step {step}")]
    Ahead {
        /// The balancing method.
        method: &'static str,
        /// The step that met it.
        step: u64,
    },
}

impl Divergence {
    /// A loss that is not a finite number.
    pub(super) fn loss(task: &str, step: u64) -> Self {
        Divergence::NotFinite { what: "loss", task: task.to_owned(), step }
    }

    /// What an error of a step means for the run: numbers of this step that broke it, or a fault of another kind.
    pub(super) fn of(error: TrainError, step: u64) -> Result<Self, TrainError> {
        match error {
            TrainError::Balance(BalanceError::NotFinite { what, task, .. }) => {
                Ok(Divergence::NotFinite { what, task, step })
            }
            TrainError::Balance(BalanceError::LossRange { method, task, value, bound, .. }) => {
                Ok(Divergence::OutOfRange { method, task, loss: value, bound, step })
            }
            TrainError::Balance(BalanceError::Overflow { method, .. }) => Ok(Divergence::Overflow { method, step }),
            TrainError::Balance(BalanceError::Ahead { method, .. }) => Ok(Divergence::Ahead { method, step }),
            other => Err(other),
        }
    }

    /// What would be right.
    pub fn hint(&self) -> &'static str {
        match self {
            Divergence::NotFinite { .. } | Divergence::Overflow { .. } => {
                "a smaller train.learning_rate, train.clip = 1.0 or train.warmup usually help; look for extreme values too"
            }
            Divergence::Ahead { .. } => "lower the `inner_rate` of loss.balance or train.learning_rate",
            Divergence::OutOfRange { .. } => {
                "choose a loss.balance that takes any loss, such as \"equal\", or train for fewer steps"
            }
        }
    }
}
