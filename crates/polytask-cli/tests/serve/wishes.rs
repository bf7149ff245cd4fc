//! What is wished for of predictions, in the query or beside the rows of a JSON body.

use crate::client::{Request, Server};
use crate::common::Folder;
use crate::{objects, trained};
use serde_json::{Value, json};

const JSON: &str = "application/json";

/// The lines of `predict --format jsonl` as values.
fn predicted(folder: &Folder, arguments: &str) -> Value {
    let done = folder.works(&format!("predict model --data data.csv --format jsonl {arguments}"));
    done.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect()
}

/// A body with these rows and these keys beside them.
fn body(rows: &[String], keys: &str) -> String {
    format!("{{{keys} \"rows\": [{}]}}", rows.join(","))
}

#[test]
fn some_of_the_tasks() {
    let folder = trained();
    let expected = predicted(&folder, "--tasks grade,size --interval 0.8");
    let first = &expected[0];
    assert!(first["warm"].is_null() && first["size interval"].is_array() && first["grade set"].is_array(), "{first}");
    let server = Server::start(&folder, "model");
    let rows = objects(200);
    let list = format!("[{}]", rows.join(","));
    let asked = server.post("/v1/predict?tasks=grade,size&interval=0.8", JSON, &list).good().json();
    assert_eq!(asked["predictions"], expected);
    let beside = body(&rows, r#""tasks": ["grade", "size"], "interval": 0.8,"#);
    assert_eq!(server.predict(&beside).good().json()["predictions"], expected);
    let table = server.post("/v1/predict?tasks=size", "text/csv", "x,z,color\n0.5,1,blue\n").good();
    assert_eq!(table.text().lines().next(), Some("size"));

    // Requests for several sets of tasks at a time, more sets than are kept.
    let sets = ["size", "warm", "grade", "size,warm", "size,grade", "warm,grade", "size,warm,grade"];
    let wanted: Vec<Value> = sets.iter().map(|set| predicted(&folder, &format!("--tasks {set}"))).collect();
    let client = |first: usize| {
        let (server, rows, wanted) = (&server, &rows, &wanted);
        move || {
            let mut connection = server.connect();
            for row in (first..rows.len()).step_by(4) {
                let at = row % sets.len();
                let request =
                    Request::post(&format!("/v1/predict?tasks={}", sets[at]), JSON, format!("[{}]", rows[row]));
                let answer = connection.send(&request).good().json();
                assert_eq!(answer["predictions"], json!([wanted[at][row]]), "{} {row}", sets[at]);
            }
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|first| drop(scope.spawn(client(first)))));
}

#[test]
fn a_body_may_say_what_the_query_says() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let rows = &objects(20);
    let list = format!("[{}]", rows.join(","));
    for (query, keys) in [
        ("probabilities=true", r#""probabilities": true,"#),
        ("interval=0.8&joint=true", r#""joint": true, "interval": 0.8,"#),
        ("explain=true&tasks=warm", r#""explain": true, "tasks": ["warm"],"#),
    ] {
        let asked = server.post(&format!("/v1/predict?{query}"), JSON, &list).good().json();
        let plain = server.predict(&list).good().json();
        assert_ne!(asked["predictions"], plain["predictions"], "{query}");
        assert_eq!(server.predict(&body(rows, keys)).good().json(), asked, "{query}");
    }
    let stray = r#"{"rows": [{"x": 1, "z": 2, "color": "red", "id": 7}], "unknown": "ignore"}"#;
    server.predict(stray).good();
    server.predict(&stray.replace("ignore", "refuse")).problem(422, "unfit-rows");
}

#[test]
fn wishes_that_cannot_be_met() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let rows = &objects(1);
    let beside = |keys: &str| server.predict(&body(rows, keys));
    for (keys, said) in [
        (r#""interval": "much","#, "`interval`: invalid type: string \"much\", expected f64"),
        (r#""tasks": [],"#, "`tasks`: `tasks` names no task"),
        (r#""tasks": 3,"#, "`tasks`: invalid type: integer `3`, expected a list of the names of tasks"),
        (r#""explain": 1,"#, "`explain`: invalid type: integer `1`, expected a boolean"),
        (r#""explain": true, "explain": true,"#, "the key `explain` appears twice"),
        (r#""explian": true,"#, "unknown key `explian`, expected `rows` and beside it `probabilities`, `interval`"),
    ] {
        let detail = beside(keys).problem(400, "malformed-body");
        assert!(detail.contains(said), "{keys} {detail}");
    }
    let detail = beside(r#""tasks": ["size", "weight"],"#).problem(400, "bad-query");
    assert_eq!(detail, "the model has no task `weight`; it has size, warm, grade");
    for level in ["0", "1", "-0.5", "17"] {
        let detail = beside(&format!("\"interval\": {level},")).problem(400, "bad-query");
        assert!(detail.contains("it must be above 0 and below 1"), "{detail}");
    }
    let detail = beside(r#""interval": 0.9999,"#).problem(400, "bad-query");
    assert!(detail.contains("held-out labels, and a level of 0.9999 needs 9999"), "{detail}");
    let both = server.post("/v1/predict?interval=0.8", JSON, body(rows, r#""interval": 0.8,"#));
    assert_eq!(both.problem(400, "bad-query"), "`interval` stands in the query and in the body | say it once");
    let table =
        server.send(&Request::post("/v1/predict", JSON, body(rows, r#""explain": true,"#)).with("accept", "text/csv"));
    assert!(table.problem(400, "bad-query").contains("no place for explanations"));
    for query in ["tasks=", "tasks=,", "tasks=size,weight"] {
        server.post(&format!("/v1/predict?{query}"), JSON, format!("[{}]", rows[0])).problem(400, "bad-query");
    }
}

/// Whoever reads the description knows what may stand beside the rows.
#[test]
fn the_description_has_the_keys_of_the_body() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let api = server.get("/openapi.json").good().json();
    let post = &api["paths"]["/v1/predict"]["post"];
    let own = &post["requestBody"]["content"][JSON]["schema"]["properties"];
    let names: Vec<&String> = own.as_object().unwrap().keys().collect();
    assert_eq!(names, ["explain", "interval", "joint", "probabilities", "rows", "tasks", "unknown"]);
    assert_eq!(own["tasks"]["items"]["enum"], json!(["size", "warm", "grade"]));
    assert_eq!(own["interval"]["exclusiveMinimum"], 0);
    assert!(own["joint"]["description"].as_str().unwrap().starts_with("With `interval`"), "{own}");
    let query = post["parameters"].as_array().unwrap().iter().find(|parameter| parameter["name"] == "tasks").unwrap();
    assert_eq!((&query["style"], &query["explode"]), (&json!("form"), &json!(false)));
}
