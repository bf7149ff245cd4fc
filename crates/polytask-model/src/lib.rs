//! What a multi-task model is: its config, how columns become inputs and labels, what tasks share, prediction, and the
//! directory it is kept in.

#![forbid(unsafe_code)]

pub mod background;
pub mod column;
pub mod config;
pub mod conformal;
mod dataset;
mod device;
pub mod drift;
mod error;
pub mod explain;
pub mod files;
mod fit;
pub mod inputs;
pub mod memory;
pub mod metric;
pub mod model;
pub mod nearest;
pub mod notes;
pub mod output;
pub mod pretrained;
pub mod section;
pub mod share;
pub mod structure;
pub mod tasks;

pub use dataset::Dataset;
pub use device::{Device, block};
pub use error::Error;
pub use fit::Fitted;
