//! What it costs to measure inter-task affinities: here, and as TAG does in PyTorch, one look-ahead after another.

use crate::contestant::{Process, python_script};
use crate::plot::{Series, svg};
use crate::report::{Spread, markdown};
use crate::{Error, Result};
use serde::Serialize;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// How to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of rounds.
    pub rounds: usize,
    /// Seconds that a turn should take.
    pub seconds: f64,
    /// The numbers of tasks.
    pub sizes: Vec<usize>,
    /// Threads of both.
    pub threads: usize,
    /// The Python that has PyTorch.
    pub python: PathBuf,
}

/// What was measured at one number of tasks.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The number of tasks.
    pub tasks: usize,
    /// Seconds of a look here, by round.
    pub own: Vec<f64>,
    /// Seconds of one in PyTorch, by round.
    pub torch: Vec<f64>,
    /// Largest difference of the losses after the steps, relative to the largest of them.
    pub difference: f64,
}

/// Between two turns.
const PAUSE: Duration = Duration::from_millis(100);
/// How far losses may be apart.
const TOLERANCE: f64 = 1e-4;

/// Measures every number of tasks. Progress goes to standard error.
///
/// # Errors
/// A contestant that cannot be started, that ended or that broke the protocol.
pub fn measure(options: &Options) -> Result<Vec<Row>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["select-worker", "--threads", &options.threads.to_string()]);
    let mut own = Process::start(command)?;
    let mut torch = Process::start(python_script("select_torch.py", &options.python, options.threads))?;
    let row = |&tasks: &usize| {
        eprintln!("{tasks} tasks");
        let (ours, theirs) = (own.turn_to("look", tasks)?.answers, torch.turn_to("look", tasks)?.answers);
        let mut row =
            Row { tasks, own: Vec::new(), torch: Vec::new(), difference: apart(&ours.concat(), &theirs.concat()) };
        let counts = [looks(&mut own, options.seconds)?, looks(&mut torch, options.seconds)?];
        for round in 0..options.rounds {
            let mut turns = [(&mut own, &mut row.own, counts[0]), (&mut torch, &mut row.torch, counts[1])];
            turns.rotate_left(round % 2);
            for (process, seconds, count) in turns {
                std::thread::sleep(PAUSE);
                seconds.push(process.run(count)?.seconds / count as f64);
            }
        }
        Ok::<_, Error>(row)
    };
    options.sizes.iter().map(row).collect()
}

/// The largest difference, relative to the largest number; infinite where shapes differ.
fn apart(ours: &[f64], theirs: &[f64]) -> f64 {
    let largest = theirs.iter().fold(f64::MIN_POSITIVE, |most, v| most.max(v.abs()));
    match ours.len() == theirs.len() {
        true => ours.iter().zip(theirs).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f64::max),
        false => f64::INFINITY,
    }
}

/// How many looks make a turn.
fn looks(process: &mut Process, seconds: f64) -> Result<u64> {
    process.run(1)?;
    let one = process.run(2)?.seconds / 2.0;
    Ok(((seconds / one).round() as u64).max(1))
}

/// The measurements as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let head = ["tasks", "polytask ms", "PyTorch ms", "ratio min / median / max", "losses apart by"];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    for row in rows {
        let millis = |seconds: &[f64]| {
            Spread::of(seconds.to_vec()).map_or_else(String::new, |s| format!("{:.2}", 1e3 * s.median))
        };
        let ratios = row.own.iter().zip(&row.torch).map(|(own, torch)| torch / own).collect();
        cells.push(vec![
            row.tasks.to_string(),
            millis(&row.own),
            millis(&row.torch),
            Spread::of(ratios).map_or_else(String::new, |s| s.text(1)),
            match row.difference <= TOLERANCE {
                true => format!("{:.0e}", row.difference),
                false => "NOT THE SAME".to_owned(),
            },
        ]);
    }
    markdown(&cells)
}

/// The same as a chart, an SVG file; none if nothing was measured.
pub fn chart(rows: &[Row]) -> Option<String> {
    let line = |name: &str, color, of: &dyn Fn(&Row) -> &Vec<f64>| {
        let point = |row: &Row| Some((row.tasks as f64, 1e3 * Spread::of(of(row).clone())?.median));
        Series { name: name.to_owned(), color, points: rows.iter().filter_map(point).collect() }
    };
    let series = [
        line("polytask", "#0b6e4f", &|row| &row.own),
        line("PyTorch, one after another", "#c1440e", &|row| &row.torch),
    ];
    svg("A look at what a step for each task does to all", "tasks", "milliseconds", &series)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_apart_are_called_out() {
        let row = |difference| Row { tasks: 4, own: vec![1e-3; 3], torch: vec![5e-3; 3], difference };
        let text = table(&[row(1e-7)]);
        assert!(text.contains(" 1.00 |") && text.contains(" 5.0 / 5.0 / 5.0 ") && text.contains("1e-7"), "{text}");
        assert!(table(&[row(1e-2)]).contains("NOT THE SAME"));
        assert_eq!(apart(&[1.0, 2.0], &[1.0, 4.0]), 0.5);
        assert_eq!(apart(&[1.0], &[1.0, 4.0]), f64::INFINITY);
    }
}
