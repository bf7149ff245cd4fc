//! What most programs name: `use polytask::prelude::*;`

pub use crate::balance::{BalanceError, Balancer, MethodInfo, Needs, Step, TaskInfo, Weights};
pub use crate::config::{Config, InputConfig, InputKind, Sharing, TaskConfig, TaskKind};
pub use crate::data::{Column, ReadOptions, Table, read};
pub use crate::graph::{Activation, GraphBuilder, NodeId};
pub use crate::model::{Model, Scores};
pub use crate::share::{Architecture, Design, Info};
pub use crate::tasks::Prediction;
pub use crate::train::{Callback, Round, StopReason};
pub use crate::{Error, Experiment, Run};
