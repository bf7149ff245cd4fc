//! Ways to balance the losses of several tasks that share parameters.
//!
//! A *scalarizer* turns loss values into weights; an *aggregator* turns the gradients of the tasks (or only their inner
//! products, the [`Gramian`]) into one direction; a *bilevel* method asks a model (an [`Oracle`]) what steps would lead
//! to. Every method has one interface, [`Balancer`], is built by name with
//! its hyperparameters by [`build`], and is listed in [`METHODS`]. Arithmetic is in `f64`; nothing here knows of graphs
//! or data, and randomness comes only from the seed given.
//!
//! ```
//! use polytask_balance::{LossFamily, Step, TaskInfo, build, direction};
//!
//! let tasks = [TaskInfo::new("height", LossFamily::Regression), TaskInfo::new("sex", LossFamily::Classification)];
//! let mut equal = build("equal", &serde_json::Map::new(), &tasks, 0)?;
//! let step = Step { index: 0, epoch: 0, tasks: &[0, 1], losses: &[] };
//! let answer = direction(equal.as_mut(), &step, &[vec![-4.0, 1.0, 1.0], vec![6.0, 1.0, 1.0]])?;
//! assert_eq!(answer.direction, [2.0, 2.0, 2.0]);
//! # Ok::<(), polytask_balance::BalanceError>(())
//! ```

#![forbid(unsafe_code)]

mod aggregate;
mod balancer;
mod bilevel;
mod direction;
mod error;
mod gramian;
mod guard;
mod jacobian;
mod methods;
mod oracle;
mod prelude;
mod present;
mod random;
mod scalarize;
mod scalars;
mod solve;
mod state;
mod step;
mod wrap;

pub use balancer::{Balancer, Family, Heads, KeyInfo, MethodInfo};
pub use direction::{Direction, direction};
pub use error::BalanceError;
pub use gramian::Gramian;
pub use jacobian::{Jacobian, Output};
pub use methods::{METHODS, build, guarded, method, note};
pub use oracle::{Batch, HeldOut, Oracle};
pub use step::{Learnable, LossFamily, LossRange, Needs, Step, TaskInfo, Weights};
pub use wrap::WRAPPER_KEYS;

/// The examples of README.md, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
