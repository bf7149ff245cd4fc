//! Predictions written down, the same wherever they are asked for.

mod explained;
mod pixels;
mod tokens;

pub use explained::Explained;
pub use pixels::{Masks, write_masks};
pub use tokens::Tokens;

use crate::conformal::Bound;
use crate::model::Model;
use crate::tasks::Prediction;
use polytask_data::Column;
use rayon::prelude::*;
use serde::Serializer;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

/// Predictions of all tasks for the rows of a table.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// What predicted.
    pub model: &'a Model,
    /// What tells the rows apart: a column of the data, or the files that they are where they come from a folder.
    pub files: Option<&'a Column>,
    /// By task.
    pub predictions: &'a [Prediction],
    /// The texts of the rows.
    pub tokens: &'a Tokens<'a>,
    /// Where what was predicted of pixels was written.
    pub masks: &'a Masks,
    /// Rows that nothing could be predicted for, and why, where that is no reason to stop.
    pub failed: Option<&'a BTreeMap<usize, String>>,
    /// What is written beside the predictions.
    pub beside: Beside<'a>,
}

/// What is written beside predictions.
#[derive(Clone, Copy, Default)]
pub struct Beside<'a> {
    /// The probability of every class or label.
    pub probabilities: bool,
    /// By task, how an interval or a set of classes is made.
    pub bounds: Option<&'a [Bound]>,
    /// What each input adds to the predictions. It stands in objects alone: columns have no place for it.
    pub explained: Option<Explained<'a>>,
}

/// A column of written predictions.
pub struct Written<'a> {
    /// Unique among the columns.
    pub name: String,
    /// What stands in its rows.
    pub cells: Cells<'a>,
}

