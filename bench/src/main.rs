//! `polytask-bench`: polytask and its peers side by side, on the same work, in alternating rounds.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use polytask_bench::compare::{Options, compare};
use polytask_bench::workload::{Peer, Workload};
use polytask_bench::{Error, Result, report, worker};

/// Measure polytask and its peers on the same work, in alternating rounds.
#[derive(Parser)]
#[command(name = "polytask-bench", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The seed example: 544 rows, 2 -> 5 -> 2, linear, full batch
    W1(Compare),
    /// A table: batch 256, two shared layers of 256, 8 heads
    W2(Compare),
    /// W2 with the 8 gradients over the trunk kept apart
    W3(Compare),
    /// Be polytask's contestant: the runner calls this itself
    Worker {
        /// What to run
        workload: Workload,
        /// Threads to use
        #[arg(long, default_value_t = 2)]
        threads: usize,
    },
}

#[derive(Args)]
struct Compare {
    /// Number of rounds
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Seconds of a contestant's turn
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// Threads of every contestant
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Peers to measure, with commas between [default: all of the workload's]
    #[arg(long, value_delimiter = ',')]
    peers: Option<Vec<String>>,
    /// Contestant to compare with [default: the first peer that runs]
    #[arg(long)]
    reference: Option<String>,
    /// The Python that has the peers' packages
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Write the raw measurements to this file as JSON
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::W1(args) => measure(Workload::W1, args),
        Command::W2(args) => measure(Workload::W2, args),
        Command::W3(args) => measure(Workload::W3, args),
        Command::Worker { workload, threads } => worker::run(workload, threads),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(workload: Workload, args: Compare) -> Result<()> {
    let peers = chosen(workload, args.peers.as_deref())?;
    let options = Options {
        rounds: args.rounds.into(),
        seconds: args.seconds,
        threads: args.threads,
        reference: args.reference,
        peers,
        python: args.python,
    };
    let comparison = compare(workload, &options)?;
    print!("{}", report::table(&comparison));
    if let Some(path) = args.json {
        let text = serde_json::to_string_pretty(&comparison).map_err(std::io::Error::from)?;
        std::fs::write(&path, text + "\n")
            .map_err(|source| Error::Write { path: path.display().to_string(), source })?;
    }
    Ok(())
}

/// The workload's peers by name, in the order given; all of them where none is named.
fn chosen(workload: Workload, names: Option<&[String]>) -> Result<Vec<Peer>> {
    let known = workload.peers();
    let Some(names) = names else { return Ok(known.to_vec()) };
    let find = |name: &String| {
        known.iter().find(|p| p.name == name).copied().ok_or_else(|| Error::UnknownPeer {
            workload: workload.name(),
            name: name.clone(),
            known: known.iter().map(|p| p.name).collect::<Vec<_>>().join(", "),
        })
    };
    names.iter().map(find).collect()
}
