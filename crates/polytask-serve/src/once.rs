//! A body answered without a server, as tests and fuzzers ask it.

use crate::body::{Format, fields};
use crate::input::{Input, Reader};
use crate::options::Options;
use crate::output;
use crate::problem::{Kind, Problem};
use crate::wishes::Wishes;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use polytask::model::{Model, Predictor};
use polytask::output::Beside;
use std::sync::Arc;

/// What a model answers to the body of `POST /predict` with this content type, within the customary limits.
///
/// # Errors
/// What is wrong with the request, in a word.
pub fn answer(model: &Arc<Model>, content_type: &str, body: Bytes) -> Result<Vec<u8>, String> {
    of(model, content_type, body).map_err(|problem| format!("{:?}", problem.kind))
}

fn of(model: &Arc<Model>, content_type: &str, body: Bytes) -> Result<Vec<u8>, Problem> {
    let internal = |error: &dyn std::error::Error| Problem::new(Kind::Internal, error.to_string());
    let options = Options::new(Vec::new());
    let kind = HeaderValue::from_str(content_type).map_err(|error| internal(&error))?;
    let format = Format::of(&HeaderMap::from_iter([(header::CONTENT_TYPE, kind)]))?;
    let output = format.output();
    let input = match format {
        Format::Json => Input::Json(body),
        Format::Table(format) => Input::Table(format, body),
        Format::Form(boundary) => {
            let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(|error| internal(&error))?;
            Input::Form(runtime.block_on(fields(body, boundary, options.max_fields))?)
        }
    };
    let (table, data, _) = Reader::new(model, &options).read(input, Wishes::default(), model)?;
    let mut predictor = Predictor::new(Arc::clone(model), table.rows()).map_err(|error| internal(&error))?;
    let predicted = predictor.predict(vec![data], &|| true).map_err(|error| internal(&error))?;
    let predictions = predicted.into_iter().flatten().next().unwrap_or_default();
    let beside = Beside { probabilities: true, ..Beside::default() };
    let answer = output::write(model, "model", &table, &predictions, output, beside)?;
    answer.header();
    Ok(answer.body)
}
