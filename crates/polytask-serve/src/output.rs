//! Predictions as clients want them.

use crate::problem::{Kind, Problem};
use arrow_array::{ArrayRef, Float32Array, Float64Array, RecordBatch, StringArray};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema};
use polytask::model::Model;
use polytask::output::{Beside, Cells, Rows, Tokens, Written};
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

/// Writes the predictions for the rows of a table.
pub fn write(
    model: &Model,
    name: &str,
    table: &Table,
    predictions: &[Prediction],
    output: Output,
    beside: Beside<'_>,
) -> Result<Vec<u8>, Problem> {
    let tokens = Tokens::read(model, table)?;
    if let (Some(task), Output::Csv | Output::Arrow) = (of_pixels(model), output) {
        return Err(Problem::new(
            Kind::Unfit,
            format!("the task `{}` labels pixels, for which a table has no place", task.name),
        )
        .hint("send `accept: application/json`"));
    }
    let masks = vec![Vec::new(); predictions.len()];
    let rows = Rows { model, files: None, predictions, tokens: &tokens, masks: &masks, failed: None, beside };
    let failed = |error: &dyn std::error::Error| Problem::new(Kind::Internal, error.to_string());
    match output {
        Output::Json => {
            let notes = model.notes(table)?;
            json(&rows, name, &notes).map_err(|error| failed(&error))
        }
        Output::JsonLines => rows.jsonl().map_err(|error| failed(&error)),
        Output::Csv => Ok(rows.csv()),
        Output::Arrow => arrow(&rows).map_err(|error| failed(&error)),
    }
}

/// A task whose predictions are images.
fn of_pixels(model: &Model) -> Option<&polytask::tasks::Task> {
    model.tasks.iter().find(|task| task.outcome().pixels().is_some())
}

fn json(rows: &Rows<'_>, name: &str, notes: &[String]) -> std::io::Result<Vec<u8>> {
    let mut out = b"{\"model\": ".to_vec();
    serde_json::to_writer(&mut out, name)?;
    out.extend_from_slice(b", \"predictions\": [");
    for row in 0..rows.count() {
        if row > 0 {
            out.extend_from_slice(b", ");
        }
        rows.object(row, &mut out)?;
    }
    out.push(b']');
    if !notes.is_empty() {
        out.extend_from_slice(b", \"notes\": ");
        serde_json::to_writer(&mut out, notes)?;
    }
    out.extend_from_slice(b"}\n");
    Ok(out)
}

fn arrow(rows: &Rows<'_>) -> Result<Vec<u8>, ArrowError> {
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
    let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = rows.columns().into_iter().map(column).unzip();
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    writer.write(&batch)?;
    writer.into_inner()
}
