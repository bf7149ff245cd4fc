//! The model directory: `model.safetensors` has the weights, `model.json` all else that prediction needs. Loading
//! executes nothing.

use super::Model;
use super::body::Stored;
use crate::background::BACKGROUND;
use crate::conformal::CONFORMAL;
use crate::device::Device;
use crate::files::{self, FileError, Replacement};
use crate::inputs::Encoder;
use crate::tasks::Task;
use polytask_data::Dialect;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// The weights.
pub const TENSORS: &str = "model.safetensors";
const MODEL: &str = "model.json";
/// Scores on the test rows.
pub const METRICS: &str = "metrics.json";
/// A line a round of training.
pub const HISTORY: &str = "history.jsonl";
/// The config as it was run, defaults filled in.
pub const CONFIG: &str = "config.toml";
/// What the inputs of the training rows look like.
pub const SUMMARY: &str = "summary.json";
/// How the run went.
pub const RUN: &str = "run.json";
/// What `--resume` goes on from.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
/// The folder of the fits that `--resume` goes on with where the model is an ensemble.
pub const FITS: &str = "fits";

/// The files that belong to one model: they are replaced together.
pub const OWN: &[&str] = &[TENSORS, METRICS, HISTORY, CONFIG, RUN, CONFORMAL, SUMMARY, BACKGROUND, MODEL];

/// Version of the directory's layout. A change that old programs cannot read raises it.
const FORMAT: u64 = 1;

/// Why a model directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// Not there, or something else.
    #[error("{0} is no model directory: it has no model.json")]
    NoModel(PathBuf),
    /// Made by a program with another layout.
    #[error("{path}: the model has format {found}, this program reads format {FORMAT}")]
    Version {
        /// The file.
        path: PathBuf,
        /// The format it says.
        found: String,
    },
    /// Truncated, edited, or mixed up.
    #[error("{path}: the model is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        reason: String,
    },
    /// The place for a new one holds something else.
    #[error("{0} is not empty and no model directory; nothing was written")]
    Occupied(PathBuf),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ModelError {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            ModelError::NoModel(_) => "give the directory that `polytask train CONFIG --out DIR` wrote",
            ModelError::Version { .. } => "train the model again, or use the program that made it",
            ModelError::Damaged { .. } => "restore the directory from a copy, or train the model again",
            ModelError::Occupied(_) => "give --out a new directory, an empty one, or one with an older model",
            ModelError::File(_) => return None,
        };
        Some(hint.to_owned())
    }
}

/// `model.json`.
#[derive(Serialize, Deserialize)]
struct File {
    format: u64,
    /// The version of the program that wrote it.
    polytask: String,
    /// CRC-32 of `model` and of the weights' file: a model that was edited or mixed up predicts nonsense silently.
    checksum: Checksum,
    model: Value,
}

#[derive(Serialize, Deserialize)]
struct Checksum {
    model: u32,
    tensors: u32,
}

#[derive(Serialize, Deserialize)]
struct Content {
    tasks: Vec<Task>,
    encoder: Encoder,
    #[serde(flatten)]
    dialect: Dialect,
    #[serde(flatten)]
    body: Stored,
}

impl Model {
    /// Makes sure that a model can be written to `folder`: better to know now than after an hour of training. Leaves
    /// nothing behind.
    ///
    /// # Errors
    /// It holds something that is no model, or cannot be written.
    pub fn check_room(folder: &Path) -> Result<(), ModelError> {
        files::check_folder(folder)?;
        // A set of groups that was interrupted has no model yet, and its first group's checkpoint or fits.
        let ours = [MODEL, CHECKPOINT, FITS, "groups/0/checkpoint.safetensors", "groups/0/fits"];
        let ours = ours.iter().any(|name| folder.join(name).exists());
        match ours || files::only_leftovers(folder) {
            true => Ok(()),
            false => Err(ModelError::Occupied(folder.to_owned())),
        }
    }

    /// Writes weights and description to a directory, in the place of an older model and all that belongs to it; makes the
    /// folder where it is not there.
    ///
    /// # Errors
    /// A file cannot be written; an older model stays.
    pub fn save(&self, folder: &Path) -> Result<(), ModelError> {
        let mut new = Replacement::begin(folder)?;
        self.write(&mut new)?;
        Ok(new.commit(OWN)?)
    }

