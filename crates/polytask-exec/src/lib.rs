//! What every backend of polytask shares.
//!
//! A [`Backend`] plans a [`Graph`](polytask_graph::Graph) and gives a [`Session`], which runs batches of rows forward and
//! backward, and moves the parameters. Training and prediction know these traits alone; which device is behind them is
//! chosen in one place.
//!
//! - What goes in: a [`Batch`], whose inputs are bound to those of the graph by name ([`Ports`]), and [`Parameters`].
//! - What comes out: [`Outputs`], typed by task; losses; gradients, of all losses together or of each ([`Groups`],
//!   [`Jacobian`], [`Combine`]).
//! - How parameters move: the update rules ([`Rule`], [`Optimizer`]), written here once.
//! - How gradients are added: along a fixed tree over lanes ([`tree`]), and over machines ([`Collective`]).

#![forbid(unsafe_code)]

mod batch;
mod collective;
mod combine;
mod groups;
mod jacobian;
mod optimizer;
mod outputs;
mod parameters;
mod ports;
mod session;
pub mod tree;
mod vector;

pub use batch::{Batch, Bytes, Gather, Labels, Numbers, Target};
pub use collective::{Collective, Local};
pub use combine::Combine;
pub use groups::{Groups, MERGED};
pub use jacobian::Jacobian;
pub use optimizer::{Alone, Inertia, Optimizer, OptimizerState, Rule, Stepper, Update};
pub use outputs::{Outputs, TaskOutput, Values};
pub use parameters::{ParameterError, Parameters};
pub use ports::{Port, PortError, PortKind, Ports};
pub use session::{Backend, DEFAULT_LANES, MAX_LANES, Mode, Session, Spec, StepLosses, Unsupported};
pub use vector::vectorized;
