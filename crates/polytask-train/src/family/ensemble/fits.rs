//! Finished fits of an ensemble on disk, a file each: what an interrupted run goes on with, to the same bits.

use super::super::table::Table;
use super::candidate::Candidate;
use crate::prepare::Prepared;
use crate::train::fingerprint::{Rows, object, setting};
use crate::train::{CheckpointError, FITS_OF, Fits};
use polytask_model::files::{self, FileError};
use polytask_model::model::Body;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::PathBuf;
use std::time::Duration;

/// A fit that takes a smaller part of `train.checkpoint_every` is repeated rather than kept.
const WORTH: f64 = 1.0 / 60.0;

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

impl<'a> Kept<'a> {
    /// The fits of this run.
    ///
    /// # Errors
    /// The folder is that of another run.
    pub(super) fn new(fits: &'a Fits, table: &Table, prepared: &Prepared) -> Result<Self, CheckpointError> {
        let now = Fingerprint::of(table, prepared)?;
        let path = fits.folder.join(FITS_OF);
        if fits.resumes {
            let text = std::fs::read(&path).map_err(|source| FileError::Read { path: path.clone(), source })?;
            let then: Fingerprint = serde_json::from_slice(&text)
                .map_err(|error| CheckpointError::Damaged { path, reason: error.to_string() })?;
            if let Some(difference) = then.difference(&now) {
                return Err(CheckpointError::Other(difference));
            }
        } else {
            let text = serde_json::to_vec(&now)?;
            let written = files::make_folder(&fits.folder).and_then(|()| files::write(&path, &text));
            fits.note(written);
        }
        let worth = Duration::from_secs_f64(table.config.train.checkpoint_every * WORTH);
        Ok(Kept { fits, tasks: table.tasks.len(), worth })
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
