//! Which path leads where, who may go there, and what is counted on the way.

use crate::api;
use crate::openapi;
use crate::problem::{Kind, Problem};
use crate::server::Server;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use subtle::ConstantTimeEq;

/// Everything that answers.
pub fn router(server: Arc<Server>) -> Router {
    let guarded = Router::new()
        .route("/v1/predict", post(api::predict))
        .route("/v1/model", get(api::model))
        .route("/v1/models", get(api::models))
        .route("/v1/models/{name}", get(api::named_model))
        .route("/v1/models/{name}/predict", post(api::named_predict))
        .route("/metrics", get(api::metrics))
        .route("/openapi.json", get(openapi::json))
        .route_layer(middleware::from_fn_with_state(Arc::clone(&server), authorize));
    Router::new()
        .merge(guarded)
        .route("/healthz", get(api::healthz))
        .route("/readyz", get(api::readyz))
        .route("/", get(|| page("text/html; charset=utf-8", include_str!("page/index.html"))))
        .route("/page.js", get(|| page("text/javascript; charset=utf-8", include_str!("page/page.js"))))
        .route("/page.css", get(|| page("text/css; charset=utf-8", include_str!("page/page.css"))))
        .method_not_allowed_fallback(|| async {
            Problem::new(Kind::NoSuchMethod, "this path takes another method").hint("/openapi.json says which")
        })
        .fallback(|| async { Problem::new(Kind::NoSuchPath, "no such path").hint("/openapi.json lists what there is") })
        .layer(middleware::from_fn_with_state(Arc::clone(&server), count))
        .with_state(server)
}

/// Counts requests by their route.
async fn count(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    let route = match request.uri().path() {
        "/v1/predict" => "predict",
        "/metrics" => "metrics",
        "/healthz" => "healthz",
        "/readyz" => "readyz",
        path if path.starts_with("/v1/models/") && path.ends_with("/predict") => "predict",
        path if path.starts_with("/v1/model") => "model",
        _ => "other",
    };
    let mut response = next.run(request).await;
    if server.stopping.load(Ordering::Relaxed) {
        // A client that goes on asking asks elsewhere, and loses no request.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    server.metrics.request(route, response.status().as_u16(), start.elapsed());
    response
}

/// Lets those pass who know the token, if there is one.
async fn authorize(State(server): State<Arc<Server>>, request: Request, next: Next) -> Response {
    let Some(token) = &server.options.token else { return next.run(request).await };
    let given = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes).unwrap_or_default();
    let (scheme, given) = given.split_at_checked(7).unwrap_or_default();
    // Takes as long for any token of the same length, so that time tells nothing.
    if scheme.eq_ignore_ascii_case(b"bearer ") && given.trim_ascii().ct_eq(token.as_bytes()).into() {
        return next.run(request).await;
    }
    let said =
        if given.is_empty() { "the request has no bearer token" } else { "the bearer token is not the server's" };
    Problem::new(Kind::Unauthorized, said).hint("send the header `Authorization: Bearer TOKEN`").into_response()
}

/// A part of the page on which a prediction can be tried. It loads nothing from elsewhere.
async fn page(kind: &'static str, text: &'static str) -> impl IntoResponse {
    const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; \
                          base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}
