//! Boosted trees for several targets at once, beside CatBoost, XGBoost and LightGBM: the time of a fit of equally many trees
//! of equal depth, and of predictions.

use crate::contestant::{Contestant, Process, python_script};
use crate::report::{Spread, markdown};
use crate::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// What is fitted.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Shape {
    /// Rows, all of them to learn from
    #[arg(long, default_value_t = 100_000)]
    pub rows: usize,
    /// Inputs, all numbers
    #[arg(long, default_value_t = 50)]
    pub inputs: usize,
    /// Trees (LightGBM: for each target)
    #[arg(long, default_value_t = 100)]
    pub trees: usize,
    /// Questions from the root to a leaf
    #[arg(long, default_value_t = 6)]
    pub depth: usize,
}

/// How to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is fitted.
    pub shape: Shape,
    /// Number of rounds.
    pub rounds: usize,
    /// The numbers of targets.
    pub sizes: Vec<usize>,
    /// Threads of every contestant.
    pub threads: usize,
    /// The Python that has the peers.
    pub python: PathBuf,
}

/// What was measured of one contestant, at one number of targets, of one thing.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// "fit" or "predict".
    pub what: &'static str,
    /// The number of targets.
    pub tasks: usize,
    /// Who.
    pub name: &'static str,
    /// Seconds, by round.
    pub seconds: Vec<f64>,
    /// R2 on the training rows, the mean over targets.
    pub r2: f64,
    /// The most memory it ever held, in kB.
    pub peak_kb: Option<u64>,
}

/// The contestants.
const NAMES: [&str; 4] = ["polytask", "catboost", "xgboost", "lightgbm"];
/// Between two turns.
const PAUSE: Duration = Duration::from_millis(300);

/// Measures fits and predictions at every number of targets. Progress goes to standard error.
///
/// # Errors
/// A contestant that cannot be started, that ended or that broke the protocol; one whose package is missing is left out.
pub fn measure(options: &Options) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for &tasks in &options.sizes {
        eprintln!("{tasks} targets");
        let mut running = Vec::new();
        for name in NAMES {
            match start(name, options) {
                Ok(process) => running.push((name, process)),
                Err(Error::Unavailable(reason)) => eprintln!("{name} is left out: {reason}"),
                Err(error) => return Err(error),
            }
        }
        let first = rows.len();
        for what in ["fit", "predict"] {
            let first = rows.len();
            for (name, process) in &mut running {
                let answers = process.turn_to(what, tasks)?.answers;
                let r2 = answers.first().and_then(|all| all.first()).copied().unwrap_or(f64::NAN);
                rows.push(Row { what, tasks, name, seconds: Vec::new(), r2, peak_kb: None });
            }
            for round in 0..options.rounds {
                for turn in 0..running.len() {
                    let at = (turn + round) % running.len();
                    std::thread::sleep(PAUSE);
                    rows[first + at].seconds.push(running[at].1.run(1)?.seconds);
                }
            }
        }
        for (name, process) in running {
            let peak = Contestant::Process(process).quit()?;
            rows[first..].iter_mut().filter(|row| row.name == name).for_each(|row| row.peak_kb = peak);
        }
    }
    Ok(rows)
}

fn start(name: &str, options: &Options) -> Result<Process> {
    let Shape { rows, inputs, trees, depth } = options.shape;
    let mut command = match name {
        "polytask" => {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["trees-worker", "--threads", &options.threads.to_string()]);
            command
        }
        peer => {
            let mut command = python_script("trees.py", &options.python, options.threads);
            command.args(["--peer", peer]);
            command
        }
    };
    for (option, value) in [("--rows", rows), ("--inputs", inputs), ("--trees", trees), ("--depth", depth)] {
        command.args([option, &value.to_string()]);
    }
    Process::start(command)
}

/// The measurements as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let head = ["", "targets", "", "seconds", "polytask is faster: min / median / max", "training R2", "peak MB"];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    for row in rows {
        let own = rows.iter().find(|own| (own.what, own.tasks, own.name) == (row.what, row.tasks, NAMES[0]));
        let ratios = own.map(|own| row.seconds.iter().zip(&own.seconds).map(|(row, own)| row / own).collect());
        let median = Spread::of(row.seconds.clone()).map_or_else(String::new, |s| format!("{:.3}", s.median));
        cells.push(vec![
            row.what.to_owned(),
            row.tasks.to_string(),
            row.name.to_owned(),
            median,
            match ratios.filter(|_| row.name != NAMES[0]).and_then(Spread::of) {
                Some(spread) => spread.text(2),
                None => String::new(),
            },
            format!("{:.3}", row.r2),
            row.peak_kb.map_or_else(String::new, |kb| format!("{:.0}", kb as f64 / 1024.0)),
        ]);
    }
    markdown(&cells)
}
