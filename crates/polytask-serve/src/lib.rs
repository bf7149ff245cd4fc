//! Trained models over HTTP: predictions of all tasks at once, the same to the bit as those of `polytask predict`.
//!
//! A request is read within its limits, waits in the queue of its model, and is answered by a thread that runs what
//! has come in together. Models are loaded anew while requests go on.

#![forbid(unsafe_code)]
#![deny(clippy::print_stderr, clippy::print_stdout, reason = "they panic where nobody reads; `say!` does not")]

/// A line on standard error, without what would command a terminal or begin a line of its own. Where standard error is full or
/// closed the words are lost, and nothing else.
macro_rules! say {
    ($($words:tt)*) => {
        drop(std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{}\n", $crate::plain(&format!($($words)*)))))
    };
}

/// A text whose control characters are written out.
fn plain(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

mod api;
mod body;
mod describe;
mod input;
mod io;
mod listen;
mod metrics;
mod models;
mod once;
mod openapi;
mod options;
mod output;
mod part;
mod problem;
mod queue;
mod routes;
mod row;
mod server;
mod wishes;
mod work;

pub use listen::{ServeError, serve};
pub use models::LoadError;
pub use once::answer;
pub use options::Options;
