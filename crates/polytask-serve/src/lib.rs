//! Trained models over HTTP: predictions of all tasks at once, the same to the bit as those of `polytask predict`.
//!
//! A request is read within its limits, waits in the queue of its model, and is answered by a thread that runs what
//! has come in together. Models are loaded anew while requests go on.

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr, clippy::print_stdout, reason = "they panic where nobody reads; `say!` does not")]

/// A line on standard error. Where that is full or closed the words are lost, and nothing else.
macro_rules! say {
    ($($words:tt)*) => {
        drop(std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{}\n", format_args!($($words)*))))
    };
}

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
