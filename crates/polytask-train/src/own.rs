//! What a caller brings instead of choosing it in a config.

use polytask_balance::{BalanceError, Balancer, TaskInfo};
use polytask_model::share::Architecture;
use std::sync::Arc;

/// Makes a balancing method for the tasks of a model; called once a training.
pub type BuildBalancer = dyn Fn(&[TaskInfo]) -> Result<Box<dyn Balancer>, BalanceError> + Send + Sync;

/// What a caller brings of their own; what is not brought is what the config says.
#[derive(Clone, Default)]
pub struct Own {
    /// In place of `model.sharing`.
    pub architecture: Option<Arc<dyn Architecture + Send + Sync>>,
    /// In place of `loss.balance`.
    pub balancer: Option<Arc<BuildBalancer>>,
}

impl Own {
    /// Whether nothing was brought.
    pub(crate) fn is_empty(&self) -> bool {
        self.architecture.is_none() && self.balancer.is_none()
    }
}
