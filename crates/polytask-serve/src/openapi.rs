//! The description of the routes, OpenAPI 3.1.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(title = "polytask", description = "Predictions of trained models: all tasks of a row at once."),
    paths(
        crate::api::predict,
        crate::api::named_predict,
        crate::api::model,
        crate::api::models,
        crate::api::named_model,
        crate::api::healthz,
        crate::api::readyz,
        crate::api::metrics,
    ),
    components(schemas(crate::api::Unknown)),
    modifiers(&Token, &Refusals),
    security((), ("token" = [])),
)]
struct Api;

/// The token is needed where the server has one.
struct Token;

impl Modify for Token {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build());
        api.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// Problems that several routes answer with, where they do not say so themselves.
struct Refusals;

impl Modify for Refusals {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let predict = api.paths.paths.get("/v1/predict").and_then(|item| item.post.as_ref());
        let mut all = predict.map(|operation| operation.responses.responses.clone()).unwrap_or_default();
        all.remove("200");
        for (path, item) in &mut api.paths.paths {
            let statuses: &[&str] = match path.as_str() {
                "/healthz" | "/readyz" => &["503"],
                "/metrics" | "/v1/models" => &["401", "500", "503"],
                "/v1/model" | "/v1/models/{name}" => &["401", "404", "500", "503"],
                _ => &["400", "401", "404", "408", "413", "415", "422", "500", "503", "504"],
            };
            for operation in item.get.iter_mut().chain(&mut item.post) {
                for status in statuses {
                    let Some(response) = all.get(*status) else { continue };
                    operation.responses.responses.entry((*status).to_owned()).or_insert_with(|| response.clone());
                }
            }
        }
    }
}

pub async fn json() -> Response {
    match Api::openapi().to_json() {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => crate::problem::Problem::new(crate::problem::Kind::Internal, error.to_string()).into_response(),
    }
}
