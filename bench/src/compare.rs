//! The measurement itself: start everybody, check that they do the same work, find how many steps make a round, and
//! let them take turns.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::contestant::{Contestant, Process, own, script};
use crate::network;
use crate::sgemm::Sgemm;
use crate::workload::{Method, Peer, Work, Workload};
use crate::{Error, Result};

/// Steps after which the losses are compared.
pub const CHECK_STEPS: u64 = 20;
/// Between two turns: thread pools that spin for a while after their work must have gone to sleep.
const PAUSE: Duration = Duration::from_millis(300);
/// Name of polytask among the contestants.
pub const OWN: &str = "polytask";
/// Name of polytask on W2, beside its W3: what keeping the gradients apart costs.
const OWN_W2: &str = "polytask-w2";
/// Name of polytask in ordinary training, beside a method on images.
const OWN_SUM: &str = "polytask-sum";
/// Name of polytask where it gathers inner products a layer at a time.
const OWN_LOW: &str = "polytask-low";
/// Name of polytask where every layer runs on its own.
const OWN_UNFUSED: &str = "polytask-unfused";
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
    /// Whether to measure what else polytask can do: beside W3, W2 and the low-memory mode; beside others,
    /// layers that run on their own.
    pub variants: bool,
    /// Name of the contestant that the others are compared with; the first peer that runs where none is named.
    pub reference: Option<String>,
    /// The Python that runs the peers.
    pub python: PathBuf,
}

/// Everything measured, as `--json` writes it.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// What was measured.
    pub work: String,
    /// How far losses may be apart, relative to the loss.
    pub tolerance: f32,
    /// The processor, as the system names it.
    pub processor: String,
    /// Threads of every contestant.
    pub threads: usize,
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
    /// Floating-point operations of a step, or of one matrix product of `sgemm`.
    pub flops_per_step: f64,
    /// Steps in a turn.
    pub steps: u64,
    /// Seconds of each turn, by round.
    pub seconds: Vec<f64>,
    /// Loss after the first [`CHECK_STEPS`] steps; none where it is no loss of this workload.
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

    /// How many times as many steps a second as another makes, round by round.
    pub fn ratios(&self, to: &Self) -> Vec<f64> {
        self.rates().iter().zip(to.rates()).map(|(a, b)| a / b).collect()
    }
}

impl Comparison {
    /// Those whose loss is not the reference's; none if the reference has no loss.
    pub fn apart(&self) -> Option<Vec<&'static str>> {
        let loss = self.contestants.iter().find(|r| r.name == self.reference)?.first_loss?;
        let apart = |l: f32| l.is_nan() || (l - loss).abs() > self.tolerance * loss.abs();
        let others = self.contestants.iter().filter(|r| r.first_loss.is_some_and(apart));
        Some(others.map(|r| r.name).collect())
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
pub fn compare(work: Work, options: &Options) -> Result<Comparison> {
    let mut left_out = Vec::new();
    let mut leave_out = |name, error: Error| {
        eprintln!("{name}: left out: {error}");
        left_out.push(LeftOut { name, reason: error.to_string() });
    };

    let mut runners = Vec::new();
    let mut commands = Vec::new();
    for (name, work) in ours(work, options.variants) {
        commands.push((name, work, own(work, options.threads)?));
    }
    commands.extend(options.peers.iter().map(|p| (p.name, work, script(p, work, &options.python, options.threads))));
    for (name, of, command) in commands {
        eprintln!("{name}: starting");
        let flops = network::flops(of)?;
        let warm = |process| Runner::warm(name, flops, Contestant::Process(process), options);
        match Process::start(command).and_then(warm) {
            Ok(mut runner) => {
                // They take another way, unless the method does nothing but add up.
                if (of.workload, of.method) != (work.workload, work.method) && work.method != Method::Sum {
                    runner.record.first_loss = None;
                }
                runners.push(runner);
            }
            Err(error) => leave_out(name, error),
        }
    }
    let sgemm = Contestant::Sgemm(Sgemm::new(options.threads));
    runners.push(Runner::warm(SGEMM, Sgemm::flops(), sgemm, options)?);
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
        work: work.title(),
        tolerance: work.tolerance(),
        processor: processor(),
        threads: options.threads,
        reference,
        contestants,
        left_out,
    })
}

/// What polytask itself runs.
fn ours(work: Work, variants: bool) -> Vec<(&'static str, Work)> {
    let mut ours = vec![(OWN, work)];
    if variants && work.workload == Workload::W3 {
        ours.push((OWN_W2, Work { workload: Workload::W2, ..work }));
        if work.method != Method::Sum {
            ours.push((OWN_LOW, Work { low_memory: true, ..work }));
        }
    }
    if variants && work.is_apart() && work.workload.image().is_some() {
        ours.push((OWN_SUM, Work { method: Method::Sum, ..work }));
        ours.push((OWN_LOW, Work { low_memory: true, ..work }));
    }
    if variants && matches!(work.workload, Workload::W2 | Workload::Mmoe | Workload::Ple) {
        ours.push((OWN_UNFUSED, Work { unfused: true, ..work }));
    }
    ours
}

impl Runner {
    /// Takes the first steps, warms the contestant up and finds how many steps make a turn.
    fn warm(name: &'static str, flops_per_step: f64, mut contestant: Contestant, options: &Options) -> Result<Self> {
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
        let record = Record { name, flops_per_step, steps, seconds: Vec::new(), first_loss, peak_rss_kb: None };
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
