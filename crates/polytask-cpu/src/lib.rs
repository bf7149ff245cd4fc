//! Runs a polytask graph on the CPU.
//!
//! A [`Plan`] is made once from a graph: it orders the ops, decides where each buffer lives, and knows which losses
//! flow through which cotangent. A [`Runner`] then cuts every mini-batch into *lanes*: a lane's whole forward and
//! backward runs on one thread, and gradients are summed in lane order. The number of lanes depends on the graph and
//! the batch alone, so results are the same bits on any number of threads. Threads come from the ambient rayon pool.
//!
//! Losses are *grouped* for the backward pass ([`Groups`]): all in one group is the ordinary gradient of their
//! weighted sum; one group a loss stacks the cotangents where branches meet and gives the gradient of every task from
//! one walk of the graph.

mod domains;
mod feed;
mod gather;
mod jacobian;
mod kernels;
mod lane;
mod optimizer;
mod parameters;
mod penalty;
mod piece;
mod plan;
mod rows;
mod runner;
mod update;

pub use feed::{Bytes, Feed, Gather, Labels, Numbers, Target};
pub use jacobian::Jacobian;
pub use optimizer::{Optimizer, OptimizerState, Rule, Update};
pub use parameters::{ParameterError, Parameters};
pub use piece::Combine;
pub use plan::{Groups, Mode, Plan};
pub use runner::{Runner, StepLosses};
