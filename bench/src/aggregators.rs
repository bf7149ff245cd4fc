//! The aggregators alone: how long a call takes here and in torchjd, in alternating rounds, and whether both answer alike.

use crate::contestant::{Process, python_script};
use crate::problem::uniform;
use crate::report::{Spread, markdown};
use crate::{Error, Result};
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// What a method is called on; its answer is the weights, or the direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// A Gramian.
    Gramian,
    /// A Jacobian, where torchjd has no weights.
    Jacobian,
}

/// Whether two answers must be the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Same {
    /// Up to this much of the largest number in the answer.
    Within(f64),
    /// No, and why not.
    No(&'static str),
}

/// A method that both have.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// Its name in `polytask-balance`, and in `peers/aggregators_torchjd.py`, which has the same settings.
    pub name: &'static str,
    /// Its hyperparameters, as JSON.
    pub keys: &'static str,
    /// What it is called on.
    pub input: Input,
    /// Whether the answers must be the same.
    pub same: Same,
}

const fn case(name: &'static str, keys: &'static str, input: Input, same: Same) -> Case {
    Case { name, keys, input, same }
}

/// Both are exact: what is left is rounding.
const EXACT: Same = Same::Within(1e-6);

/// The methods that both have, with the same settings.
pub const CASES: &[Case] = &[
    case("upgrad", "{}", Input::Gramian, EXACT),
    case("dualproj", "{}", Input::Gramian, EXACT),
    case("mgda", "{}", Input::Gramian, Same::No("theirs stops early")),
    // An interior-point solver, to its tolerance.
    case("cagrad", r#"{"c": 0.5}"#, Input::Gramian, Same::Within(1e-3)),
    case("pcgrad", "{}", Input::Gramian, Same::No("random order")),
    case("gradvac", "{}", Input::Gramian, Same::No("random order")),
    case("imtl_g", "{}", Input::Gramian, EXACT),
    case("nash", "{}", Input::Jacobian, Same::No("theirs may stop at no solution")),
    // A least-squares solver, to its tolerance.
    case("fairgrad", r#"{"alpha": 1}"#, Input::Gramian, Same::Within(1e-3)),
    case("aligned", "{}", Input::Gramian, EXACT),
    case("config", "{}", Input::Jacobian, EXACT),
    case("krum", "{}", Input::Gramian, Same::No("theirs adds distances, the paper their squares")),
    case("trimmed_mean", r#"{"trim": 1}"#, Input::Jacobian, EXACT),
];

/// The case of that name.
pub fn find(name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.name == name)
}

/// Inputs that calls go through in turn.
const INPUTS: usize = 8;
/// Answers that are compared.
pub const ANSWERS: usize = 4;

/// The inputs of a number of tasks: `T x 2T` Jacobians, uniform in (-1, 1), so that half of the pairs conflict and the
/// Gramians have full rank. Every contestant makes the same bits.
pub fn jacobians(tasks: usize) -> Vec<Vec<Vec<f64>>> {
    let columns = 2 * tasks;
    let all = uniform(1000 + tasks as u64, INPUTS * tasks * columns, 1.0);
    let rows = |one: &[f32]| one.chunks(columns).map(|row| row.iter().map(|v| f64::from(*v)).collect()).collect();
    all.chunks(tasks * columns).map(rows).collect()
}

/// How to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Number of rounds.
    pub rounds: usize,
    /// Seconds that a turn should take.
    pub seconds: f64,
    /// The methods.
    pub methods: Vec<&'static Case>,
    /// The numbers of tasks.
    pub sizes: Vec<usize>,
    /// The Python that runs the peer.
    pub python: PathBuf,
}

/// What was measured of one method at one number of tasks.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The method.
    pub method: &'static str,
    /// The number of tasks.
    pub tasks: usize,
    /// Seconds of a call here, by round.
    pub own: Vec<f64>,
    /// Seconds of a call in torchjd, by round.
    pub torchjd: Vec<f64>,
    /// Largest difference of the answers, over the largest number in them.
    pub difference: Option<f64>,
    /// Why there is nothing to compare.
    pub left_out: Option<String>,
}

/// Between two turns: a pool of threads must have gone to sleep.
const PAUSE: Duration = Duration::from_millis(20);

/// Measures every method at every number of tasks, on one thread. Progress goes to standard error.
///
/// # Errors
/// A contestant that cannot be started, that ended or that broke the protocol.
pub fn measure(options: &Options) -> Result<Vec<Row>> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("aggregators-worker");
    let mut own = Process::start(command)?;
    let mut torchjd = Process::start(python_script("aggregators_torchjd.py", &options.python, 1))?;
    let mut rows = Vec::new();
    for case in &options.methods {
        for &tasks in &options.sizes {
            eprintln!("{}, {tasks} tasks", case.name);
            rows.push(row(case, tasks, &mut own, &mut torchjd, options)?);
        }
    }
    Ok(rows)
}

