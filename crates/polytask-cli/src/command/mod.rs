//! The commands, one a file.

mod aggregate;
mod architectures;
mod balancers;
mod check;
mod compare;
mod completions;
mod data;
mod evaluate;
mod export;
mod importance;
mod init;
mod inspect;
mod man;
mod predict;
mod report;
mod schema;
mod select;
mod serve;
mod show;
mod train;
mod tune;

use crate::failure::Failure;
use clap::{Subcommand, ValueEnum};
use std::path::PathBuf;

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Write a first config for a table, a folder of images or a file of sentences
    Init(init::Init),
    /// Show what is in a table, a config or a model directory
    Inspect(inspect::Inspect),
    /// Train a joint model and write its directory
    Train(train::Train),
    /// Predict every task for the rows of a file
    Predict(predict::Predict),
    /// Answer requests for predictions over HTTP
    Serve(serve::Serve),
    /// Score a model on the rows of a file
    Evaluate(evaluate::Evaluate),
    /// Say whether the inputs of a file look like those that a model learnt from
    Check(check::Check),
    /// Take a model to ONNX, PyTorch or Keras
    Export(export::Export),
    /// Train the joint model and one model a task, and say whether sharing helped
    Compare(compare::Compare),
    /// Try settings within the ranges that a config gives, and write the best config
    Tune(tune::Tune),
    /// Find which tasks should learn together, and say who helps whom
    Select(select::Select),
    /// Write what became of a model, or of several side by side, as one HTML file
    Report(report::Report),
    /// Say how much worse each task gets when the values of an input are permuted between rows
    Importance(importance::ImportanceCommand),
    /// Make a data set from another one
    Data(data::Data),
    /// List the balancing methods, or show one with its keys
    Balancers(balancers::Balancers),
    /// Weigh task gradients or losses given as JSON on standard input
    Aggregate(aggregate::Aggregate),
    /// List the ways to share; with a config, what each would cost there
    Architectures(architectures::Architectures),
    /// Show the network of a config or of a trained model
    Show(show::Show),
    /// Print the JSON schema of the config
    Schema(schema::Schema),
    /// Print what a shell completes commands and options by
    Completions(completions::Completions),
    /// Write manual pages
    Man(man::Man),
}

impl Command {
    pub fn run(self) -> Result<(), Failure> {
        match self {
            Command::Init(command) => command.run(),
            Command::Inspect(command) => command.run(),
            Command::Train(command) => command.run(),
            Command::Predict(command) => command.run(),
            Command::Serve(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Check(command) => command.run(),
            Command::Export(command) => command.run(),
            Command::Compare(command) => command.run(),
            Command::Tune(command) => command.run(),
            Command::Select(command) => command.run(),
            Command::Report(command) => command.run(),
            Command::Importance(command) => command.run(),
            Command::Data(command) => command.run(),
            Command::Balancers(command) => command.run(),
            Command::Aggregate(command) => command.run(),
            Command::Architectures(command) => command.run(),
            Command::Show(command) => command.run(),
            Command::Schema(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Man(command) => command.run(),
        }
    }
}

/// The whole program, as clap knows it.
fn program() -> clap::Command {
    <crate::Program as clap::CommandFactory>::command()
}

/// How results are printed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables for people
    Text,
    /// One JSON object
    Json,
}

/// What every command that reads a config takes.
#[derive(clap::Args)]
pub struct ConfigArguments {
    /// The config, a TOML file
    config: PathBuf,
    /// Override a key of the config, for example train.epochs=50; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Seed of the weights, the order of rows and dropout (train.seed)
    #[arg(long)]
    seed: Option<u64>,
    /// Threads to use; the result does not depend on it [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl ConfigArguments {
    /// Reads the config with its overrides.
    fn load(&self) -> Result<polytask::config::Config, Failure> {
        let seed = self.seed.map(|seed| format!("train.seed={seed}"));
        let overrides: Vec<String> = self.set.iter().cloned().chain(seed).collect();
        Ok(polytask::config::Config::load(&self.config, &overrides)?)
    }
}

/// Runs something on a number of threads.
fn on_threads<R: Send>(threads: Option<u16>, run: impl FnOnce() -> R + Send) -> Result<R, Failure> {
    // 0 is rayon's word for all cores.
    let threads = usize::from(threads.unwrap_or(0));
    let failed = |reason: String| polytask::Error::Threads { threads, reason };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| failed(e.to_string()))?;
    Ok(pool.install(run))
}

/// Prints a JSON object and a line end.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    use std::io::Write;
    let text = serde_json::to_string_pretty(value).map_err(std::io::Error::from)?;
    Ok(writeln!(std::io::stdout().lock(), "{text}")?)
}

/// Prints text as it is.
fn print(text: &str) -> Result<(), Failure> {
    use std::io::Write;
    Ok(std::io::stdout().lock().write_all(crate::text::plain(text).as_bytes())?)
}
