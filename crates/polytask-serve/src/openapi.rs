//! The description of the routes, OpenAPI 3.1, with the rows that the models at work take.

use crate::models::{Loaded, Served};
use crate::problem::{Kind, Problem};
use crate::server::Server;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
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

pub async fn json(State(server): State<Arc<Server>>) -> Response {
    let written = serde_json::to_value(Api::openapi()).and_then(|mut api| {
        of_models(&mut api, &server.models);
        serde_json::to_vec(&api)
    });
    match written {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => Problem::new(Kind::Internal, error.to_string()).into_response(),
    }
}

/// The path of predictions of a model by its name.
const NAMED: &str = "/v1/models/{name}/predict";

/// Says what the models at work take: their names, columns and the levels that their intervals may have. Of several models
/// each has a path of its own, since each takes other rows.
fn of_models(api: &mut Value, models: &[Served]) {
    let names: Vec<&str> = models.iter().map(|served| served.name.as_str()).collect();
    let paths = &mut api["paths"];
    for path in [NAMED, "/v1/models/{name}"] {
        for (_, operation) in paths[path].as_object_mut().into_iter().flatten() {
            for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
                if parameter["name"] == "name" {
                    parameter["schema"]["enum"] = json!(names);
                }
            }
        }
    }
    if let [only] = models {
        let loaded = only.current();
        for path in ["/v1/predict", NAMED] {
            of_model(&mut paths[path]["post"], &loaded);
        }
        return;
    }
    let Some(named) = paths.as_object_mut().and_then(|paths| paths.remove(NAMED)) else { return };
    for served in models {
        let mut own = named.clone();
        let operation = &mut own["post"];
        operation["operationId"] = json!(format!("predict_{}", served.name));
        keep_parameters(operation, |name| name != "name");
        of_model(operation, &served.current());
        paths[format!("/v1/models/{}/predict", served.name)] = own;
    }
}

/// Fits the operation that predicts to a model.
fn of_model(operation: &mut Value, loaded: &Loaded) {
    let [each, joint] = [false, true].map(|joint| loaded.highest_level(joint));
    // One bound holds whether or not `joint` stands beside it.
    let highest = each.map(|each| joint.map_or(each, |joint| each.min(joint)));
    let explains = loaded.explains();
    keep_parameters(operation, |name| match name {
        "interval" => highest.is_some(),
        "joint" => joint.is_some(),
        "explain" => explains,
        _ => true,
    });
    let mut properties = serde_json::Map::new();
    let rows = json!({ "type": "array", "items": loaded.row, "minItems": 1 });
    properties.insert("rows".to_owned(), rows);
    for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        match name.as_str() {
            "interval" => {
                parameter["schema"] = json!({ "type": "number", "exclusiveMinimum": 0, "maximum": highest });
            }
            "tasks" => {
                let names: Vec<&str> = loaded.description.tasks.iter().map(|task| task.name.as_str()).collect();
                let one = json!({ "type": "string", "enum": names });
                parameter["schema"] = json!({ "type": "array", "items": one, "minItems": 1 });
            }
            _ => {}
        }
        // What the query takes may stand beside the rows.
        if parameter["in"] == "query" {
            let mut schema = parameter["schema"].clone();
            schema["description"] = parameter["description"].clone();
            properties.insert(name, schema);
        }
    }
    operation["requestBody"]["content"]["application/json"]["schema"] =
        json!({ "type": "object", "properties": properties, "required": ["rows"], "additionalProperties": false });
}

fn keep_parameters(operation: &mut Value, keep: impl Fn(&str) -> bool) {
    if let Some(parameters) = operation["parameters"].as_array_mut() {
        parameters.retain(|parameter| parameter["name"].as_str().is_some_and(&keep));
    }
}
