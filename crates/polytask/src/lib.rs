//! Multi-task learning: tasks, encoders, sharing, training, evaluation and the model directory.

mod column;
pub mod compare;
pub mod config;
mod dataset;
pub mod encode;
mod error;
pub mod files;
mod group;
pub mod importance;
pub mod inspect;
pub mod linear;
pub mod metric;
pub mod model;
mod nearest;
pub mod output;
mod prepare;
pub mod search;
pub mod select;
pub mod share;
pub mod structure;
pub mod task;
pub mod train;
pub mod tune;

pub use dataset::Dataset;
pub use error::Error;
pub use group::{Group, Trained};
pub use prepare::{Prepared, Source, prepare};
