//! Several models, models that change under the server, the end under load, and what the server says of itself.

use crate::client::{Request, Server};
use crate::common::table;
use crate::{objects, trained};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const JSON: &str = "application/json";

#[test]
fn several_models() {
    let folder = trained();
    folder.works("train config.toml --out other --seed 5");
    let server = Server::start(&folder, "model second=other");
    let body = format!("[{}]", objects(1)[0]);
    let detail = server.predict(&body).problem(404, "no-such-model");
    assert_eq!(detail, "there are several models | there are /v1/models/model, /v1/models/second");
    server.get("/v1/model").problem(404, "no-such-model");
    for (name, path) in [("model", "model"), ("second", "other")] {
        let done = folder.works(&format!("predict {path} --data data.csv --format jsonl"));
        let expected: Value = serde_json::from_str(done.out.lines().next().unwrap()).unwrap();
        let answer = server.post(&format!("/v1/models/{name}/predict"), JSON, &body).good().json();
        assert_eq!((&answer["model"], &answer["predictions"][0]), (&name.into(), &expected));
    }
    let models = server.get("/v1/models").good().json();
    let names: Vec<&str> = models.as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["model", "second"]);
}

#[test]
fn a_model_describes_itself() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let mut model = server.get("/v1/model").good().json();
    assert_eq!(model, server.get("/v1/models/model").good().json());
    let example = format!("[{}]", model["example"]);
    server.predict(&example).good();
    let object = model.as_object_mut().unwrap();
    assert!(object.remove("loaded").unwrap().as_f64().unwrap() > 1.7e9);
    insta::assert_json_snapshot!(model);
}

#[test]
fn the_description_names_every_route() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let api = server.get("/openapi.json").good().json();
    assert_eq!(api["openapi"], "3.1.0");
    let paths: Vec<&String> = api["paths"].as_object().unwrap().keys().collect();
    let expected = [
        "/healthz",
        "/metrics",
        "/readyz",
        "/v1/model",
        "/v1/models",
        "/v1/models/{name}",
        "/v1/models/{name}/predict",
        "/v1/predict",
    ];
    assert_eq!(paths, expected);
    // Every reference leads somewhere.
    let text = api.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(api["components"]["schemas"][name].is_object(), "{name}");
    }
}

/// The schema of the rows that a path takes.
fn rows(api: &Value, path: &str) -> Value {
    let body = &api["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!((&body["additionalProperties"], &body["required"][0]), (&false.into(), &"rows".into()), "{path}");
    body["properties"]["rows"]["items"].clone()
}

fn parameters<'a>(api: &'a Value, path: &str) -> Vec<&'a str> {
    let all = api["paths"][path]["post"]["parameters"].as_array().unwrap();
    all.iter().map(|parameter| parameter["name"].as_str().unwrap()).collect()
}

#[test]
fn the_description_says_what_a_row_may_hold() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let api = server.get("/openapi.json").good().json();
    let row = rows(&api, "/v1/predict");
    assert_eq!(row, rows(&api, "/v1/models/{name}/predict"));
    assert_eq!(row["additionalProperties"], false);
    // What it asks for is what the example has, and what it lists is taken.
    let example = row["examples"][0].as_object().unwrap();
    let required: Vec<&str> = row["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(required.len(), example.len());
    assert!(required.iter().all(|name| example.contains_key(*name)), "{required:?} {example:?}");
    server.predict(&format!("{{\"rows\": [{}]}}", row["examples"][0])).good();
    for name in &required {
        let mut less = example.clone();
        less.remove(*name);
        server.predict(&format!("[{}]", Value::from(less))).problem(422, "unfit-rows");
    }
    let all = parameters(&api, "/v1/predict");
    assert_eq!(all, ["probabilities", "interval", "joint", "explain", "tasks", "unknown"]);
    let parameters = api["paths"]["/v1/predict"]["post"]["parameters"].as_array().unwrap();
    let most = parameters[1]["schema"]["maximum"].as_f64().unwrap();
    let body = format!("[{}]", row["examples"][0]);
    for joint in [false, true] {
        let ask = |level: f64| server.post(&format!("/v1/predict?interval={level}&joint={joint}"), JSON, &body);
        ask(most).good();
    }
    server.post(&format!("/v1/predict?interval={}", f64::midpoint(most, 1.0)), JSON, &body).problem(400, "bad-query");
}

#[test]
fn each_of_several_models_has_a_path_of_its_own() {
    let folder = trained();
    folder.write("texts.csv", "words,mood\n".to_owned() + &"good day,well\nbad night,ill\n".repeat(40));
    folder.write(
        "texts.toml",
        "[data]\npath = \"texts.csv\"\n[inputs.words]\nkind = \"text\"\n[tasks.mood]\nkind = \"category\"\n[train]\nepochs = 2\n",
    );
    folder.works("train texts.toml --out texts");
    let server = Server::start(&folder, "model texts");
    let api = server.get("/openapi.json").good().json();
    let (table, text) = ("/v1/models/model/predict", "/v1/models/texts/predict");
    assert!(api["paths"]["/v1/models/{name}/predict"].is_null());
    assert_eq!(rows(&api, text)["properties"]["words"]["type"], serde_json::json!(["string", "null"]));
    assert_ne!(rows(&api, table), rows(&api, text));
    assert_eq!(parameters(&api, table), ["probabilities", "interval", "joint", "explain", "tasks", "unknown"]);
    // A text cannot be explained.
    assert!(!parameters(&api, text).contains(&"explain"));
    server.post(&format!("{text}?explain=true"), JSON, "[{\"words\": \"good\"}]").problem(400, "bad-query");
    let named = &api["paths"]["/v1/models/{name}"]["get"]["parameters"][0]["schema"]["enum"];
    assert_eq!(*named, serde_json::json!(["model", "texts"]));
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    for path in ["/", "/page.js", "/page.css"] {
        let answer = server.get(path).good();
        assert!(answer.head.contains("content-security-policy: default-src 'none'"), "{}", answer.head);
        assert!(!answer.text().contains("://"), "{path}");
    }
}

