//! Prediction with a trained model, beside ONNX Runtime and PyTorch on its exports: rows a second from a file to a file, and
//! from columns in memory to predictions.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde::Serialize;

use crate::contestant::{Process, python_script};
use crate::report::{Spread, markdown};
use crate::{Error, Result};

/// What a turn is.
pub const CASES: [&str; 2] = ["file", "memory"];
/// Name of polytask among the contestants.
const OWN: &str = "polytask";
/// Between two turns.
const PAUSE: Duration = Duration::from_millis(300);
/// How far predictions may be apart, relative to the larger of 1 and the number.
const TOLERANCE: f64 = 1e-4;

/// The peers: name, options of `predict.py`, and whether the case in memory is another than that of a peer before.
const PEERS: [(&str, &[&str], bool); 4] = [
    ("onnxruntime", &["--runtime", "onnx"], true),
    ("onnxruntime-arrow", &["--runtime", "onnx", "--arrow"], false),
    ("torch", &["--runtime", "torch"], true),
    ("torch-arrow", &["--runtime", "torch", "--arrow"], false),
];

/// How to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// The model directory.
    pub model: PathBuf,
    /// A CSV file.
    pub data: PathBuf,
    /// Rows that the file has.
    pub rows: usize,
    /// Number of rounds.
    pub rounds: usize,
    /// Threads that every contestant may use.
    pub threads: usize,
    /// The Python that runs the peers.
    pub python: PathBuf,
}

/// One contestant's turns in one case.
#[derive(Clone, Debug, Serialize)]
pub struct Record {
    /// What a turn is.
    pub case: &'static str,
    /// The contestant.
    pub name: &'static str,
    /// Rows of a turn.
    pub rows: usize,
    /// Seconds of each turn, by round.
    pub seconds: Vec<f64>,
    /// The largest difference of its predictions from polytask's, relative to the larger of 1 and the number.
    pub difference: f64,
}

impl Record {
    fn rates(&self) -> Vec<f64> {
        self.seconds.iter().map(|s| self.rows as f64 / s).collect()
    }
}

/// Measures all contestants that can take part. Progress goes to standard error.
///
/// # Errors
/// polytask's own contestant, or the export of the model, fails.
pub fn measure(options: &Options) -> Result<Vec<Record>> {
    let exports = exports(options)?;
    let mut contestants = vec![(OWN, true, Process::start(own(options)?)?)];
    for (name, flags, both) in PEERS {
        let mut command = python_script("predict.py", &options.python, options.threads);
        command.args(flags).arg("--model").arg(exports.as_path()).arg("--data").arg(&options.data);
        match Process::start(command) {
            Ok(process) => contestants.push((name, both, process)),
            Err(error) => eprintln!("{name}: left out: {error}"),
        }
    }
    let mut records = Vec::new();
    for case in CASES {
        let mut expected: Option<Vec<Vec<f64>>> = None;
        let mut own: Vec<Record> = Vec::new();
        for (name, both, process) in &mut contestants {
            if case == "memory" && !*both {
                continue;
            }
            eprintln!("{case}: {name}: warming up");
            let answers = process.turn_to(case, 0)?.answers;
            process.run(1)?;
            let difference = apart(&answers, expected.get_or_insert_with(|| answers.clone()));
            own.push(Record { case, name, rows: options.rows, seconds: Vec::new(), difference });
        }
        for round in 0..options.rounds {
            eprintln!("{case}: round {} of {}", round + 1, options.rounds);
            let mut order: Vec<usize> = (0..own.len()).collect();
            order.rotate_left(round % own.len());
            for i in order {
                let Some((_, _, process)) = contestants.iter_mut().find(|(name, ..)| *name == own[i].name) else {
                    continue;
                };
                std::thread::sleep(PAUSE);
                own[i].seconds.push(process.run(1)?.seconds);
            }
        }
        records.extend(own);
    }
    std::fs::remove_dir_all(&exports)?;
    Ok(records)
}

/// The table that a person reads.
pub fn table(records: &[Record]) -> String {
    let head = ["case", "contestant", "rows/s min / median / max", "polytask is faster by, min / median / max", "same"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for record in records {
        let own = records.iter().find(|own| own.case == record.case && own.name == OWN);
        let ratios = own.map(|own| own.rates().iter().zip(record.rates()).map(|(own, other)| own / other).collect());
        let rate = Spread::of(record.rates()).map(|r| r.text(0));
        rows.push(vec![
            record.case.to_owned(),
            record.name.to_owned(),
            rate.unwrap_or_default(),
            ratios.and_then(Spread::of).map(|r| r.text(2)).unwrap_or_default(),
            if record.difference <= TOLERANCE {
                format!("{:.0e}", record.difference)
            } else {
                "NOT THE SAME".to_owned()
            },
        ]);
    }
    markdown(&rows)
}

/// The largest difference, relative to the larger of 1 and the number; infinite where shapes differ.
fn apart(answers: &[Vec<f64>], expected: &[Vec<f64>]) -> f64 {
    let (a, b) = (answers.concat(), expected.concat());
    match a.len() == b.len() {
        true => a.iter().zip(&b).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max),
        false => f64::INFINITY,
    }
}

/// This program as polytask's contestant.
fn own(options: &Options) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("predict-worker").arg(&options.model).arg("--data").arg(&options.data);
    command.args(["--threads", &options.threads.to_string()]);
    Ok(command)
}

/// The program beside this one.
///
/// # Errors
/// It was not built.
pub fn program() -> Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("polytask");
    match path.exists() {
        true => Ok(path),
        false => Err(Error::Unavailable(format!("{} is not there: build polytask-cli too", path.display()))),
    }
}

/// Exports of the model, in a folder of their own.
fn exports(options: &Options) -> Result<PathBuf> {
    let folder = std::env::temp_dir().join(format!("polytask-bench-{}", std::process::id()));
    for format in ["onnx", "pytorch"] {
        run(Command::new(program()?)
            .arg("export")
            .arg(&options.model)
            .args(["--format", format])
            .arg("--out")
            .arg(folder.join(format)))?;
    }
    Ok(folder)
}

/// Runs a program that must work.
///
/// # Errors
/// [`Error::Ended`] with its words if it does not.
pub fn run(command: &mut Command) -> Result<()> {
    let done = command.output()?;
    match done.status.success() {
        true => Ok(()),
        false => Err(Error::Ended(String::from_utf8_lossy(&done.stderr).trim().to_owned())),
    }
}

/// Rows of a CSV file whose fields hold no line ends, the head not counted.
///
/// # Errors
/// It cannot be read.
pub fn rows(path: &Path) -> Result<usize> {
    let bytes = std::fs::read(path)?;
    Ok(bytes.iter().filter(|byte| **byte == b'\n').count().saturating_sub(1))
}
