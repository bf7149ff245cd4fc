//! A body in one file, with a checksum: what an interrupted run goes on with.

use super::{Body, Stored};
use crate::files::{self, FileError};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// What the file says beside its arrays.
#[derive(Serialize, Deserialize)]
struct State<T> {
    /// What the body was made of.
    of: T,
    body: Stored,
}

impl Body {
    /// Writes it to a file, with a word of what it was made of.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn save(&self, path: &Path, of: &impl Serialize) -> Result<(), FileError> {
        let mut arrays = Vec::new();
        let body = self.store("", &mut arrays);
        files::write_sealed(path, &arrays, &serde_json::to_string(&State { of, body })?)
    }

    /// Reads what [`save`](Self::save) wrote of a body for so many tasks.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, or holds something else.
    pub fn load<T: for<'a> Deserialize<'a>>(path: &Path, tasks: usize) -> Result<(Self, T), FileError> {
        let damaged = |reason: String| FileError::Tensors { path: path.to_owned(), reason };
        let (arrays, state) = files::read_sealed(path)?;
        let State { of, body } = serde_json::from_str(&state).map_err(|e| damaged(e.to_string()))?;
        let mut arrays: HashMap<_, _> = arrays.into_iter().map(|array| (array.name.clone(), array)).collect();
        Ok((body.restore("", &mut arrays, tasks).map_err(damaged)?, of))
    }
}
