//! Finished fits of an ensemble on disk, a file each: what an interrupted run goes on with, to the same bits.

use super::super::table::Table;
use super::candidate::Candidate;
use crate::prepare::Prepared;
use crate::train::CheckpointError;
use crate::train::fingerprint::{Rows, object, setting};
use polytask_model::files::{self, FileError};
use polytask_model::model::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

/// What the run is, in the folder of its fits.
const RUN: &str = "run.json";
/// A fit that takes a smaller part of `train.checkpoint_every` is repeated rather than kept.
const WORTH: f64 = 1.0 / 60.0;

/// A folder of finished fits.
#[derive(Debug)]
pub struct Fits {
    folder: PathBuf,
    resumes: bool,
    problem: Mutex<Option<CheckpointError>>,
}

/// What the fits are made of: they serve a run only where all of this is as it was.
#[derive(Serialize, Deserialize)]
struct Fingerprint {
    tasks: Vec<String>,
    model: Map<String, Value>,
    train: Map<String, Value>,
    loss: Map<String, Value>,
    training: Rows,
    validation: Rows,
}

/// The fits of one run.
pub(super) struct Kept<'a> {
    fits: &'a Fits,
    tasks: usize,
    worth: Duration,
}

impl Fits {
    /// A folder for the fits of a run that begins; what an older run left there goes.
    pub fn begin(folder: &Path) -> Self {
        let fits = Fits { folder: folder.to_owned(), resumes: false, problem: Mutex::default() };
        fits.remove();
        fits
    }

    /// The folder of a run that was interrupted.
    ///
    /// # Errors
    /// There is none.
    pub fn resume(folder: &Path) -> Result<Self, CheckpointError> {
        match folder.join(RUN).exists() {
            true => Ok(Fits { folder: folder.to_owned(), resumes: true, problem: Mutex::default() }),
            false => Err(CheckpointError::None(folder.join(RUN))),
        }
    }

    /// Removes the folder with all that it holds.
    pub fn remove(&self) {
        std::fs::remove_dir_all(&self.folder).ok();
    }

    /// Why the last fit could not be kept, once.
    pub fn take_problem(&self) -> Option<CheckpointError> {
        self.problem.lock().ok()?.take()
    }

    /// The fits of this run.
    ///
    /// # Errors
    /// The folder is that of another run.
    pub(super) fn of(&self, table: &Table, prepared: &Prepared) -> Result<Kept<'_>, CheckpointError> {
        let now = Fingerprint::of(table, prepared)?;
        let path = self.folder.join(RUN);
        if self.resumes {
            let text = std::fs::read(&path).map_err(|source| FileError::Read { path: path.clone(), source })?;
            let then: Fingerprint = serde_json::from_slice(&text)
                .map_err(|error| CheckpointError::Damaged { path, reason: error.to_string() })?;
            if let Some(difference) = then.difference(&now) {
                return Err(CheckpointError::Other(difference));
            }
        } else {
            let text = serde_json::to_vec(&now)?;
            let written = files::make_folder(&self.folder).and_then(|()| files::write(&path, &text));
            self.note(written);
        }
        let worth = Duration::from_secs_f64(table.config.train.checkpoint_every * WORTH);
        Ok(Kept { fits: self, tasks: table.tasks.len(), worth })
    }

    fn note(&self, written: Result<(), FileError>) {
        if let (Err(error), Ok(mut problem)) = (written, self.problem.lock()) {
            *problem = Some(error.into());
        }
    }
}

impl Kept<'_> {
    /// The fit of a candidate on a fold, where it was finished. What cannot be read is fitted again.
    pub(super) fn find(&self, candidate: &Candidate, fold: usize) -> Option<Body> {
        if !self.fits.resumes {
            return None;
        }
        let (body, made_of) = Body::load::<u32>(&self.path(candidate, fold), self.tasks).ok()?;
        (made_of == digest(candidate)).then_some(body)
    }

    /// Keeps a finished fit that was worth its time.
    pub(super) fn keep(&self, candidate: &Candidate, fold: usize, body: &Body, took: Duration) {
        if took >= self.worth {
            let saved = body.save(&self.path(candidate, fold), &digest(candidate));
            self.fits.note(saved);
        }
    }

    fn path(&self, candidate: &Candidate, fold: usize) -> PathBuf {
        let name = candidate.name.replace(", ", "-").replace(' ', "-");
        self.fits.folder.join(format!("{name}-{fold}.safetensors"))
    }
}

/// What a candidate is.
fn digest(candidate: &Candidate) -> u32 {
    crc32fast::hash(format!("{:?}", candidate.recipe).as_bytes())
}

impl Fingerprint {
    fn of(table: &Table, prepared: &Prepared) -> Result<Self, serde_json::Error> {
        let config = &table.config;
        let mut model = object(&config.model)?;
        model.remove("time");
        let mut train = object(&config.train)?;
        train.remove("checkpoint_every");
        Ok(Fingerprint {
            tasks: table.tasks.iter().map(|task| format!("{} ({})", task.name, task.kind_name())).collect(),
            model,
            train,
            loss: object(&config.loss)?,
            training: Rows::of(&prepared.data, &table.labels, &table.train),
            validation: Rows::of(&prepared.data, &table.labels, &table.valid),
        })
    }

    /// What is different now, in words; nothing where all is the same.
    fn difference(&self, now: &Fingerprint) -> Option<String> {
        if self.tasks != now.tasks {
            return Some(format!("its tasks were {}, now they are {}", self.tasks.join(", "), now.tasks.join(", ")));
        }
        setting("model", &self.model, &now.model)
            .or_else(|| setting("train", &self.train, &now.train))
            .or_else(|| setting("loss", &self.loss, &now.loss))
            .or_else(|| self.training.difference("training", &now.training))
            .or_else(|| self.validation.difference("validation", &now.validation))
    }
}
