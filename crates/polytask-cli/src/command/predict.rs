//! `polytask predict`

mod tokens;

use super::on_threads;
use crate::failure::Failure;
use clap::ValueEnum;
use polytask::files::{self, FileError};
use polytask::model::Model;
use polytask::task::Prediction;
use polytask_data::{Column, Table};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tokens::Tokens;

/// Predict every task for the rows of a file
#[derive(clap::Args)]
pub struct Predict {
    /// The model directory
    model: PathBuf,
    /// A file with the inputs; label columns need not be there
    #[arg(long, required_unless_present = "text", conflicts_with = "text")]
    data: Option<PathBuf>,
    /// A text to predict for, in place of a file; may be given several times
    #[arg(long)]
    text: Vec<String>,
    /// How predictions are written; with `jsonl` spans come with the places of their characters
    #[arg(long, value_enum, default_value = "csv")]
    format: Layout,
    /// Where to write the predictions [default: standard output]
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
        let text = on_threads(self.threads, || {
            let table = self.table(&model)?;
            let predictions = model.predict(&table)?;
            let tokens = tokens::Tokens::read(&model, &table)?;
            let text = match self.format {
                Layout::Csv => csv(&model, &predictions, &tokens, self.probabilities),
                Layout::Jsonl => jsonl(&model, &predictions, &tokens, self.probabilities),
            };
            Ok::<_, Failure>(text)
        })??;
        match &self.out {
            Some(path) => Ok(files::write(path, &text.map_err(|source| unwritten(path, source))?)?),
            None => Ok(std::io::Write::write_all(&mut std::io::stdout().lock(), &text?)?),
        }
    }
}

impl Predict {
    fn table(&self, model: &Model) -> Result<Table, Failure> {
        let Some(path) = &self.data else {
            let Some((column, _)) = model.encoder.text_inputs().next() else { return Err(Failure::NoText) };
            let column = Column::text(column, self.text.iter().map(|text| Some(text.as_str())));
            return Ok(Table::from_columns(vec![column])?);
        };
        let mut options = model.read_options();
        // Labels are not read, so it does not matter what stands in their columns.
        for task in &model.tasks {
            options.hints.remove(&task.column);
        }
        Ok(polytask_data::read(path, &options)?)
    }
}

/// How predictions are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// A column a task; spans stand in the text, as in `wake me at [nine](time)`
    Csv,
    /// A JSON object a line, a key a task
    Jsonl,
}

fn unwritten(path: &Path, source: std::io::Error) -> FileError {
    FileError::Write { path: path.to_owned(), source }
}

/// An object a row, a key a task; with `probabilities` an object `TASK probabilities` behind every task of classes.
fn jsonl(
    model: &Model,
    predictions: &[Prediction],
    tokens: &Tokens<'_>,
    probabilities: bool,
) -> std::io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for row in 0..predictions.first().map_or(0, Prediction::len) {
        let mut line = Vec::new();
        for (task, prediction) in model.tasks.iter().zip(predictions) {
            let value = match prediction {
                Prediction::Numbers(values) => json!(values[row] as f32),
                Prediction::Classes { labels, probabilities: all } => {
                    let own = &all[row * labels.len()..(row + 1) * labels.len()];
                    if probabilities {
                        let shares = labels.iter().zip(own).map(|(label, p)| (label.clone(), json!(*p as f32)));
                        line.push((format!("{} probabilities", task.name), Value::Object(shares.collect())));
                    }
                    json!(best(prediction, row))
                }
                Prediction::Spans(spans) => tokens.spans(row, &spans[row]),
                Prediction::Tokens { .. } => json!(best_of_tokens(prediction, row)),
            };
            line.push((task.name.clone(), value));
        }
        // Objects of this JSON library are in the order of their keys, so the line is put together here.
        let pairs: Vec<String> =
            line.into_iter().map(|(key, value)| format!("{}: {value}", Value::String(key))).collect();
        out.extend_from_slice(format!("{{{}}}\n", pairs.join(", ")).as_bytes());
    }
    Ok(out)
}

/// The likeliest class of a row.
fn best(prediction: &Prediction, row: usize) -> &str {
    let Prediction::Classes { labels, probabilities } = prediction else { return "" };
    let own = &probabilities[row * labels.len()..(row + 1) * labels.len()];
    let mut best = 0;
    for (class, p) in own.iter().enumerate() {
        if *p > own[best] {
            best = class;
        }
    }
    &labels[best]
}

/// The class of every token of a row.
fn best_of_tokens(prediction: &Prediction, row: usize) -> Vec<&str> {
    let Prediction::Tokens { labels, classes } = prediction else { return Vec::new() };
    classes[row].iter().map(|class| labels[*class as usize].as_str()).collect()
}

/// A column a task, a line a row; with `probabilities` a column `TASK=CLASS` for every class behind its task.
fn csv(
    model: &Model,
    predictions: &[Prediction],
    tokens: &Tokens<'_>,
    probabilities: bool,
) -> std::io::Result<Vec<u8>> {
    /// What stands in a row of a column.
    type Cell<'a> = Box<dyn Fn(usize) -> String + 'a>;
    let mut columns: Vec<(String, Cell<'_>)> = Vec::new();
    for (task, prediction) in model.tasks.iter().zip(predictions) {
        let name = &task.name;
        match prediction {
            Prediction::Numbers(values) => {
                columns.push((name.clone(), Box::new(|row| shortest(values[row]))));
            }
            Prediction::Classes { labels, probabilities: all } => {
                columns.push((name.clone(), Box::new(|row| best(prediction, row).to_owned())));
                for (i, class) in labels.iter().enumerate().filter(|_| probabilities) {
                    let value = move |row: usize| shortest(all[row * labels.len() + i]);
                    columns.push((format!("{name}={class}"), Box::new(value)));
                }
            }
            Prediction::Spans(spans) => {
                columns.push((name.clone(), Box::new(|row| tokens.inline(row, &spans[row]))));
            }
            Prediction::Tokens { .. } => {
                columns.push((name.clone(), Box::new(|row| best_of_tokens(prediction, row).join(" "))));
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
