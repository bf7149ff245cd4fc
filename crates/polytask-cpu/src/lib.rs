//! Runs a polytask graph on the CPU: the backend [`Cpu`].
//!
//! A [`Plan`] is made once from a graph: it orders the ops, decides where each buffer lives, and knows which losses
//! flow through which cotangent. A [`Runner`] then cuts every mini-batch into *lanes*: a lane's whole forward and
//! backward runs on one thread, and gradients are summed along a fixed tree over lane numbers
//! ([`tree`](polytask_exec::tree)). The number of lanes depends on the graph and the batch alone, so results are the same
//! bits on any number of threads, and on any number of machines that each run a neighbouring block of lanes. Threads come
//! from the ambient rayon pool.
//!
//! Losses are *grouped* for the backward pass ([`Groups`]): all in one group is the ordinary gradient of their
//! weighted sum; one group a loss stacks the cotangents where branches meet and gives the gradient of every task from
//! one walk of the graph.

mod backend;
mod domains;
mod gather;
mod jacobian;
mod kernels;
mod lane;
mod penalty;
mod piece;
mod plan;
mod reduce;
mod rows;
mod runner;
mod update;
mod wiring;

pub use backend::Cpu;
pub use plan::Plan;
pub use polytask_exec::{
    Batch, Bytes, Combine, Gather, Groups, Jacobian, Labels, Mode, Numbers, Optimizer, OptimizerState, ParameterError,
    Parameters, Rule, StepLosses, Target, Update,
};
pub use runner::Runner;
