//! `trials.jsonl`: what the search is over, then a line for each finished trial. A search that is begun again asks for the
//! same trials, and finds those here that were finished.

use super::TuneError;
use super::trial::Trial;
use indexmap::IndexMap;
use polytask_model::files::{self, FileError};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What all trials have in common: the first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the program.
    pub polytask: String,
    /// How points are chosen.
    pub sampler: String,
    /// What the points are drawn by.
    pub seed: u64,
    /// Points that TPE chooses at a time.
    pub round: usize,
    /// Each key with the values it may take.
    pub ranges: IndexMap<String, Value>,
    /// The config without them, as a CRC-32 of its TOML.
    pub config: u32,
    /// Rows that train, choose and measure.
    pub rows: [usize; 3],
}

/// The file, open for more.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    known: Vec<Trial>,
    file: Mutex<File>,
}

impl Journal {
    /// Begins a file, or goes on with one. In the latter case `notes` get what was tolerated.
    ///
    /// # Errors
    /// Without `resume`: there is a file already. With it: its search was another, or a line in the middle is damaged.
    /// Either way: it cannot be written.
    pub fn open(path: &Path, header: &Header, resume: bool, notes: &mut Vec<String>) -> Result<Self, TuneError> {
        let mut known = Vec::new();
        if path.exists() {
            if !resume {
                return Err(TuneError::There(path.to_owned()));
            }
            known = read(path, header, notes)?;
        } else if resume {
            notes.push(format!("there are no trials in {} to go on with: this is the beginning", path.display()));
        }
        let mut text = line(header)?;
        for trial in &known {
            text.push_str(&line(trial)?);
        }
        files::write(path, text.as_bytes())?;
        let file = File::options().append(true).open(path).map_err(|source| failed(path, source))?;
        Ok(Journal { path: path.to_owned(), known, file: Mutex::new(file) })
    }

    /// The trial as it was finished before, if it was.
    ///
    /// # Errors
    /// It was one of other values.
    pub fn find(
        &self,
        trial: usize,
        steps: u64,
        values: &IndexMap<String, Value>,
    ) -> Result<Option<&Trial>, TuneError> {
        let known = self.known.iter().find(|known| known.trial == trial && known.steps == steps);
        match known {
            Some(known) if known.values != *values => {
                let what = format!("trial {trial} has other values there");
                Err(TuneError::Other { path: self.path.clone(), what })
            }
            known => Ok(known),
        }
    }

    /// Writes a finished trial down.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&self, trial: &Trial) -> Result<(), TuneError> {
        let text = line(trial)?;
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = file.write_all(text.as_bytes()).and_then(|()| file.flush());
        Ok(written.map_err(|source| failed(&self.path, source))?)
    }
}

fn failed(path: &Path, source: std::io::Error) -> FileError {
    FileError::Write { path: path.to_owned(), source }
}

fn line(value: &impl Serialize) -> Result<String, TuneError> {
    Ok(serde_json::to_string(value).map_err(TuneError::Line)? + "\n")
}

fn read(path: &Path, header: &Header, notes: &mut Vec<String>) -> Result<Vec<Trial>, TuneError> {
    let text = files::read_text(path)?;
    let damaged = |number: usize, reason: String| TuneError::Damaged { path: path.to_owned(), line: number, reason };
    let whole = text.ends_with('\n');
    let lines: Vec<&str> = text.lines().collect();
    let Some((first, trials)) = lines.split_first() else {
        notes.push(format!("{} is empty: this is the beginning", path.display()));
        return Ok(Vec::new());
    };
    match serde_json::from_str::<Header>(first) {
        Ok(found) => {
            if let Some(what) = found.difference(header) {
                return Err(TuneError::Other { path: path.to_owned(), what });
            }
        }
        Err(error) => return Err(damaged(1, error.to_string())),
    }
    let mut known = Vec::new();
    for (i, line) in trials.iter().enumerate() {
        match serde_json::from_str(line) {
            Ok(trial) => known.push(trial),
            // The program was killed while it wrote.
            Err(_) if i + 1 == trials.len() && !whole => {
                notes.push(format!(
                    "{}:{}: the last line is broken off; its trial is made again",
                    path.display(),
                    i + 2
                ));
            }
            Err(error) => return Err(damaged(i + 2, error.to_string())),
        }
    }
    Ok(known)
}

impl Header {
    /// What is different now, in words.
    fn difference(&self, now: &Header) -> Option<String> {
        let pairs = [
            ("sampler", self.sampler.clone(), now.sampler.clone()),
            ("seed", self.seed.to_string(), now.seed.to_string()),
            ("round", self.round.to_string(), now.round.to_string()),
        ];
        if let Some((what, then, now)) = pairs.into_iter().find(|(_, then, now)| then != now) {
            return Some(format!("its {what} was {then}, now it is {now}"));
        }
        if self.ranges != now.ranges {
            return Some("its ranges were others".to_owned());
        }
        if self.config != now.config {
            return Some("the rest of its config was another".to_owned());
        }
        let [train, valid, test] = self.rows;
        (self.rows != now.rows).then(|| format!("it had {train}, {valid} and {test} rows to train, choose and measure"))
    }
}
