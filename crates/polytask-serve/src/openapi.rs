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
    modifiers(&Token),
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

pub async fn json() -> Response {
    match Api::openapi().to_json() {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => crate::problem::Problem::new(crate::problem::Kind::Internal, error.to_string()).into_response(),
    }
}
