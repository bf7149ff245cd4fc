//! Training: from a config and its data to a fitted model.

#![forbid(unsafe_code)]

mod build;
mod error;
mod experiment;
mod family;
mod group;
mod held;
pub mod linear;
mod own;
mod prepare;
mod run;
pub mod train;

pub use build::{Build, search};
pub use error::Error;
pub use experiment::Experiment;
pub use family::{Plan, Table, fit};
pub use group::{Group, Trained};
pub use own::{BuildBalancer, Own};
pub use prepare::{Prepared, Source, prepare, read_options, read_table};
pub use run::{Run, lines};
pub use train::Fits;
