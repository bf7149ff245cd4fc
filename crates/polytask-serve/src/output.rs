//! Predictions as clients want them.

use crate::problem::{Kind, Problem};
use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use axum::http::HeaderValue;
use polytask::model::Model;
use polytask::output::{Cells, Rows, Tokens, Written};
use polytask::tasks::Prediction;
use polytask_data::Table;
use std::sync::Arc;

/// How predictions are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// `{"model": NAME, "predictions": [{...}, ...]}`, and `"notes": [...]` where there is something to say of the rows.
    Json,
    /// An object a line, as `predict --format jsonl` writes it.
    JsonLines,
    /// As `predict` writes it.
    Csv,
    /// A stream of Arrow IPC, with the columns of CSV.
    Arrow,
}

impl Output {
    pub fn media_type(self) -> &'static str {
        match self {
            Output::Json => "application/json",
            Output::JsonLines => "application/x-ndjson",
            Output::Csv => "text/csv; charset=utf-8",
            Output::Arrow => "application/vnd.apache.arrow.stream",
        }
    }
}

/// Predictions as they are sent.
pub struct Answer {
    pub body: Vec<u8>,
    /// What is to be said of the rows, where the body has no place for it.
    pub notes: Vec<String>,
}

/// Bytes of a header at most; many servers and clients refuse longer ones.
const HEADER: usize = 4096;

impl Answer {
    /// The notes as the value of a header, a JSON list of ASCII characters; none where there is no note. Of very many the first
    /// ones.
    pub fn header(&self) -> Option<HeaderValue> {
        let written = |notes: &[String]| {
            let text = serde_json::to_string(notes).unwrap_or_default();
            let ascii = |c: char| match c {
                c if c.is_ascii() => c.to_string(),
                c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
            };
            text.chars().map(ascii).collect::<String>()
        };
        let mut all = (1..=self.notes.len()).rev().map(|count| written(&self.notes[..count]));
        all.find(|text| text.len() <= HEADER).and_then(|text| HeaderValue::from_str(&text).ok())
    }
}

/// Writes the predictions for the rows of a table.
pub fn write(
    model: &Model,
    name: &str,
    table: &Table,
    predictions: &[Prediction],
    output: Output,
    probabilities: bool,
) -> Result<Answer, Problem> {
    let tokens = Tokens::read(model, table)?;
    if let (Some(task), Output::Csv | Output::Arrow) = (of_pixels(model), output) {
        return Err(Problem::new(
            Kind::Unfit,
            format!("the task `{}` labels pixels, for which a table has no place", task.name),
        )
        .hint("send `accept: application/json`"));
    }
    let masks = vec![Vec::new(); predictions.len()];
    let rows = Rows { model, files: None, predictions, tokens: &tokens, masks: &masks, failed: None };
    let failed = |error: &dyn std::error::Error| Problem::new(Kind::Internal, error.to_string());
    let notes = model.notes(table)?;
    let body = match output {
        Output::Json => {
            let body = json(&rows, name, probabilities, &notes).map_err(|error| failed(&error))?;
            return Ok(Answer { body, notes: Vec::new() });
        }
        Output::JsonLines => rows.jsonl(probabilities).map_err(|error| failed(&error))?,
        Output::Csv => rows.csv(probabilities),
        Output::Arrow => arrow(&rows, probabilities).map_err(|error| failed(&error))?,
    };
    Ok(Answer { body, notes })
}

/// A task whose predictions are images.
fn of_pixels(model: &Model) -> Option<&polytask::tasks::Task> {
    model.tasks.iter().find(|task| task.outcome().pixels().is_some())
}

fn json(rows: &Rows<'_>, name: &str, probabilities: bool, notes: &[String]) -> std::io::Result<Vec<u8>> {
    let mut out = b"{\"model\": ".to_vec();
    serde_json::to_writer(&mut out, name)?;
    out.extend_from_slice(b", \"predictions\": [");
    for row in 0..rows.count() {
        if row > 0 {
            out.extend_from_slice(b", ");
        }
        rows.object(row, probabilities, &mut out)?;
    }
    out.push(b']');
    if !notes.is_empty() {
        out.extend_from_slice(b", \"notes\": ");
        serde_json::to_writer(&mut out, notes)?;
    }
    out.extend_from_slice(b"}\n");
    Ok(out)
}

fn arrow(rows: &Rows<'_>, probabilities: bool) -> Result<Vec<u8>, ArrowError> {
    let all = 0..rows.count();
    let column = |Written { name, cells }: Written<'_>| -> (Field, ArrayRef) {
        match cells {
            Cells::Numbers(value) => (
                Field::new(name, DataType::Float64, false),
                Arc::new(Float64Array::from_iter_values(all.clone().map(value))),
            ),
            Cells::Shares(value) => (
                Field::new(name, DataType::Float32, false),
                Arc::new(Float32Array::from_iter_values(all.clone().map(value))),
            ),
            Cells::Texts(value) => (
                Field::new(name, DataType::Utf8, false),
                Arc::new(StringArray::from_iter_values(all.clone().map(value))),
            ),
        }
    };
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = rows.columns(probabilities).into_iter().map(column).unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    writer.write(&batch)?;
    writer.into_inner()
}
