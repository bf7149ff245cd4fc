//! What goes in and what comes out: the same numbers as `predict` gives, to the bit, in every format and however
//! requests are run together.

use crate::client::{Request, Server};
use crate::common::{Folder, table};
use crate::{objects, trained};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

/// The lines of `predict --format jsonl` as values.
fn predicted(folder: &Folder, arguments: &str) -> Vec<Value> {
    let done = folder.works(&format!("predict {arguments} --format jsonl"));
    done.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn json_rows_give_the_numbers_of_predict() {
    let folder = trained();
    let expected = predicted(&folder, "model --data data.csv --probabilities");
    let server = Server::start(&folder, "model");
    let rows = objects(200);
    let all = server.post("/v1/predict?probabilities=true", "application/json", format!("[{}]", rows.join(","))).good();
    assert!(all.head.contains("content-type: application/json"));
    let answer = all.json();
    assert_eq!(answer["model"], "model");
    assert_eq!(answer["predictions"], Value::Array(expected.clone()));

    // One by one, from many clients at a time: batches of every make-up.
    let share = |first: usize| {
        let (server, rows, expected) = (&server, &rows, &expected);
        move || {
            let mut connection = server.connect();
            for row in (first..rows.len()).step_by(8) {
                let body = format!(r#"{{"rows": [{}]}}"#, rows[row]);
                let request = Request::post("/v1/predict?probabilities=true", "application/json", body);
                let answer = connection.send(&request).good().json();
                assert_eq!(answer["predictions"], Value::Array(vec![expected[row].clone()]), "row {row}");
            }
        }
    };
    std::thread::scope(|scope| (0..8).for_each(|first| drop(scope.spawn(share(first)))));
    let metrics = server.get("/metrics").good();
    assert!(metrics.text().contains("polytask_rows_total{model=\"model\"} 400"), "{}", metrics.text());
}

#[test]
fn explanations_are_those_of_predict() {
    let folder = trained();
    let expected = predicted(&folder, "model --data data.csv --explain");
    let server = Server::start(&folder, "model");
    let body = format!("[{}]", objects(200)[..20].join(","));
    let answer = server.post("/v1/predict?explain=true", "application/json", body).good().json();
    assert_eq!(answer["predictions"], Value::Array(expected[..20].to_vec()));
    assert!(answer["predictions"][0]["size explanation"]["inputs"]["x"].is_number(), "{answer}");
    // A table is answered in JSON, unless a table is asked for.
    let table = Request::post("/v1/predict?explain=true", "text/csv", "x,z,color\n0.5,1,blue\n");
    let answer = server.send(&table).good().json();
    assert!(answer["predictions"][0]["size explanation"]["inputs"]["x"].is_number(), "{answer}");
    let refused = server.send(&table.with("accept", "text/csv"));
    assert!(refused.problem(400, "bad-query").contains("no place for explanations"));
}

/// What is to be said of rows stands in a header where the body has no place for it.
#[test]
fn notes_of_tables_stand_in_a_header() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let body = "x,z,color\n0.5,1,grün\n0.1,2,red\n";
    let answer = server.post("/v1/predict", "text/csv", body).good();
    let line = answer.head.lines().find_map(|line| line.strip_prefix("polytask-notes: ")).unwrap();
    assert!(line.is_ascii(), "{line}");
    let notes: Vec<String> = serde_json::from_str(line).unwrap();
    assert_eq!(notes, ["1 of 2 rows has levels of `color` that training never saw: `grün`; they are read as missing"]);
    let answer = server.post("/v1/predict", "text/csv", "x,z,color\n0.5,1,blue\n").good();
    assert!(!answer.head.contains("polytask-notes"), "{}", answer.head);
    let answer = server.post("/v1/predict", "application/json", r#"[{"x": 0.5, "z": 1, "color": "grün"}]"#).good();
    assert!(!answer.head.contains("polytask-notes") && answer.json()["notes"].is_array(), "{}", answer.head);
}

#[test]
fn an_ensemble_answers_as_predict_does() {
    let config =
        "[data]\npath = \"data.csv\"\nsplit = { column = \"part\" }\n[tasks.size]\n[tasks.warm]\n[tasks.grade]\n";
    let folder = Folder::with(config, &table(120));
    folder.works("train config.toml");
    let expected = predicted(&folder, "model --data data.csv --probabilities");
    let server = Server::start(&folder, "model");
    let rows = objects(120);
    let ask = |rows: &[String]| {
        let body = format!("[{}]", rows.join(","));
        server.post("/v1/predict?probabilities=true", "application/json", body).good().json()["predictions"].take()
    };
    assert_eq!(ask(&rows), Value::Array(expected.clone()));
    for row in [0, 7, 119] {
        assert_eq!(ask(&rows[row..=row]), Value::Array(vec![expected[row].clone()]), "row {row}");
    }
}

#[test]
fn tables_come_back_as_predict_writes_them() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let csv = folder.works("predict model --data data.csv").out;
    let answer = server.post("/v1/predict?unknown=ignore", "text/csv; charset=utf-8", table(200)).good();
    assert!(answer.head.contains("content-type: text/csv"));
    assert_eq!(answer.text(), csv);
    let jsonl = folder.works("predict model --data data.csv --format jsonl --probabilities").out;
    let lines = objects(200).join("\n");
    let answer = server.post("/v1/predict?probabilities=true", "application/x-ndjson", lines).good();
    assert!(answer.head.contains("content-type: application/x-ndjson"));
    assert_eq!(answer.text(), jsonl);
    // Another format for the answer than for the rows.
    let request = Request::post("/v1/predict", "application/json", format!("[{}]", objects(200).join(",")));
    assert_eq!(server.send(&request.with("accept", "text/html, text/csv;q=0.5")).good().text(), csv);
}

#[test]
fn arrow_comes_back_as_arrow() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    // Written by pyarrow, see make_arrow.py beside it: the first five rows of the table, as a stream and as a file.
    let csv = folder.works("predict model --data data.csv").out;
    let expected: Vec<&str> = csv.lines().take(6).collect();
    for (name, kind) in [("rows.arrows", "stream"), ("rows.arrow", "file")] {
        let bytes = std::fs::read(format!("{}/tests/serve/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let kind = format!("application/vnd.apache.arrow.{kind}");
        let request = Request::post("/v1/predict", &kind, &bytes);
        let text = server.send(&request.clone().with("accept", "text/csv")).good();
        assert_eq!(text.text().lines().collect::<Vec<_>>(), expected);
        let answer = server.send(&request).good();
        assert!(answer.head.contains("content-type: application/vnd.apache.arrow.stream"));
        folder.write("answer.arrows", &answer.body);
        let answer = polytask_data::read(&folder.path("answer.arrows"), &Default::default()).unwrap();
        let names: Vec<&str> = answer.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names.join(","), expected[0]);
        for (row, line) in expected[1..].iter().enumerate() {
            let shown: Vec<String> = answer.columns().iter().map(|column| column.shown(row).unwrap()).collect();
            let (size, classes) = line.split_once(',').unwrap();
            assert_eq!(
                (shown[0].parse::<f32>().unwrap(), shown[1..].join(",")),
                (size.parse().unwrap(), classes.to_owned())
            );
        }
        folder.write(name, &bytes);
        // A file that came from the network is a file like any other.
        assert_eq!(folder.works(&format!("predict model --data {name}")).out.lines().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn missing_values_and_labels_are_no_matter() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    folder.write("gaps.csv", "x,z,color\n0.5,,red\n,1,\n0.25,-1,violet\n");
    let expected = predicted(&folder, "model --data gaps.csv");
    let rows = r#"[{"x": 0.5, "z": null, "color": "red", "size": "unknown"}, {"z": 1}, {"x": 0.25, "z": -1, "color": "violet"}]"#;
    assert_eq!(server.predict(rows).good().json()["predictions"], Value::Array(expected));
}

#[test]
fn forms_with_images() {
    let folder = Folder::new();
    for (name, shade) in [("a", 0u8), ("b", 90), ("c", 200), ("d", 255)] {
        for copy in 0..10 {
            let pixel = |x: u32, y: u32| image::Luma([shade.saturating_add((x * y + copy) as u8)]);
            std::fs::create_dir_all(folder.path(&format!("shapes/{name}"))).unwrap();
            image::GrayImage::from_fn(8, 8, pixel).save(folder.path(&format!("shapes/{name}/{copy}.png"))).unwrap();
        }
    }
    let config = "[data]\npath = \"shapes\"\n[tasks.label]\n[model]\ntrunk = [8]\n[train]\nepochs = 2\n";
    folder.write("config.toml", config).works("train config.toml");
    let expected = predicted(&folder, "model --data shapes --probabilities");
    let server = Server::start(&folder, "model");
    let mut form = Vec::new();
    let mut encoded = Vec::new();
    for line in &expected {
        let file = folder.bytes(&format!("shapes/{}", line["image"].as_str().unwrap()));
        form.extend(b"--cut\r\ncontent-disposition: form-data; name=\"image\"; filename=\"x.png\"\r\n\r\n");
        form.extend(&file);
        form.extend(b"\r\n");
        encoded.push(format!(r#"{{"image": "data:image/png;base64,{}"}}"#, STANDARD.encode(&file)));
    }
    form.extend(b"--cut--\r\n");
    let expected: Vec<Value> = expected
        .into_iter()
        .map(|mut line| {
            line.as_object_mut().unwrap().remove("image");
            line
        })
        .collect();
    let answer = server.post("/v1/predict?probabilities=true", "multipart/form-data; boundary=cut", form).good();
    assert_eq!(answer.json()["predictions"], Value::Array(expected.clone()));
    let body = format!("[{}]", encoded.join(","));
    let answer = server.post("/v1/predict?probabilities=true", "application/json", body).good();
    assert_eq!(answer.json()["predictions"], Value::Array(expected));

    // The server's own files are not for clients.
    let path = folder.path("shapes/a/0.png");
    let detail = server.predict(&format!(r#"[{{"image": "{}"}}]"#, path.display())).problem(422, "unfit-rows");
    assert!(detail.starts_with("body row 1: the image in `image` is not base64"), "{detail}");
    let answer = server.post("/v1/predict", "text/csv", format!("image\n{}\n", path.display()));
    assert!(answer.problem(422, "unfit-rows").contains("is not base64"));
    let detail = server.predict(r#"[{"image": "aGVsbG8="}]"#).problem(422, "unfit-rows");
    assert!(detail.contains("image"), "{detail}");
}

#[test]
fn forms_with_fields() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let expected = predicted(&folder, "model --data data.csv");
    let field = |name: &str, value: &str| {
        format!("--cut\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let mut form = String::new();
    for line in table(200).lines().skip(1).take(2) {
        let cells: Vec<&str> = line.split(',').collect();
        form +=
            &[("x", cells[0]), ("color", cells[2]), ("z", cells[1])].map(|(name, value)| field(name, value)).concat();
    }
    let send =
        |form: &str| server.post("/v1/predict", "multipart/form-data; boundary=cut", format!("{form}--cut--\r\n"));
    assert_eq!(send(&form).good().json()["predictions"], Value::Array(expected[..2].to_vec()));
    let detail = send(&(form + &field("x", "1"))).problem(422, "unfit-rows");
    assert_eq!(
        detail,
        "the form has 3 of `x` and 2 of `color` | send every field once a row; an empty field has no value"
    );
}

#[test]
fn texts_and_spans() {
    let folder = Folder::new();
    let config = std::fs::read_to_string(crate::common::repository("examples/commands/config.toml")).unwrap();
    let config = config.replace("../../data", &crate::common::repository("data"));
    folder.write("config.toml", config);
    folder.works("train config.toml --set train.epochs=2");
    let lines = std::fs::read_to_string(crate::common::repository("data/commands/commands.jsonl")).unwrap();
    let lines: Vec<&str> = lines.lines().take(40).collect();
    folder.write("some.jsonl", lines.join("\n"));
    let expected = predicted(&folder, "model --data some.jsonl --probabilities");
    let server = Server::start(&folder, "model");
    let body = format!("[{}]", lines.join(","));
    let answer = server.post("/v1/predict?probabilities=true", "application/json", body).good();
    assert_eq!(answer.json()["predictions"], Value::Array(expected.clone()));
    std::thread::scope(|scope| {
        for (row, line) in lines.iter().enumerate() {
            let (server, expected) = (&server, &expected);
            scope.spawn(move || {
                let path = "/v1/predict?probabilities=true";
                let answer = server.post(path, "application/json", format!("[{line}]")).good();
                assert_eq!(answer.json()["predictions"][0], expected[row], "row {row}");
            });
        }
    });
}
