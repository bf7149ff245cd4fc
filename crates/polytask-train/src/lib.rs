//! Training: from a config and its data to a fitted model.

mod error;
mod group;
pub mod linear;
mod prepare;
pub mod search;
pub mod train;

pub use error::Error;
pub use group::{Group, Trained};
pub use prepare::{Prepared, Source, prepare};
