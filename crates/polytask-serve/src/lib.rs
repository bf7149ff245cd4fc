//! Trained models over HTTP: predictions of all tasks at once, the same to the bit as those of `polytask predict`.
//!
//! A request is read within its limits, waits in the queue of its model, and is answered by a thread that runs what
//! has come in together. Models are loaded anew while requests go on.

mod api;
mod body;
mod describe;
mod input;
mod io;
mod listen;
mod metrics;
mod models;
mod openapi;
mod options;
mod output;
mod problem;
mod queue;
mod work;

pub use listen::{ServeError, serve};
pub use models::LoadError;
pub use options::Options;
