//! What is answered.

use crate::body;
use crate::describe::Description;
use crate::metrics::CONTENT_TYPE;
use crate::models::Served;
use crate::output::Output;
use crate::problem::{Kind, Problem, ProblemDetails};
use crate::server::Server;
use crate::wishes::{HINT, Wishes};
use crate::work::{AtOnce, Job};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;
use utoipa::ToSchema;

/// The answer in JSON.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "it documents what is written by hand")]
pub struct Predictions {
    /// The name of the model.
    #[schema(example = "people")]
    model: String,
    /// An object a row, with a key for each task.
    #[schema(value_type = Vec<Object>)]
    predictions: Vec<serde_json::Value>,
    /// What is to be said of the rows, if anything: levels that training never saw, texts that were cut.
    notes: Option<Vec<String>>,
}

/// Rows in JSON.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "it documents what is read by hand")]
pub struct JsonRows {
    /// An object a row, with a key for each column; null for no value. Images in base64.
    #[schema(value_type = Vec<Object>)]
    rows: Vec<serde_json::Value>,
    /// What may as well stand in the query.
    #[serde(flatten)]
    wishes: Wishes,
}

/// The header with what is to be said of the rows, where the body has no place for it.
const NOTES: &str = "polytask-notes";

type Asked = Result<Query<Wishes>, QueryRejection>;

/// Predicts with the only model
#[utoipa::path(
    post,
    path = "/v1/predict",
    params(Wishes),
    request_body(
        description = "Rows with the columns that the model reads. A form has a field a column and row; images are its files.",
        content(
            (JsonRows = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.arrow.stream"),
            (Object = "multipart/form-data"),
        ),
    ),
    responses(
        (status = 200, description = "A prediction a row, in the format of the request or the one that `Accept` names; what is to be said of the rows stands in the header `polytask-notes` where the body has no place for it", content(
            (Predictions = "application/json"),
            (String = "application/x-ndjson"),
            (String = "text/csv"),
            (Vec<u8> = "application/vnd.apache.arrow.stream"),
        )),
        (status = 400, description = "The body or the query cannot be read", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 401, description = "No token, or another one", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "No such model, or several of them", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 408, description = "The body arrived too slowly", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large, or has too many rows, values, fields, pixels or tokens", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 415, description = "The format of the body is unknown", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "The rows do not fit the model: a column is absent, unknown, or holds something else", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 500, description = "A fault of the server", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 503, description = "The server is busy or about to stop", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 504, description = "The prediction took too long", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub async fn predict(State(server): State<Arc<Server>>, wishes: Asked, request: Request) -> Result<Response, Problem> {
    answer(&server, server.only()?, wishes, request).await
}

/// Predicts with one of several models
#[utoipa::path(
    post,
    path = "/v1/models/{name}/predict",
    params(("name" = String, Path, description = "The name of the model"), Wishes),
    request_body(description = "As for /v1/predict", content((JsonRows = "application/json"))),
    responses((status = 200, description = "As for /v1/predict", body = Predictions)),
)]
pub async fn named_predict(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    wishes: Asked,
    request: Request,
) -> Result<Response, Problem> {
    answer(&server, server.named(&name)?, wishes, request).await
}

