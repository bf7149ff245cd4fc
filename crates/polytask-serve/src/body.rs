//! Bodies: which format they have, and how they are read within the limits.

use crate::input::{Field, Input};
use crate::metrics::Metrics;
use crate::output::Output;
use crate::problem::{Kind, Problem};
use crate::queue::Arriving;
use crate::server::Server;
use crate::work::Job;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyDataStream, BodyExt, Full};
use polytask_data::BytesFormat;
use std::sync::Arc;
use tokio::time::{Instant, timeout, timeout_at};

/// Bytes of bodies that are held at a time, whatever the number of connections; at least one body of the largest size.
const HELD: usize = 512 << 20;

/// The format of a body.
pub enum Format {
    Json,
    Table(BytesFormat),
    /// With what stands between the parts.
    Form(String),
}

impl Format {
    /// What the headers say; JSON where they say nothing.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let text = |name| headers.get(name).map(HeaderValue::to_str).transpose();
        let unknown = |kind: &str| {
            Problem::new(Kind::UnknownFormat, format!("the content type {kind} is unknown")).hint(
                "send application/json, application/x-ndjson, text/csv, application/vnd.apache.arrow.stream or \
                 multipart/form-data",
            )
        };
        if let Some(coding) = headers.get(header::CONTENT_ENCODING).filter(|coding| *coding != "identity") {
            let detail = format!("the content encoding {} is unknown", coding.to_str().unwrap_or("?"));
            return Err(Problem::new(Kind::UnknownFormat, detail).hint("send the body as it is"));
        }
        let Some(kind) = text(header::CONTENT_TYPE).map_err(|_| unknown("of the request"))? else {
            return Ok(Format::Json);
        };
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Ok(match essence.as_str() {
            // What `curl --data` sends unless told otherwise.
            "application/json" | "application/x-www-form-urlencoded" => Format::Json,
            "application/x-ndjson" | "application/jsonl" | "application/jsonlines" => {
                Format::Table(BytesFormat::JsonLines)
            }
            "text/csv" | "text/tab-separated-values" => Format::Table(BytesFormat::Delimited),
            "application/vnd.apache.arrow.stream" | "application/vnd.apache.arrow.file" => {
                Format::Table(BytesFormat::Arrow)
            }
            "multipart/form-data" => {
                let bad = |error: multer::Error| Problem::new(Kind::Malformed, error.to_string());
                Format::Form(multer::parse_boundary(kind).map_err(bad)?)
            }
            _ => return Err(unknown(&essence)),
        })
    }

    /// How predictions are written unless the client asks for another format.
    pub fn output(&self) -> Output {
        match self {
            Format::Json | Format::Form(_) => Output::Json,
            Format::Table(BytesFormat::JsonLines) => Output::JsonLines,
            Format::Table(BytesFormat::Delimited) => Output::Csv,
            Format::Table(BytesFormat::Arrow) => Output::Arrow,
        }
    }
}

/// So many bytes of bodies are held for as long as this is.
pub struct Held {
    metrics: Arc<Metrics>,
    bytes: usize,
}

impl Held {
    /// Whether there is room for more.
    fn grow(&mut self, bytes: usize, most: usize) -> bool {
        self.bytes += bytes;
        self.metrics.held.inc_by(bytes as i64) + bytes as i64 <= most as i64
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.metrics.held.dec_by(self.bytes as i64);
    }
}

/// Reads a body within the limits of size and time. A request that takes longer than the batches wait is not waited for.
pub async fn read(
    request: Request,
    format: Format,
    server: &Server,
    arriving: Arriving<Job>,
) -> Result<(Input, Held), Problem> {
    let options = &server.options;
    let mut held = Held { metrics: Arc::clone(&server.metrics), bytes: 0 };
    let deadline = Instant::now() + options.timeout;
    let late = |_| {
        let detail = format!("the body did not arrive within {} s", options.timeout.as_secs_f64());
        Problem::new(Kind::TooSlow, detail)
    };
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > options.max_body as u64) {
        return Err(too_large(options.max_body));
    }
    let body = {
        let whole = collect(request.into_body(), options.max_body, &mut held);
        tokio::pin!(whole);
        match timeout(options.batch_wait, &mut whole).await {
            Ok(body) => body?,
            Err(_) => {
                drop(arriving);
                timeout_at(deadline, whole).await.map_err(late)??
            }
        }
    };
    let input = match format {
        Format::Json => Input::Json(body),
        Format::Table(format) => Input::Table(format, body),
        Format::Form(boundary) => Input::Form(fields(body, boundary, options.max_fields).await?),
    };
    Ok((input, held))
}

fn too_large(most: usize) -> Problem {
    Problem::new(Kind::TooLarge, format!("the body is larger than {most} bytes"))
        .hint("send the rows in several requests")
}

async fn collect(mut body: Body, most: usize, held: &mut Held) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut all = BytesMut::new();
    while let Some(frame) = body.frame().await {
        // The client is gone, or does not keep to the protocol.
        let frame = frame.map_err(|error| Problem::new(Kind::Malformed, format!("the body broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + all.len() + data.len() > most {
            return Err(too_large(most));
        }
        if !held.grow(data.len(), HELD.max(2 * most)) {
            return Err(Problem::new(Kind::Busy, "too many bodies are being read at a time"));
        }
        // Most bodies come in one piece, which need not be copied.
        match (first.is_empty(), all.is_empty()) {
            (true, true) => first = data,
            (false, _) => {
                all.extend_from_slice(&std::mem::take(&mut first));
                all.extend_from_slice(&data);
            }
            (true, false) => all.extend_from_slice(&data),
        }
    }
    Ok(if first.is_empty() { all.freeze() } else { first })
}

/// The fields of a form.
pub async fn fields(body: Bytes, boundary: String, most: usize) -> Result<Vec<Field>, Problem> {
    let bad = |error: multer::Error| {
        Problem::new(Kind::Malformed, format!("body: {error}")).hint("send a field for each column, images as files")
    };
    let mut form = multer::Multipart::new(BodyDataStream::new(Full::new(body)), boundary);
    let mut fields = Vec::new();
    while let Some(field) = form.next_field().await.map_err(bad)? {
        let Some(column) = field.name().map(str::to_owned) else {
            return Err(Problem::new(Kind::Malformed, format!("field {} of the form has no name", fields.len() + 1)));
        };
        if fields.len() == most {
            return Err(Problem::new(Kind::TooManyFields, format!("the form has more than {most} fields"))
                .hint("send the rows in several requests, or as JSON or CSV"));
        }
        let file = field.file_name().is_some();
        fields.push(Field { column, file, value: field.bytes().await.map_err(bad)? });
    }
    Ok(fields)
}
