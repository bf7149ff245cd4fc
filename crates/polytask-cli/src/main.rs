//! The `polytask` program: data on standard output, words and progress on standard error. Exit status 0: done;
//! 1: the work failed; 2: the call or the config is wrong;
//! 3: `check` found that inputs have drifted.

#![deny(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "they panic where nobody reads; `say!` and `print` do not"
)]

/// A line on standard error. Where that is full or closed the words are lost, and nothing else.
macro_rules! say {
    ($($words:tt)*) => {
        $crate::text::say(&format!($($words)*))
    };
}

mod command;
mod failure;
mod guide;
mod progress;
mod ranks;
mod stop;
mod text;
mod track;
mod version;
mod watching;

use clap::Parser;
use command::Command;
use std::process::ExitCode;

/// Learns several related tasks at once, and says whether that helped.
#[derive(Parser)]
#[command(name = "polytask", version, long_version = version::long(), max_term_width = 100)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    polytask::pretrained::watch(progress::encoding);
    match Program::parse().command.run() {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads the output has read enough, as `polytask ... | head` does.
        Err(failure) if failure.is_closed_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            say!("error: {failure}");
            if let Some(hint) = failure.hint() {
                say!("hint: {hint}");
            }
            if let Some(page) = guide::page(&failure) {
                say!("see: docs/{page}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}