/// Asks as fast as it can until told to stop; every answer must be one of these.
fn load(server: &Server, body: &str, expected: &[Value], stop: &AtomicBool, answered: &AtomicUsize) {
    let mut connection = server.connect();
    // A test that fails must end as well.
    let end = Instant::now() + Duration::from_secs(60);
    while !stop.load(Ordering::Relaxed) && Instant::now() < end {
        let answer = connection.send(&Request::post("/v1/predict", JSON, body)).good().json();
        assert!(expected.contains(&answer["predictions"]), "{answer}");
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_model_that_is_swapped_under_load() {
    let folder = trained();
    folder.works("train config.toml --out other --seed 5");
    let body = format!("[{}]", objects(1)[0]);
    let predicted = |path: &str| {
        let done = folder.works(&format!("predict {path} --data data.csv --format jsonl"));
        Value::Array(vec![serde_json::from_str(done.out.lines().next().unwrap()).unwrap()])
    };
    let expected = [predicted("model"), predicted("other")];
    assert_ne!(expected[0], expected[1]);
    let server = Server::start(&folder, "model --watch");
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| load(&server, &body, &expected, &stop, &answered));
        }
        let now = || server.predict(&body).good().json()["predictions"].clone();
        assert_eq!(now(), expected[0]);
        // Half of a new model is none: the old one goes on.
        let files = ["model.safetensors", "model.json"];
        let (old, new) =
            (files.map(|f| folder.bytes(&format!("model/{f}"))), files.map(|f| folder.bytes(&format!("other/{f}"))));
        folder.write("model/model.safetensors", &new[0]);
        server.signal("HUP");
        server.hears("the one in memory goes on");
        assert_eq!(now(), expected[0]);
        let loaded = |description: &Value| description["loaded"].as_f64().unwrap();
        let old_one = server.get("/v1/model").good().json();
        assert!(old_one["trouble"].as_str().unwrap().contains("damaged"), "{old_one}");
        // The other half makes it one, and is noticed.
        folder.write("model/model.json", &new[1]);
        server.hears("loaded anew");
        assert_eq!(now(), expected[1]);
        let new_one = server.get("/v1/model").good().json();
        assert!(new_one["trouble"].is_null() && loaded(&new_one) > loaded(&old_one), "{new_one}");
        // Back again by the signal, then the directory goes.
        folder.write("model/model.safetensors", &old[0]).write("model/model.json", &old[1]);
        server.signal("HUP");
        server.hears("loaded anew");
        assert_eq!(now(), expected[0]);
        std::fs::remove_dir_all(folder.path("model")).unwrap();
        server.signal("HUP");
        server.hears("the one in memory goes on");
        assert_eq!(now(), expected[0]);
        server.get("/readyz").good();
        stop.store(true, Ordering::Relaxed);
    });
    assert!(answered.load(Ordering::Relaxed) > 20);
    let metrics = server.get("/metrics").good();
    // Each of them twice by the steps above; the watch may have seen more.
    for result in ["loaded", "failed"] {
        let name = format!("polytask_reloads_total{{model=\"model\",result=\"{result}\"}} ");
        let count = metrics.text().lines().find_map(|line| line.strip_prefix(&name)).unwrap();
        assert!(count.parse::<u32>().unwrap() >= 2, "{}", metrics.text());
    }
}

#[test]
fn the_end_under_load_loses_nothing() {
    let folder = trained();
    let mut server = Server::start(&folder, "model --threads 1 --max-rows 100000");
    // Many rows, so that requests are at work and waiting when the signal comes, and for a while after it.
    let rows = table(40_000);
    let answered = AtomicUsize::new(0);
    let address = server.address.clone();
    let clients: Vec<_> = (0..6)
        .map(|_| {
            let mut connection = server.connect();
            connection.write(&Request::post("/v1/predict?unknown=ignore", "text/csv", &rows).bytes());
            connection
        })
        .collect();
    // All have arrived once the server says so.
    server.counts("polytask_body_bytes", |held| held >= (rows.len() * 2) as f64);
    // A client that is there and has not asked yet is told when it does.
    let mut late = server.connect();
    server.counts("polytask_connections", |open| open == 8.0);
    server.signal("TERM");
    server.hears("stopping");
    late.send(&Request::get("/readyz")).problem(503, "busy");
    std::thread::scope(|scope| {
        for mut connection in clients {
            let answered = &answered;
            scope.spawn(move || {
                let answer = connection.answer().unwrap().good();
                assert_eq!(answer.text().lines().count(), 40_001);
                answered.fetch_add(1, Ordering::Relaxed);
                assert!(connection.answer().is_none(), "the connection is closed behind the last answer");
            });
        }
    });
    assert_eq!(answered.load(Ordering::Relaxed), 6);
    assert_eq!(server.wait(), Some(0));
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn connections_that_do_nothing_do_not_hold_up_the_end() {
    let folder = trained();
    // Whoever waits for the client would wait an hour.
    let mut server = Server::start(&folder, "model --timeout 3600");
    let mut idle = server.connect();
    idle.send(&Request::get("/healthz")).good();
    server.signal("INT");
    assert_eq!(server.wait(), Some(0));
    assert!(idle.answer().is_none());
}
