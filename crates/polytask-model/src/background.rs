//! A few training rows that are kept with a model: what an input that is not known is taken to be when a prediction is
//! explained.

use crate::files::{self, Array, FileError, Numbers, Replacement};
use crate::inputs::{Code, Encoder, Features};
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// The file in the model directory.
pub const BACKGROUND: &str = "background.safetensors";

/// Rows that are kept at most.
const MOST: usize = 64;

/// Some training rows as the model reads them: numbers and categories.
#[derive(Clone, Debug, PartialEq)]
pub struct Background(Features);

/// Why there are no rows to compare with.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoBackground {
    /// A model of an older program, of groups, or of texts or images.
    #[error("{0} has no {BACKGROUND}, the rows that predictions of networks are compared with")]
    None(PathBuf),
    /// Not of this model.
    #[error("{0} is not of this model")]
    Other(PathBuf),
    /// Damaged.
    #[error("{path} cannot be read: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl Background {
    /// Rows of these features, evenly spaced among `rows`; none where there are no rows, or the model reads texts word by word or
    /// images.
    pub fn of(encoder: &Encoder, features: &Features, rows: &[u32]) -> Option<Self> {
        let plain = |code: &Code| match code {
            Code::Number(_)
            | Code::Boolean(_)
            | Code::Category(_)
            | Code::Date(_)
            | Code::Encoded(_)
            | Code::Seen(_)
            | Code::Own(_) => true,
            Code::Text(_) | Code::Image(_) => false,
        };
        if rows.is_empty() || !encoder.inputs.iter().all(|input| plain(&input.code)) {
            return None;
        }
        let count = rows.len().min(MOST);
        let kept: Vec<usize> = (0..count).map(|i| rows[i * rows.len() / count] as usize).collect();
        Some(Background(features.take(&kept)))
    }

    /// The rows.
    pub fn features(&self) -> &Features {
        &self.0
    }

    /// Writes them to what is going to be a model directory.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, new: &mut Replacement) -> Result<(), FileError> {
        let Features { rows, numbers, number_width, indices, index_width, .. } = &self.0;
        let arrays = [
            Array {
                name: "numbers".to_owned(),
                dims: vec![*rows, *number_width],
                numbers: Numbers::F32(Cow::Borrowed(numbers)),
            },
            Array {
                name: "categories".to_owned(),
                dims: vec![*rows, *index_width],
                numbers: Numbers::U32(Cow::Borrowed(indices)),
            },
        ];
        new.arrays(BACKGROUND, &arrays).map(drop)
    }

    /// Reads those of a model directory.
    ///
    /// # Errors
    /// There are none, or they are not of this model.
    pub fn load(folder: &Path, encoder: &Encoder) -> Result<Self, NoBackground> {
        let path = files::find(folder, BACKGROUND);
        if !path.exists() {
            return Err(NoBackground::None(folder.to_owned()));
        }
        let unread = |reason: String| NoBackground::File { path: path.clone(), reason };
        let bytes = std::fs::read(&path).map_err(|error| unread(error.to_string()))?;
        let arrays = files::decode_arrays(&path, &bytes).map_err(|error| unread(error.to_string()))?;
        let levels: Vec<usize> = encoder.categories().map(|(_, category)| category.levels.len()).collect();
        let (number_width, index_width) = (encoder.number_width(), levels.len());
        let known = |(index, levels): (&u32, &usize)| *index == u32::MAX || (*index as usize) < *levels;
        match &arrays[..] {
            [
                Array { name: categories, dims: wide, numbers: Numbers::U32(indices) },
                Array { name, dims, numbers: Numbers::F32(numbers) },
            ] if name == "numbers"
                && categories == "categories"
                && matches!(dims[..], [rows, width] if rows > 0 && width == number_width && wide[..] == [rows, index_width])
                && numbers.iter().all(|value| value.is_finite())
                && indices.iter().zip(levels.iter().cycle()).all(known) =>
            {
                let (numbers, indices) = (numbers.to_vec(), indices.to_vec());
                Ok(Background(Features::plain(dims[0], (numbers, number_width), (indices, index_width))))
            }
            _ => Err(NoBackground::Other(path)),
        }
    }
}