fn row(case: &Case, tasks: usize, own: &mut Process, torchjd: &mut Process, options: &Options) -> Result<Row> {
    let (method, none) = (case.name, Vec::new);
    let mut row = Row { method, tasks, own: none(), torchjd: none(), difference: None, left_out: None };
    let answers = own.turn_to(method, tasks).and_then(|ours| Ok((ours, torchjd.turn_to(method, tasks)?)));
    let (ours, theirs) = match answers {
        Ok((ours, theirs)) => (ours.answers.concat(), theirs.answers.concat()),
        Err(Error::Unavailable(reason)) => {
            row.left_out = Some(reason);
            return Ok(row);
        }
        Err(error) => return Err(error),
    };
    let largest = theirs.iter().fold(0.0f64, |largest, value| largest.max(value.abs()));
    let apart = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0f64, f64::max);
    row.difference = Some(if ours.len() == theirs.len() { apart / largest } else { f64::INFINITY });
    let counts = [calls(own, options.seconds)?, calls(torchjd, options.seconds)?];
    for round in 0..options.rounds {
        let mut turns = [(&mut *own, &mut row.own, counts[0]), (&mut *torchjd, &mut row.torchjd, counts[1])];
        turns.rotate_left(round % 2);
        for (process, seconds, count) in turns {
            std::thread::sleep(PAUSE);
            seconds.push(process.run(count)?.seconds / count as f64);
        }
    }
    Ok(row)
}

/// How many calls make a turn.
fn calls(process: &mut Process, seconds: f64) -> Result<u64> {
    let mut count = 1;
    let mut lap = process.run(count)?;
    while lap.seconds < seconds / 4.0 {
        count *= 2;
        lap = process.run(count)?;
    }
    Ok(((count as f64 * seconds / lap.seconds).round() as u64).max(1))
}

/// The measurements as a table in Markdown, with what they say about the answers' agreement below it.
pub fn table(rows: &[Row]) -> String {
    let head = ["method", "tasks", "polytask µs", "torchjd µs", "ratio min / median / max", "answers apart by"];
    let mut cells = vec![head.map(str::to_owned).to_vec()];
    let mut apart = Vec::new();
    let mut left_out = String::new();
    for row in rows {
        let Row { method, tasks, .. } = row;
        if let Some(reason) = &row.left_out {
            let _ = writeln!(left_out, "{method} of {tasks}: left out: {reason}");
            continue;
        }
        let micros = |seconds: &[f64]| {
            Spread::of(seconds.to_vec()).map_or_else(String::new, |s| format!("{:.2}", 1e6 * s.median))
        };
        let ratios = row.own.iter().zip(&row.torchjd).map(|(own, torchjd)| torchjd / own).collect();
        let difference = row.difference.unwrap_or(f64::NAN);
        let agreement = match find(method).map(|case| case.same) {
            Some(Same::Within(bound)) => {
                if difference.is_nan() || difference > bound {
                    apart.push(format!("{method} of {tasks}"));
                }
                format!("{difference:.0e} (at most {bound:.0e})")
            }
            Some(Same::No(why)) => format!("{difference:.0e} ({why})"),
            None => String::new(),
        };
        cells.push(vec![
            (*method).to_owned(),
            tasks.to_string(),
            micros(&row.own),
            micros(&row.torchjd),
            Spread::of(ratios).map_or_else(String::new, |s| s.text(1)),
            agreement,
        ]);
    }
    let verdict = match apart.is_empty() {
        true => "where both solve the same problem, both give the same answer".to_owned(),
        false => format!("NOT THE SAME ANSWERS: {}", apart.join(", ")),
    };
    format!("{}\n{verdict}\n{left_out}", markdown(&cells))
}

#[cfg(test)]
mod tests {
    use super::*;
    use polytask_balance::{LossFamily, Needs, TaskInfo};

    fn row(method: &'static str, difference: f64) -> Row {
        let (own, torchjd) = (vec![1e-6, 2e-6], vec![1e-4, 1e-4]);
        Row { method, tasks: 8, own, torchjd, difference: Some(difference), left_out: None }
    }

    #[test]
    fn answers_apart_are_called_out() {
        let text = table(&[row("upgrad", 1e-9), row("mgda", 0.5)]);
        assert!(text.contains(" 50.0 / 75.0 / 100.0 |"), "{text}");
        assert!(text.contains("both give the same answer"), "{text}");
        assert!(table(&[row("upgrad", 1e-3)]).contains("NOT THE SAME ANSWERS: upgrad of 8"));
        assert!(table(&[row("upgrad", f64::NAN)]).contains("NOT THE SAME ANSWERS"));
    }

    #[test]
    fn a_case_left_out_says_why() {
        let gone = Row { left_out: Some("no module".to_owned()), ..row("cagrad", 0.0) };
        assert!(table(&[gone]).contains("cagrad of 8: left out: no module"));
    }

    #[test]
    fn every_case_can_be_built_and_inputs_differ() {
        let all = jacobians(3);
        assert_eq!((all.len(), all[0].len(), all[0][0].len()), (INPUTS, 3, 6));
        assert_ne!(all[0], all[1]);
        for case in CASES {
            let tasks = ["a", "b", "c"].map(|task| TaskInfo::new(task, LossFamily::Regression));
            let keys = serde_json::from_str(case.keys).unwrap();
            let built = polytask_balance::build(case.name, &keys, &tasks, 0).unwrap();
            let gramian = built.needs() <= Needs::Gramian;
            assert!(gramian || case.input == Input::Jacobian, "{}", case.name);
        }
    }
}