    /// Writes weights and description to what is going to be its directory.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn write(&self, new: &mut Replacement) -> Result<(), ModelError> {
        let mut arrays = Vec::new();
        let body = self.body.store("", &mut arrays);
        self.encoder.held().for_each(|(name, held)| held.store(&name, &mut arrays));
        let tensors = new.arrays(TENSORS, &arrays)?;
        let content =
            Content { tasks: self.tasks.clone(), encoder: self.encoder.clone(), dialect: self.dialect.clone(), body };
        let model = serde_json::to_value(&content).map_err(FileError::from)?;
        let file = File {
            format: FORMAT,
            polytask: env!("CARGO_PKG_VERSION").to_owned(),
            checksum: Checksum { model: checksum(&model), tensors },
            model,
        };
        let text = serde_json::to_string_pretty(&file).map_err(FileError::from)?;
        Ok(new.write(MODEL, text.as_bytes())?)
    }

    /// Reads a model and checks that it holds together.
    ///
    /// # Errors
    /// No model there, another format, or a damaged one.
    pub fn load(folder: &Path) -> Result<Self, ModelError> {
        match Self::read_whole(folder) {
            // Between the two files another model may have taken the directory.
            Err(ModelError::Damaged { .. }) => Self::read_whole(folder),
            other => other,
        }
    }

    fn read_whole(folder: &Path) -> Result<Self, ModelError> {
        let path = files::find(folder, MODEL);
        if !path.exists() {
            return Err(ModelError::NoModel(folder.to_owned()));
        }
        let text = files::read_text(&path)?;
        let tensors = || {
            let place = files::find(folder, TENSORS);
            std::fs::read(&place).map_err(|source| FileError::Read { path: place, source })
        };
        Self::decode(&path, &text, tensors)
    }

    /// The model of a `model.json`, which is at `path` or nowhere, and of the weights' file, which is asked for once it is
    /// known that the first can be read.
    ///
    /// # Errors
    /// Another format, or a damaged model: nothing in one that is read is looked up that is not there.
    pub fn decode(
        path: &Path,
        text: &str,
        tensors: impl FnOnce() -> Result<Vec<u8>, FileError>,
    ) -> Result<Self, ModelError> {
        let damaged = |reason: String| ModelError::Damaged { path: path.to_owned(), reason };
        let value: Value = serde_json::from_str(text).map_err(|e| damaged(e.to_string()))?;
        if value.get("format").and_then(Value::as_u64) != Some(FORMAT) {
            let found = value.get("format").map_or_else(|| "unknown".to_owned(), Value::to_string);
            return Err(ModelError::Version { path: path.to_owned(), found });
        }
        let file: File = serde_json::from_value(value).map_err(|e| damaged(e.to_string()))?;
        let bytes = tensors()?;
        if checksum(&file.model) != file.checksum.model {
            return Err(damaged("it was changed after it was written".into()));
        }
        if crc32fast::hash(&bytes) != file.checksum.tensors {
            return Err(damaged(format!("{TENSORS} is not the one that was written with it")));
        }
        let content: Content = serde_json::from_value(file.model).map_err(|e| damaged(e.to_string()))?;
        let Content { tasks, mut encoder, dialect, body } = content;
        encoder.check().map_err(|e| damaged(e.to_string()))?;
        tasks.iter().try_for_each(Task::check).map_err(|e| damaged(e.to_string()))?;
        let arrays = files::decode_arrays(&path.with_file_name(TENSORS), &bytes)?;
        let mut arrays = arrays.into_iter().map(|array| (array.name.clone(), array)).collect::<HashMap<_, _>>();
        for (name, held) in encoder.held_mut() {
            held.load(&name, &mut arrays).map_err(damaged)?;
        }
        let body = body.restore("", &mut arrays, tasks.len()).map_err(damaged)?;
        if let Some(name) = arrays.keys().min() {
            return Err(damaged(format!("{TENSORS} has the array {name}, which nothing reads")));
        }
        let model = Model { body, encoder, tasks, dialect, device: Device::default() };
        model.check().map_err(damaged)?;
        Ok(model)
    }
}

fn checksum(model: &Value) -> u32 {
    // Keys of a value are in order, and floats print so that they read back the same: the text is canonical.
    crc32fast::hash(model.to_string().as_bytes())
}
