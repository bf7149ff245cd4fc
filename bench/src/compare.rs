//! The measurement itself: start everybody, check that they do the same work, find how many steps make a round, and
//! let them take turns.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::contestant::{Contestant, Process, own, script};
use crate::sgemm::Sgemm;
use crate::workload::{Peer, Workload};
use crate::{Error, Result};

/// Steps after which the losses are compared.
pub const CHECK_STEPS: u64 = 20;
/// How far two losses may be apart after these steps, relative to the loss: rounding alone stays well below it, a
/// difference in the model, the data or the optimizer does not.
pub const CHECK_TOLERANCE: f32 = 1e-4;
/// Between two turns: thread pools that spin for a while after their work must have gone to sleep.
const PAUSE: Duration = Duration::from_millis(300);
/// Name of polytask among the contestants.
pub const OWN: &str = "polytask";
/// Name of the matrix product among the contestants.
pub const SGEMM: &str = "sgemm";

/// How to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of rounds.
    pub rounds: usize,
    /// Seconds that a turn should take.
    pub seconds: f64,
    /// Threads that every contestant may use.
    pub threads: usize,
    /// Peers to measure beside polytask.
    pub peers: Vec<Peer>,
    /// Name of the contestant that the others are compared with; the first peer that runs where none is named.
    pub reference: Option<String>,
    /// The Python that runs the peers.
    pub python: PathBuf,
}

/// Everything measured, as `--json` writes it.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Name of the workload.
    pub workload: &'static str,
    /// The processor, as the system names it.
    pub processor: String,
    /// Threads of every contestant.
    pub threads: usize,
    /// Floating-point operations of a step.
    pub flops_per_step: f64,
    /// Floating-point operations of one matrix product of the `sgemm` contestant.
    pub flops_per_sgemm: f64,
    /// Name of the contestant that the others are compared with.
    pub reference: String,
    /// Those who ran, in the order of the command line.
    pub contestants: Vec<Record>,
    /// Those who could not, and why.
    pub left_out: Vec<LeftOut>,
}

/// One contestant's measurements.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// Name of the contestant.
    pub name: &'static str,
    /// Steps in a turn.
    pub steps: u64,
    /// Seconds of each turn, by round.
    pub seconds: Vec<f64>,
    /// Loss after the first [`CHECK_STEPS`] steps.
    pub first_loss: Option<f32>,
    /// Peak memory in kB.
    pub peak_rss_kb: Option<u64>,
}

/// A contestant that did not run.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    /// Name of the contestant.
    pub name: &'static str,
    /// Why.
    pub reason: String,
}

impl Record {
    /// Steps a second, by round.
    pub fn rates(&self) -> Vec<f64> {
        self.seconds.iter().map(|s| self.steps as f64 / s).collect()
    }
}

/// A contestant in the running.
struct Runner {
    contestant: Contestant,
    record: Record,
}

/// Measures a workload. Progress goes to standard error.
///
/// # Errors
/// [`Error::NoReference`] where the reference that was asked for could not run.
pub fn compare(workload: Workload, options: &Options) -> Result<Comparison> {
    let mut left_out = Vec::new();
    let mut leave_out = |name, error: Error| {
        eprintln!("{name}: left out: {error}");
        left_out.push(LeftOut { name, reason: error.to_string() });
    };

    let mut runners = Vec::new();
    let own = own(workload, options.threads)?;
    let peers = options.peers.iter().map(|p| (p.name, script(p, &options.python, options.threads)));
    for (name, command) in std::iter::once((OWN, own)).chain(peers) {
        eprintln!("{name}: starting");
        match Process::start(command).and_then(|p| Runner::warm(name, Contestant::Process(p), options)) {
            Ok(runner) => runners.push(runner),
            Err(error) => leave_out(name, error),
        }
    }
    let sgemm = Contestant::Sgemm(Sgemm::new(options.threads));
    runners.push(Runner::warm(SGEMM, sgemm, options)?);
    let named = |name: &str| runners.iter().any(|r| r.record.name == name);
    let reference = match &options.reference {
        Some(name) if named(name) => name.clone(),
        Some(name) => return Err(Error::NoReference(name.clone())),
        None => options.peers.iter().map(|p| p.name).find(|name| named(name)).unwrap_or(OWN).to_owned(),
    };

    for round in 0..options.rounds {
        eprintln!("round {} of {}", round + 1, options.rounds);
        // Each round another one goes first, so that nobody always runs on what the same neighbour leaves behind.
        let first = round % runners.len();
        runners.rotate_left(first);
        let mut failed = Vec::new();
        for runner in &mut runners {
            std::thread::sleep(PAUSE);
            match runner.contestant.run(runner.record.steps) {
                Ok(lap) => runner.record.seconds.push(lap.seconds),
                Err(error) => failed.push((runner.record.name, error)),
            }
        }
        runners.rotate_right(first);
        for (name, error) in failed {
            runners.retain(|r| r.record.name != name);
            leave_out(name, error);
        }
    }

    let mut contestants = Vec::new();
    for Runner { contestant, mut record } in runners {
        record.peak_rss_kb = contestant.quit()?;
        contestants.push(record);
    }
    Ok(Comparison {
        workload: workload.name(),
        processor: processor(),
        threads: options.threads,
        flops_per_step: workload.flops(),
        flops_per_sgemm: Sgemm::flops(),
        reference,
        contestants,
        left_out,
    })
}

impl Runner {
    /// Takes the first steps, warms the contestant up and finds how many steps make a turn.
    fn warm(name: &'static str, mut contestant: Contestant, options: &Options) -> Result<Self> {
        let first_loss = match contestant {
            Contestant::Process(_) => contestant.run(CHECK_STEPS)?.loss,
            Contestant::Sgemm(_) => None,
        };
        // Twice as many steps each time, until the last run is long enough to be a measure.
        let mut count = 1;
        let mut lap = contestant.run(count)?;
        while lap.seconds < options.seconds / 4.0 {
            count *= 2;
            lap = contestant.run(count)?;
        }
        let steps = ((count as f64 * options.seconds / lap.seconds).round() as u64).max(1);
        let record = Record { name, steps, seconds: Vec::new(), first_loss, peak_rss_kb: None };
        Ok(Self { contestant, record })
    }
}

/// The processor's name, from Linux's `/proc`.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("model name"));
    let name = line.and_then(|line| line.split_once(':')).map(|(_, name)| name.trim().to_owned());
    name.unwrap_or_else(|| "unknown".to_owned())
}
