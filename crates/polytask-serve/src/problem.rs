//! Errors as people and programs read them: problem details in JSON (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use polytask::inputs::EncodeError;
use polytask_data::DataError;
use serde::Serialize;
use utoipa::ToSchema;

/// Why a request cannot be answered.
#[derive(Debug)]
pub struct Problem {
    pub kind: Kind,
    detail: String,
    hint: Option<String>,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Malformed,
    BadQuery,
    Unauthorized,
    NoSuchPath,
    NoSuchModel,
    NoSuchMethod,
    TooSlow,
    TooLarge,
    TooManyRows,
    TooManyCells,
    TooManyFields,
    TooManyPixels,
    TooManyTokens,
    UnknownFormat,
    Unfit,
    Internal,
    Busy,
    TookTooLong,
}

impl Kind {
    /// Status, the last part of the type, and the title.
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Kind::Malformed => (S::BAD_REQUEST, "malformed-body", "The body cannot be read"),
            Kind::BadQuery => (S::BAD_REQUEST, "bad-query", "The query is wrong"),
            Kind::Unauthorized => (S::UNAUTHORIZED, "unauthorized", "A bearer token is needed"),
            Kind::NoSuchPath => (S::NOT_FOUND, "no-such-path", "There is nothing here"),
            Kind::NoSuchModel => (S::NOT_FOUND, "no-such-model", "There is no such model"),
            Kind::NoSuchMethod => (S::METHOD_NOT_ALLOWED, "no-such-method", "The method is not allowed here"),
            Kind::TooSlow => (S::REQUEST_TIMEOUT, "too-slow", "The request arrived too slowly"),
            Kind::TooLarge => (S::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Kind::TooManyRows => (S::PAYLOAD_TOO_LARGE, "too-many-rows", "There are too many rows"),
            Kind::TooManyCells => (S::PAYLOAD_TOO_LARGE, "too-many-cells", "There are too many values"),
            Kind::TooManyFields => (S::PAYLOAD_TOO_LARGE, "too-many-fields", "There are too many fields"),
            Kind::TooManyPixels => (S::PAYLOAD_TOO_LARGE, "too-many-pixels", "The images are too large"),
            Kind::TooManyTokens => (S::PAYLOAD_TOO_LARGE, "too-many-tokens", "The texts are too long"),
            Kind::UnknownFormat => (S::UNSUPPORTED_MEDIA_TYPE, "unknown-format", "The format of the body is unknown"),
            Kind::Unfit => (S::UNPROCESSABLE_ENTITY, "unfit-rows", "The rows do not fit the model"),
            Kind::Internal => (S::INTERNAL_SERVER_ERROR, "internal", "The server failed"),
            Kind::Busy => (S::SERVICE_UNAVAILABLE, "busy", "The server is busy"),
            Kind::TookTooLong => (S::GATEWAY_TIMEOUT, "took-too-long", "The prediction took too long"),
        }
    }
}

/// Problem details (RFC 9457).
#[derive(Serialize, ToSchema)]
pub struct ProblemDetails {
    /// What kind of problem it is.
    #[schema(example = "urn:polytask:problem:unfit-rows")]
    r#type: String,
    /// The same in words.
    #[schema(example = "The rows do not fit the model")]
    title: &'static str,
    /// The status of the response.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong, and where.
    #[schema(example = "input `age`: there is no column `age`")]
    detail: String,
    /// What would be right.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Problem { kind, detail: detail.into(), hint: None }
    }

    pub fn hint(self, hint: impl Into<String>) -> Self {
        Problem { hint: Some(hint.into()), ..self }
    }

    fn with(kind: Kind, detail: String, hint: Option<String>) -> Self {
        Problem { kind, detail, hint }
    }

    fn body(self) -> (StatusCode, Vec<u8>) {
        let (status, slug, title) = self.kind.parts();
        let details = ProblemDetails {
            r#type: format!("urn:polytask:problem:{slug}"),
            title,
            status: status.as_u16(),
            detail: self.detail,
            hint: self.hint,
        };
        (status, serde_json::to_vec(&details).unwrap_or_default())
    }

    /// The whole response for a connection that is not served.
    pub fn raw(self) -> Vec<u8> {
        let (status, body) = self.body();
        let reason = status.canonical_reason().unwrap_or_default();
        let mut raw = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {}\r\nretry-after: 1\r\nconnection: close\r\n\r\n",
            status.as_u16(),
            body.len()
        )
        .into_bytes();
        raw.extend(body);
        raw
    }
}

const MEDIA_TYPE: &str = "application/problem+json";

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = self.kind;
        let (status, body) = self.body();
        let mut response = (status, [(header::CONTENT_TYPE, MEDIA_TYPE)], body).into_response();
        let headers = response.headers_mut();
        match kind {
            Kind::Unauthorized => headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")),
            Kind::Busy => headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1")),
            // What is left of the body would be taken for the next request.
            Kind::TooSlow | Kind::TooLarge => headers.insert(header::CONNECTION, HeaderValue::from_static("close")),
            _ => None,
        };
        response
    }
}

impl From<DataError> for Problem {
    fn from(error: DataError) -> Self {
        use DataError as E;
        let malformed = matches!(
            error,
            E::Json { .. }
                | E::Corrupt { .. }
                | E::NotUtf8 { .. }
                | E::Ragged { .. }
                | E::OpenQuote { .. }
                | E::Empty { .. }
                | E::NoRows { .. }
                | E::NoColumns { .. }
                | E::DuplicateKey { .. }
                | E::DuplicateColumn { .. }
                | E::UnnamedColumn { .. }
        );
        let no_value = |fault: &E| matches!(fault, E::NotNumber { .. } | E::NotFinite { .. });
        let hint = match &error {
            E::BadColumns(faults) if faults.iter().all(|fault| no_value(fault)) => {
                Some("send null where there is no value".to_owned())
            }
            E::Json { .. } => Some("send an object a row, such as {\"rows\": [{\"age\": 30}]}".to_owned()),
            // Advice on configs helps no client.
            E::NotNumber { .. } | E::NotFinite { .. } => Some("send null where there is no value".to_owned()),
            E::Corrupt { format: "Arrow", .. } => Some("send an Arrow IPC stream or file, not compressed".to_owned()),
            _ => error.hint(),
        };
        Problem::with(if malformed { Kind::Malformed } else { Kind::Unfit }, error.to_string(), hint)
    }
}

impl From<EncodeError> for Problem {
    fn from(error: EncodeError) -> Self {
        if let EncodeError::Values(source) = error {
            return (*source).into();
        }
        let hint = match &error {
            EncodeError::Column { .. } => {
                error.hint().map(|hint| format!("{hint}; a value may be null, but its column must be there"))
            }
            EncodeError::NotNumber { .. } => Some("send null where there is no value".to_owned()),
            EncodeError::NotBoolean { .. } | EncodeError::NotText { .. } | EncodeError::EmptyToken { .. } => {
                error.hint()
            }
            // Advice on configs helps no client.
            _ => None,
        };
        Problem::with(Kind::Unfit, error.to_string(), hint)
    }
}

impl From<polytask::BuildError> for Problem {
    fn from(error: polytask::BuildError) -> Self {
        match error {
            polytask::BuildError::Data(error) => error.into(),
            polytask::BuildError::Encode(error) => error.into(),
            polytask::BuildError::Task(error) => Problem::with(Kind::Unfit, error.to_string(), error.hint()),
            error => Problem::new(Kind::Internal, error.to_string()),
        }
    }
}
