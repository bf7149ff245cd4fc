//! What the runner and a contestant say to each other, a line at a time.
//!
//! The contestant prints `ready` once it is set up (or `{"unavailable": "why"}` and ends). For `run N` it makes `N`
//! optimiser steps and prints a [`Lap`]; for `quit` it prints a [`Farewell`] and ends. The contestants that compare
//! aggregators have many cases: for `case METHOD TASKS` they turn to one and print [`Answers`] (or [`Unavailable`]), and
//! a step is then a call.

use std::io::{BufRead, Write};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::{Error, Result};

/// The answer to `run N`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Lap {
    /// Seconds that the steps took.
    pub seconds: f64,
    /// The total loss that the last of them started from; a plain matrix product has none.
    pub loss: Option<f32>,
}

/// The answer to `quit`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Farewell {
    /// The most memory the process ever held, in kB (`VmHWM`).
    pub peak_rss_kb: u64,
}

/// The answer of a contestant that cannot take part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unavailable {
    /// Why not.
    pub unavailable: String,
}

/// The answer to `case METHOD TASKS`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answers {
    /// What the method makes of the case's first inputs.
    pub answers: Vec<Vec<f64>>,
}

/// Something that makes optimiser steps, or whatever else is counted.
pub trait Steps {
    /// Makes `count` steps and returns the total loss that the last of them started from, if there is such a thing.
    ///
    /// # Errors
    /// Whatever keeps the steps from being made.
    fn run(&mut self, count: u64) -> Result<Option<f32>>;

    /// Turns to another case, where a contestant has several, and answers its first inputs.
    ///
    /// # Errors
    /// [`Error::Unavailable`] for a case that it does not have.
    fn turn_to(&mut self, method: &str, tasks: usize) -> Result<Answers> {
        Err(Error::Unavailable(format!("there is no {method} of {tasks} here")))
    }
}

/// Serves the protocol on standard input and output until `quit` or the end of the input.
///
/// # Errors
/// A line that is not in the protocol, or a failing step.
pub fn serve(steps: &mut dyn Steps) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| -> Result<()> {
        writeln!(out, "{line}")?;
        Ok(out.flush()?)
    };
    say("ready".to_owned())?;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        let number = |text: &str| text.parse::<u64>().map_err(|_| Error::Protocol(line.clone()));
        match words[..] {
            ["run", count] => {
                let count = number(count)?;
                let start = Instant::now();
                let loss = steps.run(count)?;
                let seconds = start.elapsed().as_secs_f64();
                say(json(&Lap { seconds, loss })?)?;
            }
            ["case", method, tasks] => match steps.turn_to(method, number(tasks)? as usize) {
                Ok(answers) => say(json(&answers)?)?,
                Err(Error::Unavailable(unavailable)) => say(json(&Unavailable { unavailable })?)?,
                Err(error) => return Err(error),
            },
            ["quit"] => break,
            _ => return Err(Error::Protocol(line)),
        }
    }
    say(json(&Farewell { peak_rss_kb: peak_rss_kb()? })?)
}

fn json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string(value).map_err(std::io::Error::from)?)
}

/// Peak resident memory of this process in kB, from Linux's `/proc`.
fn peak_rss_kb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|n| n.parse().ok());
    number.ok_or_else(|| Error::Unavailable("/proc/self/status has no VmHWM".to_owned()))
}
