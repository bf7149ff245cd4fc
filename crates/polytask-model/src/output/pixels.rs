//! Predictions of pixels: image files of their own, or lists of lines.

use crate::Error;
use crate::files::{self, FileError};
use crate::model::Model;
use crate::tasks::{Prediction, Task};
use polytask_data::Column;
use polytask_data::image::write_mask;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Where the masks of each task were written, by task and row; empty for tasks that do not label pixels.
pub type Masks = Vec<Vec<String>>;

/// Writes the predictions of every task that labels pixels into `folder`, as `TASK/ROW.png`, or by the names of the files that
/// the rows are. Classes are the numbers they had in masks, or else their places in the list of classes; quantities are
/// rounded to whole numbers, and what is below 0 or above 65535 is that.
///
/// # Errors
/// A file cannot be written.
pub fn write_masks(
    folder: &Path,
    model: &Model,
    files: Option<&Column>,
    predictions: &[Prediction],
) -> Result<Masks, Error> {
    let tasks = model.tasks.iter().zip(predictions);
    let of = |(task, prediction): (&Task, &Prediction)| {
        let Some(size) = size(prediction) else { return Ok(Vec::new()) };
        let folder = folder.join(&task.name);
        let rows = 0..prediction.len();
        let one = |row: usize| {
            let path = folder.join(name(files, row));
            if let Some(parent) = path.parent() {
                files::make_folder(parent)?;
            }
            let mask = write_mask(&numbers(prediction, row), size);
            files::write(&path, &mask.map_err(|source| FileError::Write { path: path.clone(), source })?)?;
            Ok::<_, Error>(path.display().to_string())
        };
        rows.into_par_iter().map(one).collect()
    };
    tasks.map(of).collect()
}

/// The name of a row's file.
fn name(files: Option<&Column>, row: usize) -> PathBuf {
    match files.and_then(|files| files.shown(row)) {
        // Two files may differ in their ends alone.
        Some(file) if Path::new(&file).extension().is_none_or(|end| !end.eq_ignore_ascii_case("png")) => {
            PathBuf::from(file + ".png")
        }
        Some(file) => PathBuf::from(file),
        None => PathBuf::from(format!("{row}.png")),
    }
}

/// Height and width of what is predicted pixel by pixel.
pub(super) fn size(prediction: &Prediction) -> Option<[usize; 2]> {
    match prediction {
        Prediction::PixelClasses { size, .. } | Prediction::PixelNumbers { size, .. } => Some(*size),
        _ => None,
    }
}

/// The numbers of a row's mask.
fn numbers(prediction: &Prediction, row: usize) -> Vec<u16> {
    match prediction {
        Prediction::PixelClasses { labels, size: [height, width], classes } => {
            let codes: Option<Vec<u16>> = labels.iter().map(|label| label.parse().ok()).collect();
            let codes = codes.unwrap_or_else(|| (0..labels.len() as u16).collect());
            let own = &classes[row * height * width..(row + 1) * height * width];
            own.iter().map(|class| codes[usize::from(*class)]).collect()
        }
        Prediction::PixelNumbers { size: [height, width], values } => {
            let own = &values[row * height * width..(row + 1) * height * width];
            own.iter().map(|value| value.round().clamp(0.0, 65_535.0) as u16).collect()
        }
        _ => Vec::new(),
    }
}

/// A row's predictions as a list of the lines of its image.
pub(super) fn lines(prediction: &Prediction, row: usize) -> Value {
    let Some([height, width]) = size(prediction) else { return Value::Null };
    let place = row * height * width..(row + 1) * height * width;
    match prediction {
        Prediction::PixelClasses { labels, classes, .. } => {
            let label = |label: &String| label.parse::<i64>().map_or_else(|_| json!(label), |number| json!(number));
            let labels: Vec<Value> = labels.iter().map(label).collect();
            let line = |line: &[u8]| line.iter().map(|class| labels[usize::from(*class)].clone()).collect::<Value>();
            classes[place].chunks_exact(width).map(line).collect()
        }
        Prediction::PixelNumbers { values, .. } => values[place].chunks_exact(width).map(|line| json!(line)).collect(),
        _ => Value::Null,
    }
}
