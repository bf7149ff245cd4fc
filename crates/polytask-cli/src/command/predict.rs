//! `polytask predict`

use super::on_threads;
use crate::failure::Failure;
use polytask::files::{self, FileError};
use polytask::model::Model;
use polytask::task::Prediction;
use std::path::{Path, PathBuf};

/// Predict every task for the rows of a file
#[derive(clap::Args)]
pub struct Predict {
    /// The model directory
    model: PathBuf,
    /// A file with the inputs; label columns need not be there
    #[arg(long)]
    data: PathBuf,
    /// Where to write the CSV [default: standard output]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Add a column `TASK=CLASS` with the probability of every class
    #[arg(long)]
    probabilities: bool,
    /// Threads to use [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Predict {
    pub fn run(self) -> Result<(), Failure> {
        let model = Model::load(&self.model)?;
        let predictions = on_threads(self.threads, || {
            let mut options = model.read_options();
            // Labels are not read, so it does not matter what stands in their columns.
            for task in &model.tasks {
                options.hints.remove(&task.column);
            }
            let table = polytask_data::read(&self.data, &options)?;
            Ok::<_, Failure>(model.predict(&table)?)
        })??;
        let names: Vec<&str> = model.tasks.iter().map(|t| t.name.as_str()).collect();
        let text = csv(&names, &predictions, self.probabilities);
        match &self.out {
            Some(path) => Ok(files::write(path, &text.map_err(|source| unwritten(path, source))?)?),
            None => Ok(std::io::Write::write_all(&mut std::io::stdout().lock(), &text?)?),
        }
    }
}

fn unwritten(path: &Path, source: std::io::Error) -> FileError {
    FileError::Write { path: path.to_owned(), source }
}

/// A column a task, a line a row; with `probabilities` a column `TASK=CLASS` for every class behind its task.
fn csv(names: &[&str], predictions: &[Prediction], probabilities: bool) -> std::io::Result<Vec<u8>> {
    /// What stands in a row of a column.
    type Cell<'a> = Box<dyn Fn(usize) -> String + 'a>;
    let mut columns: Vec<(String, Cell<'_>)> = Vec::new();
    for (name, prediction) in names.iter().zip(predictions) {
        match prediction {
            Prediction::Numbers(values) => {
                columns.push(((*name).to_owned(), Box::new(|row| shortest(values[row]))));
            }
            Prediction::Classes { labels, probabilities: all } => {
                let best = prediction.classes();
                let label =
                    move |row: usize| best.get(row).and_then(|&b| labels.get(b as usize)).cloned().unwrap_or_default();
                columns.push(((*name).to_owned(), Box::new(label)));
                for (i, class) in labels.iter().enumerate().filter(|_| probabilities) {
                    let value = move |row: usize| shortest(all[row * labels.len() + i]);
                    columns.push((format!("{name}={class}"), Box::new(value)));
                }
            }
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns.iter().map(|(name, _)| name))?;
    for row in 0..predictions.first().map_or(0, Prediction::len) {
        writer.write_record(columns.iter().map(|(_, value)| value(row)))?;
    }
    writer.into_inner().map_err(|e| e.into_error())
}

/// The model computes in f32: more digits would be noise.
fn shortest(value: f64) -> String {
    (value as f32).to_string()
}