async fn answer(server: &Server, served: &Served, wishes: Asked, request: Request) -> Result<Response, Problem> {
    let bad = |rejection: QueryRejection| Problem::new(Kind::BadQuery, rejection.body_text()).hint(HINT);
    let Query(wishes) = wishes.map_err(bad)?;
    let format = body::Format::of(request.headers())?;
    // A table has no place for explanations: where no format is asked for they come in JSON.
    let own = if wishes.explain == Some(true) { Output::Json } else { format.output() };
    let output = accepted(request.headers()).unwrap_or(own);
    let loaded = served.current();
    let _under_way = loaded.at_once.as_ref().map(AtOnce::begin);
    let arriving = loaded.queue.arriving();
    let (input, held) = body::read(request, format, server, arriving).await?;
    let (answer, mut done) = oneshot::channel();
    // Explanations take hundreds of predictions.
    let explains = wishes.explain == Some(true) || input.may_explain();
    let job = Job { input, output, wishes, answer };
    let left = match &loaded.at_once {
        Some(at_once) if !explains => at_once.answer(job),
        Some(_) | None => Some(job),
    };
    let done = match left {
        None => Ok(done.try_recv().map_err(drop)),
        Some(job) => {
            loaded.queue.push(job);
            tokio::time::timeout(server.options.timeout, done).await.map(|done| done.map_err(drop))
        }
    };
    let answer = match done {
        Ok(Ok(answer)) => answer?,
        // The thread that had it is gone.
        Ok(Err(())) => return Err(Problem::new(Kind::Internal, "the prediction failed; see the server's log")),
        Err(_) => {
            let detail = format!("no prediction within {} s", server.options.timeout.as_secs_f64());
            return Err(Problem::new(Kind::TookTooLong, detail).hint("send fewer rows at a time"));
        }
    };
    drop(held);
    let notes = answer.header();
    let mut response = ([(header::CONTENT_TYPE, output.media_type())], answer.body).into_response();
    response.headers_mut().extend(notes.map(|notes| (HeaderName::from_static(NOTES), notes)));
    Ok(response)
}

/// The format that a client asks for, the first that there is.
fn accepted(headers: &HeaderMap) -> Option<Output> {
    let accept = headers.get(header::ACCEPT)?.to_str().ok()?;
    accept.split(',').find_map(|kind| match kind.split(';').next().unwrap_or_default().trim() {
        "application/json" => Some(Output::Json),
        "application/x-ndjson" | "application/jsonl" => Some(Output::JsonLines),
        "text/csv" => Some(Output::Csv),
        "application/vnd.apache.arrow.stream" => Some(Output::Arrow),
        _ => None,
    })
}

/// Describes the only model
#[utoipa::path(get, path = "/v1/model", responses((status = 200, body = Description)))]
pub async fn model(State(server): State<Arc<Server>>) -> Result<Response, Problem> {
    Ok(json(&server.only()?.describe()))
}

/// Describes one of several models
#[utoipa::path(
    get,
    path = "/v1/models/{name}",
    params(("name" = String, Path, description = "The name of the model")),
    responses((status = 200, body = Description)),
)]
pub async fn named_model(State(server): State<Arc<Server>>, Path(name): Path<String>) -> Result<Response, Problem> {
    Ok(json(&server.named(&name)?.describe()))
}

/// Describes all models
#[utoipa::path(get, path = "/v1/models", responses((status = 200, body = Vec<Description>)))]
pub async fn models(State(server): State<Arc<Server>>) -> Response {
    json(&server.models.iter().map(Served::describe).collect::<Vec<_>>())
}

/// Whether the process is alive
#[utoipa::path(get, path = "/healthz", responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether requests are answered
#[utoipa::path(get, path = "/readyz", responses((status = 200, body = String, content_type = "text/plain"), (status = 503)))]
pub async fn readyz(State(server): State<Arc<Server>>) -> Result<&'static str, Problem> {
    match server.stopping.load(Ordering::Relaxed) {
        true => Err(Problem::new(Kind::Busy, "the server is about to stop")),
        false => Ok("ready\n"),
    }
}

/// Counters, for Prometheus
#[utoipa::path(get, path = "/metrics", responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn metrics(State(server): State<Arc<Server>>) -> Response {
    let waiting: Vec<(&str, usize)> =
        server.models.iter().map(|served| (served.name.as_str(), served.current().queue.len())).collect();
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], server.metrics.text(&waiting)).into_response()
}

fn json(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => Problem::new(Kind::Internal, error.to_string()).into_response(),
    }
}

impl Served {
    fn describe(&self) -> Description {
        Description { trouble: self.trouble(), ..self.current().description.clone() }
    }
}