/// What stands in each row of a column.
pub enum Cells<'a> {
    /// Quantities, with the digits that the model tells.
    Numbers(Box<dyn Fn(usize) -> f64 + Sync + 'a>),
    /// Probabilities. The model computes in f32: more digits would be noise.
    Shares(Box<dyn Fn(usize) -> f32 + Sync + 'a>),
    /// Texts.
    Texts(Box<dyn Fn(usize) -> Cow<'a, str> + Sync + 'a>),
}

/// What is said of a row that nothing could be predicted for stands under this name.
const ERROR: &str = "error";

/// Rows that a thread writes at a time.
const ROWS: usize = 4096;

impl<'a> Rows<'a> {
    /// The number of rows.
    pub fn count(&self) -> usize {
        self.predictions.first().map_or(0, Prediction::len)
    }

    /// An object a row, a key a task; with probabilities an object `TASK probabilities` beside every task of classes or
    /// labels, with bounds a list `TASK interval` or `TASK set`, with explanations an object `TASK explanation`.
    ///
    /// # Errors
    /// None: memory takes all that is written.
    pub fn jsonl(&self) -> std::io::Result<Vec<u8>> {
        let mut out = Vec::new();
        for row in 0..self.count() {
            self.object(row, &mut out)?;
            out.push(b'\n');
        }
        Ok(out)
    }

    /// Adds the object of one row.
    ///
    /// # Errors
    /// None: memory takes all that is written.
    pub fn object(&self, row: usize, out: &mut Vec<u8>) -> std::io::Result<()> {
        let Rows { model, files, predictions, tokens, masks, failed, beside } = *self;
        // Objects of the JSON library are in the order of their keys, so the object is put together here.
        let mut mark = b'{';
        let mut key = |name: &str, out: &mut Vec<u8>| -> std::io::Result<()> {
            out.push(mark);
            if mark == b',' {
                out.push(b' ');
            }
            mark = b',';
            serde_json::to_writer(&mut *out, name)?;
            out.extend_from_slice(b": ");
            Ok(())
        };
        if let Some(files) = files {
            key(&files.name, out)?;
            serde_json::to_writer(&mut *out, &files.shown(row))?;
        }
        if let Some(reason) = failed.and_then(|failed| failed.get(&row)) {
            key(ERROR, out)?;
            serde_json::to_writer(&mut *out, reason)?;
            out.push(b'}');
            return Ok(());
        }
        for (at, ((task, prediction), masks)) in model.tasks.iter().zip(predictions).zip(masks).enumerate() {
            if let Prediction::Classes { labels, probabilities: all, .. }
            | Prediction::Labels { labels, probabilities: all, .. } = prediction
                && beside.probabilities
            {
                key(&format!("{} probabilities", task.name), out)?;
                serde_json::to_writer(&mut *out, &shares(labels, all, row))?;
            }
            if let Prediction::Survival { times, alive } = prediction
                && beside.probabilities
            {
                key(&format!("{} probabilities", task.name), out)?;
                let own = times.iter().zip(&alive[row * times.len()..]);
                let shares = own.map(|(time, share)| (time.to_string(), *share as f32));
                serde_json::Serializer::new(&mut *out).collect_map(shares)?;
            }
            let bound = beside.bounds.and_then(|bounds| bounds.get(at));
            match (prediction, bound) {
                (Prediction::Numbers(values), Some(bound)) => {
                    if let Some(interval) = bound.interval(values[row]) {
                        key(&format!("{} interval", task.name), out)?;
                        serde_json::to_writer(&mut *out, &json!(interval))?;
                    }
                }
                (Prediction::Classes { labels, probabilities, .. }, Some(bound @ Bound::Likely(_))) => {
                    key(&format!("{} set", task.name), out)?;
                    serde_json::to_writer(&mut *out, &set(bound, labels, probabilities, row))?;
                }
                _ => {}
            }
            if let Some(explained) = beside.explained {
                key(&format!("{} explanation", task.name), out)?;
                explained.object(row, at, out)?;
            }
            key(&task.name, out)?;
            match prediction {
                Prediction::Numbers(values) => serde_json::to_writer(&mut *out, &json!(values[row]))?,
                Prediction::Survival { .. } => {
                    let expected = prediction.select(&[row as u32]).expected_times();
                    serde_json::to_writer(&mut *out, &json!(expected.first()))?;
                }
                Prediction::Classes { .. } => serde_json::to_writer(&mut *out, prediction.class(row))?,
                Prediction::Labels { .. } => serde_json::to_writer(&mut *out, &prediction.likely_labels(row))?,
                Prediction::Spans(spans) => serde_json::to_writer(&mut *out, &tokens.spans(row, &spans[row]))?,
                Prediction::Tokens { .. } => serde_json::to_writer(&mut *out, &best_of_tokens(prediction, row))?,
                Prediction::Frames(frames) => serde_json::to_writer(&mut *out, &tokens.frames(row, &frames[row]))?,
                Prediction::Arcs { .. } => serde_json::to_writer(&mut *out, &arcs(prediction, row))?,
                Prediction::PixelClasses { .. } | Prediction::PixelNumbers { .. } => match masks.get(row) {
                    Some(path) => serde_json::to_writer(&mut *out, path)?,
                    None => serde_json::to_writer(&mut *out, &pixels::lines(prediction, row))?,
                },
            }
        }
        out.push(b'}');
        Ok(())
    }

    /// A column a task; with probabilities a column `TASK=CLASS` for every class or label behind its task, with bounds
    /// columns `TASK low` and `TASK high`, or `TASK set` with `|` between the classes.
    pub fn columns(&self) -> Vec<Written<'a>> {
        let Rows { model, files, predictions, tokens, masks, failed, beside } = *self;
        let mut columns: Vec<Written<'a>> = Vec::new();
        let mut push = |name: String, cells: Cells<'a>| columns.push(Written { name, cells });
        if let Some(files) = files {
            push(files.name.clone(), Cells::Texts(Box::new(|row| files.shown(row).unwrap_or_default().into())));
        }
        for (at, ((task, prediction), masks)) in model.tasks.iter().zip(predictions).zip(masks).enumerate() {
            let name = &task.name;
            let bound = beside.bounds.and_then(|bounds| bounds.get(at));
            match prediction {
                Prediction::Numbers(values) => {
                    push(name.clone(), Cells::Numbers(Box::new(|row| values[row])));
                    for (end, word) in ["low", "high"].into_iter().enumerate() {
                        if let Some(bound) = bound.filter(|bound| bound.interval(0.0).is_some()) {
                            let of = move |row: usize| bound.interval(values[row]).map_or(f64::NAN, |ends| ends[end]);
                            push(format!("{name} {word}"), Cells::Numbers(Box::new(of)));
                        }
                    }
                }
                Prediction::Classes { labels, probabilities: all, .. }
                | Prediction::Labels { labels, probabilities: all, .. } => {
                    push(name.clone(), Cells::Texts(Box::new(|row| said(prediction, row))));
                    if let Some(bound @ Bound::Likely(_)) = bound {
                        let of = |row: usize| set(bound, labels, all, row).join("|").into();
                        push(format!("{name} set"), Cells::Texts(Box::new(of)));
                    }
                    for (i, class) in labels.iter().enumerate().filter(|_| beside.probabilities) {
                        let value = move |row: usize| all[row * labels.len() + i] as f32;
                        push(format!("{name}={class}"), Cells::Shares(Box::new(value)));
                    }
                }
                Prediction::Survival { times, alive } => {
                    let expected = prediction.expected_times();
                    push(name.clone(), Cells::Numbers(Box::new(move |row| expected[row])));
                    for (i, time) in times.iter().enumerate().filter(|_| beside.probabilities) {
                        let value = move |row: usize| alive[row * times.len() + i] as f32;
                        push(format!("{name}>{time}"), Cells::Shares(Box::new(value)));
                    }
                }
                Prediction::Spans(spans) => {
                    push(name.clone(), Cells::Texts(Box::new(|row| tokens.inline(row, &spans[row]).into())));
                }
                Prediction::Tokens { .. } => {
                    push(name.clone(), Cells::Texts(Box::new(|row| best_of_tokens(prediction, row).join(" ").into())));
                }
                Prediction::Frames(frames) => {
                    push(name.clone(), Cells::Texts(Box::new(|row| tokens.inline_frames(row, &frames[row]).into())));
                }
                Prediction::Arcs { .. } => {
                    let shown = |row| arcs(prediction, row).iter().map(Arc::to_string).collect::<Vec<_>>().join(" ");
                    push(name.clone(), Cells::Texts(Box::new(move |row| shown(row).into())));
                }
                Prediction::PixelClasses { .. } | Prediction::PixelNumbers { .. } => {
                    let path = |row: usize| masks.get(row).map_or("", String::as_str).into();
                    push(name.clone(), Cells::Texts(Box::new(path)));
                }
            }
        }
        if let Some(failed) = failed {
            let reason = |row: usize| failed.get(&row).map_or("", String::as_str).into();
            push(ERROR.to_owned(), Cells::Texts(Box::new(reason)));
        }
        columns
    }

    /// The [`columns`](Self::columns), a line a row.
    pub fn csv(&self) -> Vec<u8> {
        let columns = self.columns();
        let names: Vec<Cow<'_, str>> = columns.iter().map(|column| field(&column.name)).collect();
        let rows: Vec<usize> = (0..self.count()).collect();
        let written = rows.par_chunks(ROWS).map(|rows| {
            let mut out = Vec::new();
            for &row in rows {
                let start = out.len();
                let is_failed = self.failed.is_some_and(|failed| failed.contains_key(&row));
                let said = |name: &str| name == ERROR || self.files.is_some_and(|files| files.name == name);
                for (i, column) in columns.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    if is_failed && !said(&column.name) {
                        continue;
                    }
                    match &column.cells {
                        Cells::Numbers(value) => number(value(row), &mut out),
                        Cells::Shares(value) => share(value(row), &mut out),
                        Cells::Texts(text) => out.extend(field(&text(row)).as_bytes()),
                    }
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
        let mut all = format!("{}\n", names.join(",")).into_bytes();
        all.reserve_exact(written.iter().map(Vec::len).sum());
        // Each part goes as soon as it is copied, or memory would hold all of it twice.
        written.into_iter().for_each(|part| all.extend(part));
        all
    }
}

/// A number in the fewest digits that read back as the same, written as `Display` does, which is several times slower.
fn number(value: f64, out: &mut Vec<u8>) {
    let size = value.abs();
    match value.is_finite() && (1e-4..1e15).contains(&size) {
        true => digits(zmij::Buffer::new().format_finite(value), out),
        // Writing to memory does not fail.
        false if (1e-15..1e21).contains(&size) || size == 0.0 => drop(write!(out, "{value}")),
        // Hundreds of noughts help nobody.
        false => drop(write!(out, "{value:e}")),
    }
}

/// The same for a probability.
fn share(value: f32, out: &mut Vec<u8>) {
    match value.is_finite() && (1e-4..1e7).contains(&value.abs()) {
        true => digits(zmij::Buffer::new().format_finite(value), out),
        false => drop(write!(out, "{value}")),
    }
}

fn digits(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

/// A field of a CSV file, in quotes where it needs them.
fn field(text: &str) -> Cow<'_, str> {
    match text.contains(['"', ',', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into(),
        false => text.into(),
    }
}

/// The classes of a row's set.
fn set<'a>(bound: &Bound, labels: &'a [String], probabilities: &[f64], row: usize) -> Vec<&'a str> {
    let own = &probabilities[row * labels.len()..(row + 1) * labels.len()];
    bound.set(own).into_iter().map(|class| labels[class].as_str()).collect()
}

/// The class of every token of a row.
fn best_of_tokens(prediction: &Prediction, row: usize) -> Vec<&str> {
    let Prediction::Tokens { labels, classes } = prediction else { return Vec::new() };
    classes[row].iter().map(|class| labels[*class as usize].as_str()).collect()
}

/// What a token depends on, counted from 1 as in CoNLL-U, 0 for the root, and how.
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

/// What is said of a row: its class, or its labels.
fn said(prediction: &Prediction, row: usize) -> Cow<'_, str> {
    match prediction {
        Prediction::Labels { separator, .. } => prediction.likely_labels(row).join(separator).into(),
        _ => prediction.class(row).into(),
    }
}

/// An object of the probability of every class or label.
fn shares(labels: &[String], probabilities: &[f64], row: usize) -> Value {
    let own = &probabilities[row * labels.len()..(row + 1) * labels.len()];
    Value::Object(labels.iter().zip(own).map(|(label, p)| (label.clone(), json!(*p as f32))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back_and_are_no_longer_than_display_has_them() {
        let mut bits: u32 = 1;
        for _ in 0..20_000 {
            bits = bits.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let odd = f32::from_bits(bits);
            for value in [odd, (bits % 2000) as f32 - 1000.0, (bits % 100_000) as f32 / 1000.0] {
                if value.is_nan() {
                    continue;
                }
                let text = |write: &dyn Fn(&mut Vec<u8>)| {
                    let mut out = Vec::new();
                    write(&mut out);
                    String::from_utf8(out).unwrap()
                };
                let single = text(&|out| share(value, out));
                // Of two shortest forms that are as near, either will do.
                assert_eq!(
                    (single.parse::<f32>().unwrap().to_bits(), single.len()),
                    (value.to_bits(), value.to_string().len())
                );
                let wide = f64::from(value) * 1.000_000_1;
                let double = text(&|out| number(wide, out));
                assert_eq!(double.parse::<f64>().unwrap().to_bits(), wide.to_bits());
                assert!(double.len() <= wide.to_string().len());
            }
        }
    }
}
