//! Predictions written down.

use super::pixels::{self, Masks};
use super::tokens::Tokens;
use polytask::model::Model;
use polytask::task::Prediction;
use polytask_data::Column;
use rayon::prelude::*;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::io::Write;

/// Predictions of all tasks for the rows of a table.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    pub model: &'a Model,
    /// The files that the rows are, where they come from a folder.
    pub files: Option<&'a Column>,
    /// By task.
    pub predictions: &'a [Prediction],
    pub tokens: &'a Tokens<'a>,
    /// Where what was predicted of pixels was written.
    pub masks: &'a Masks,
}

impl Rows<'_> {
    /// An object a row, a key a task; with `probabilities` an object `TASK probabilities` behind every task of classes or
    /// labels.
    pub fn jsonl(&self, probabilities: bool) -> std::io::Result<Vec<u8>> {
        let Rows { model, files, predictions, tokens, masks } = *self;
        let mut out = Vec::new();
        for row in 0..predictions.first().map_or(0, Prediction::len) {
            let mut line = Vec::new();
            if let Some(files) = files {
                line.push((files.name.clone(), json!(files.shown(row))));
            }
            for ((task, prediction), masks) in model.tasks.iter().zip(predictions).zip(masks) {
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
                    Prediction::PixelClasses { .. } | Prediction::PixelNumbers { .. } => {
                        masks.get(row).map_or_else(|| pixels::lines(prediction, row), |path| json!(path))
                    }
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
        let Rows { model, files, predictions, tokens, masks } = *self;
        /// Writes what stands in a row of a column.
        type Cell<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + Sync + 'a>;
        let mut columns: Vec<(String, Cell<'_>)> = Vec::new();
        if let Some(files) = files {
            let write = |row, out: &mut Vec<u8>| out.extend(field(&files.shown(row).unwrap_or_default()).as_bytes());
            columns.push((files.name.clone(), Box::new(write)));
        }
        for ((task, prediction), masks) in model.tasks.iter().zip(predictions).zip(masks) {
            let name = &task.name;
            match prediction {
                Prediction::Numbers(values) => {
                    columns.push((name.clone(), Box::new(|row, out| number(values[row], out))));
                }
                Prediction::Classes { labels, probabilities: all }
                | Prediction::Labels { labels, probabilities: all, .. } => {
                    columns.push((name.clone(), said(prediction)));
                    for (i, class) in labels.iter().enumerate().filter(|_| probabilities) {
                        let write = move |row: usize, out: &mut Vec<u8>| number(all[row * labels.len() + i], out);
                        columns.push((format!("{name}={class}"), Box::new(write)));
                    }
                }
                Prediction::Spans(spans) => {
                    let write = |row: usize, out: &mut Vec<u8>| {
                        out.extend(field(&tokens.inline(row, &spans[row])).as_bytes());
                    };
                    columns.push((name.clone(), Box::new(write)));
                }
                Prediction::Tokens { .. } => {
                    let write = |row, out: &mut Vec<u8>| {
                        out.extend(field(&best_of_tokens(prediction, row).join(" ")).as_bytes());
                    };
                    columns.push((name.clone(), Box::new(write)));
                }
                Prediction::Frames(frames) => {
                    let write = |row: usize, out: &mut Vec<u8>| {
                        out.extend(field(&tokens.inline_frames(row, &frames[row])).as_bytes());
                    };
                    columns.push((name.clone(), Box::new(write)));
                }
                Prediction::Arcs { .. } => {
                    let write = |row, out: &mut Vec<u8>| {
                        let shown: Vec<String> = arcs(prediction, row).iter().map(Arc::to_string).collect();
                        out.extend(field(&shown.join(" ")).as_bytes());
                    };
                    columns.push((name.clone(), Box::new(write)));
                }
                Prediction::PixelClasses { .. } | Prediction::PixelNumbers { .. } => {
                    let write = |row: usize, out: &mut Vec<u8>| {
                        out.extend(field(masks.get(row).map_or("", String::as_str)).as_bytes());
                    };
                    columns.push((name.clone(), Box::new(write)));
                }
            }
        }
        let names: Vec<Cow<'_, str>> = columns.iter().map(|(name, _)| field(name)).collect();
        let rows: Vec<usize> = (0..predictions.first().map_or(0, Prediction::len)).collect();
        let written = rows.par_chunks(ROWS).map(|rows| {
            let mut out = Vec::new();
            for &row in rows {
                let start = out.len();
                for (i, (_, write)) in columns.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    write(row, &mut out);
                }
                // A line with nothing in it is none.
                if out.len() == start {
                    out.extend(b"\"\"");
                }
                out.push(b'\n');
            }
            out
        });
        let written: Vec<Vec<u8>> = written.collect();
        Ok([vec![format!("{}\n", names.join(",")).into_bytes()], written].concat().concat())
    }
}

/// Rows that a thread writes at a time.
const ROWS: usize = 4096;

/// A field of a CSV file, in quotes where it needs them.
fn field(text: &str) -> Cow<'_, str> {
    match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text.into(),
    }
}

/// The likeliest class of a row.
fn best(prediction: &Prediction, row: usize) -> &str {
    let Prediction::Classes { labels, probabilities } = prediction else { return "" };
    &labels[largest(probabilities, labels.len(), row)]
}

/// The place of the largest of a row's probabilities, the first of equals.
fn largest(probabilities: &[f64], classes: usize, row: usize) -> usize {
    let own = &probabilities[row * classes..(row + 1) * classes];
    let mut best = 0;
    for (class, p) in own.iter().enumerate() {
        if *p > own[best] {
            best = class;
        }
    }
    best
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

/// Writes something of a row.
type Say<'a> = dyn Fn(usize, &mut Vec<u8>) + Sync + 'a;

/// Writes the likeliest class of a row, or the labels that it is likelier to have than not.
fn said(prediction: &Prediction) -> Box<Say<'_>> {
    match prediction {
        Prediction::Labels { separator, .. } => Box::new(|row, out| {
            out.extend(field(&prediction.likely_labels(row).join(separator)).as_bytes());
        }),
        Prediction::Classes { labels, probabilities } => {
            let fields: Vec<Cow<'_, str>> = labels.iter().map(|label| field(label)).collect();
            Box::new(move |row, out| out.extend(fields[largest(probabilities, labels.len(), row)].as_bytes()))
        }
        _ => Box::new(|_, _| {}),
    }
}

/// An object of the probability of every class or label.
fn shares(task: &str, labels: &[String], probabilities: &[f64], row: usize) -> (String, Value) {
    let own = &probabilities[row * labels.len()..(row + 1) * labels.len()];
    let shares = labels.iter().zip(own).map(|(label, p)| (label.clone(), json!(*p as f32)));
    (format!("{task} probabilities"), Value::Object(shares.collect()))
}

/// The model computes in f32: more digits would be noise.
fn number(value: f64, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = write!(out, "{}", value as f32);
}
