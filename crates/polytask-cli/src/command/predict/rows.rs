//! Predictions written down.

use super::tokens::Tokens;
use polytask::model::Model;
use polytask::task::Prediction;
use polytask_data::Column;
use serde_json::{Value, json};

/// Predictions of all tasks for the rows of a table.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub model: &'a Model,
    /// The files that the rows are, where they come from a folder.
    pub files: Option<&'a Column>,
    /// By task.
    pub predictions: &'a [Prediction],
    pub tokens: &'a Tokens<'a>,
}

impl Rows<'_> {
    /// An object a row, a key a task; with `probabilities` an object `TASK probabilities` behind every task of classes or
    /// labels.
    pub fn jsonl(&self, probabilities: bool) -> std::io::Result<Vec<u8>> {
        let Rows { model, files, predictions, tokens } = *self;
        let mut out = Vec::new();
        for row in 0..predictions.first().map_or(0, Prediction::len) {
            let mut line = Vec::new();
            if let Some(files) = files {
                line.push((files.name.clone(), json!(files.shown(row))));
            }
            for (task, prediction) in model.tasks.iter().zip(predictions) {
                let value = match prediction {
                    Prediction::Numbers(values) => json!(values[row] as f32),
                    Prediction::Classes { labels, probabilities: all } => {
                        if probabilities {
                            line.push(shares(&task.name, labels, all, row));
                        }
                        json!(best(prediction, row))
                    }
                    Prediction::Labels { labels, probabilities: all, .. } => {
                        if probabilities {
                            line.push(shares(&task.name, labels, all, row));
                        }
                        json!(prediction.likely_labels(row))
                    }
                    Prediction::Spans(spans) => tokens.spans(row, &spans[row]),
                    Prediction::Tokens { .. } => json!(best_of_tokens(prediction, row)),
                    Prediction::Frames(frames) => tokens.frames(row, &frames[row]),
                    Prediction::Arcs { .. } => json!(arcs(prediction, row)),
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

    /// A column a task, a line a row; with `probabilities` a column `TASK=CLASS` for every class or label behind its task.
    pub fn csv(&self, probabilities: bool) -> std::io::Result<Vec<u8>> {
        let Rows { model, files, predictions, tokens } = *self;
        /// What stands in a row of a column.
        type Cell<'a> = Box<dyn Fn(usize) -> String + 'a>;
        let mut columns: Vec<(String, Cell<'_>)> = Vec::new();
        if let Some(files) = files {
            columns.push((files.name.clone(), Box::new(|row| files.shown(row).unwrap_or_default())));
        }
        for (task, prediction) in model.tasks.iter().zip(predictions) {
            let name = &task.name;
            match prediction {
                Prediction::Numbers(values) => {
                    columns.push((name.clone(), Box::new(|row| shortest(values[row]))));
                }
                Prediction::Classes { labels, probabilities: all }
                | Prediction::Labels { labels, probabilities: all, .. } => {
                    columns.push((name.clone(), Box::new(|row| said(prediction, row))));
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
                Prediction::Frames(frames) => {
                    columns.push((name.clone(), Box::new(|row| tokens.inline_frames(row, &frames[row]))));
                }
                Prediction::Arcs { .. } => {
                    let shown = |row| arcs(prediction, row).iter().map(Arc::to_string).collect::<Vec<_>>().join(" ");
                    columns.push((name.clone(), Box::new(shown)));
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

/// What a token hangs on, counted from 1 as in CoNLL-U, 0 for the root, and how.
#[derive(serde::Serialize)]
struct Arc<'a> {
    head: u32,
    label: &'a str,
}

impl std::fmt::Display for Arc<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.head, self.label)
    }
}

/// The tree of a row.
fn arcs(prediction: &Prediction, row: usize) -> Vec<Arc<'_>> {
    let Prediction::Arcs { labels, heads, relations } = prediction else { return Vec::new() };
    let arc = |(token, (head, relation)): (usize, (&u32, &u32))| Arc {
        head: if *head as usize == token { 0 } else { head + 1 },
        label: &labels[*relation as usize],
    };
    heads[row].iter().zip(&relations[row]).enumerate().map(arc).collect()
}

/// The likeliest class of a row, or the labels that it is likelier to have than not.
fn said(prediction: &Prediction, row: usize) -> String {
    match prediction {
        Prediction::Labels { separator, .. } => prediction.likely_labels(row).join(separator),
        _ => best(prediction, row).to_owned(),
    }
}

/// An object of the probability of every class or label.
fn shares(task: &str, labels: &[String], probabilities: &[f64], row: usize) -> (String, Value) {
    let own = &probabilities[row * labels.len()..(row + 1) * labels.len()];
    let shares = labels.iter().zip(own).map(|(label, p)| (label.clone(), json!(*p as f32)));
    (format!("{task} probabilities"), Value::Object(shares.collect()))
}

/// The model computes in f32: more digits would be noise.
fn shortest(value: f64) -> String {
    (value as f32).to_string()
}
