//! What one request may ask for, and the end of a busy connection.

use crate::client::{Request, Server};
use crate::common::{Done, Folder};
use crate::{objects, trained};
use std::time::{Duration, Instant};

const JSON: &str = "application/json";

#[test]
fn rows_with_keys_of_their_own_take_no_memory() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let row = |i: usize| {
        let keys: Vec<String> = (0..5).map(|j| format!("\"k{i}_{j}\":1")).collect();
        format!("{{{}}}", keys.join(","))
    };
    let rows: Vec<String> = (0..10_000).map(row).collect();
    for (kind, body) in [(JSON, format!("[{}]", rows.join(","))), ("application/x-ndjson", rows.join("\n"))] {
        let detail = server.post("/v1/predict", kind, &body).problem(422, "unfit-rows");
        assert!(detail.starts_with("the model knows no column `k0_0` | it knows `color`"), "{detail}");
        let answer = server.post("/v1/predict?unknown=ignore", kind, &body);
        assert!([400, 422].contains(&answer.status), "{}", answer.text());
    }
    assert!(server.peak_memory() < 200 << 20, "{} bytes", server.peak_memory());
    server.predict(&format!("[{}]", objects(1)[0])).good();
}

#[test]
fn forms_of_many_fields() {
    let folder = trained();
    let form = |count: usize| {
        let field = |i| format!("--XX\r\nContent-Disposition: form-data; name=\"f{i}\"\r\n\r\n1\r\n");
        (0..count).map(field).collect::<String>() + "--XX--\r\n"
    };
    let kind = "multipart/form-data; boundary=XX";
    let server = Server::start(&folder, "model");
    let detail = server.post("/v1/predict", kind, form(60_000)).problem(413, "too-many-fields");
    assert!(detail.starts_with("the form has more than 10000 fields"), "{detail}");
    // Where so many are allowed, one form of 60,000 costs as much as eight of 7,500; were it quadratic, eight times that.
    let server = Server::start(&folder, "model --max-fields 100000");
    let cost = |count, fields| {
        let before = server.processor_ticks();
        for _ in 0..count {
            server.post("/v1/predict", kind, form(fields)).problem(422, "unfit-rows");
        }
        server.processor_ticks() - before
    };
    cost(1, 7_500);
    let (many, one) = (cost(8, 7_500), cost(1, 60_000));
    assert!(one < 3 * many + 20, "{one} ticks for one form, {many} for eight of an eighth");
}

#[test]
fn values_pixels_and_tokens_are_counted() {
    let folder = trained();
    let server = Server::start(&folder, "model --max-cells 5");
    let rows = objects(2);
    let detail = server.predict(&format!("[{}]", rows.join(","))).problem(413, "too-many-cells");
    assert!(detail.starts_with("the body has more than 5 values, rows times columns"), "{detail}");
    server.predict(&format!("[{}]", rows[0])).good();
    server.post("/v1/predict", "text/csv", "x,z,color\n1,1,red\n1,1,red\n").problem(413, "too-many-cells");

    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("shapes/a")).unwrap();
    std::fs::create_dir_all(folder.path("shapes/b")).unwrap();
    for copy in 0..10u8 {
        let save = |name: &str, shade: u8| {
            let pixel = |x: u32, y: u32| image::Luma([shade.wrapping_add((x * y) as u8).wrapping_add(copy)]);
            image::GrayImage::from_fn(8, 8, pixel).save(folder.path(&format!("shapes/{name}/{copy}.png"))).unwrap();
        };
        save("a", 0);
        save("b", 200);
    }
    folder
        .write("config.toml", "[data]\npath = \"shapes\"\n[tasks.label]\n[model]\ntrunk = [4]\n[train]\nepochs = 1\n");
    folder.works("train config.toml");
    let server = Server::start(&folder, "model --max-pixels 1");
    let large = image::GrayImage::from_fn(800, 800, |x, y| image::Luma([((x * 7) ^ (y * 13) ^ (x * y)) as u8]));
    large.save(folder.path("large.png")).unwrap();
    let form = |count: usize| {
        let mut form = Vec::new();
        for _ in 0..count {
            form.extend(b"--cut\r\ncontent-disposition: form-data; name=\"image\"; filename=\"x.png\"\r\n\r\n");
            form.extend(folder.bytes("large.png"));
            form.extend(b"\r\n");
        }
        [form, b"--cut--\r\n".to_vec()].concat()
    };
    let kind = "multipart/form-data; boundary=cut";
    let detail = server.post("/v1/predict", kind, form(2)).problem(413, "too-many-pixels");
    assert!(detail.starts_with("the images have 1280000 pixels, more than 1000000"), "{detail}");
    server.post("/v1/predict", kind, form(1)).good();

    let folder = Folder::new();
    let rows: String = (0..40).map(|i| format!("{},{}\n", ["good day to you", "bad night"][i % 2], i % 2)).collect();
    folder.write("data.csv", format!("said,label\n{rows}"));
    let config = "[data]\npath = \"data.csv\"\n[inputs]\nsaid = \"text\"\n[tasks.label]\nkind = \"binary\"\n[model]\ntrunk = [4]\n[train]\nepochs = 1\n";
    folder.write("config.toml", config).works("train config.toml");
    let server = Server::start(&folder, "model --max-tokens 5");
    let detail =
        server.predict(r#"[{"said": "good day to you"}, {"said": "bad night"}]"#).problem(413, "too-many-tokens");
    assert!(detail.starts_with("the texts have 6 tokens, more than 5"), "{detail}");
    server.predict(r#"[{"said": "good day to you"}]"#).good();
}

#[test]
fn a_busy_connection_is_told_before_it_is_closed() {
    let folder = trained();
    let mut server = Server::start(&folder, "model");
    let mut busy = server.connect();
    let ask = Request::get("/healthz");
    assert!(!busy.send(&ask).good().head.contains("connection: close"));
    server.signal("TERM");
    server.hears("stopping");
    std::thread::sleep(Duration::from_millis(300));
    assert!(busy.send(&ask).good().head.contains("connection: close"));
    assert!(busy.answer().is_none());
    assert_eq!(server.wait(), Some(0));
}

#[test]
fn a_token_that_is_no_text_is_no_open_server() {
    use std::os::unix::ffi::OsStrExt;
    let folder = trained();
    let mut command = folder.command(&["serve", "model", "--port", "0"]);
    command.env("POLYTASK_TOKEN", std::ffi::OsStr::from_bytes(b"sec\xffret"));
    let done = Done::of(command.output().unwrap());
    assert_eq!(done.code, Some(2), "{}", done.err);
    assert!(done.message().starts_with("the token in POLYTASK_TOKEN is empty, or has other than"), "{}", done.err);
}

#[test]
fn the_description_lists_the_statuses_that_are_sent() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let api = server.get("/openapi.json").good().json();
    let statuses = |path: &str, method: &str| {
        let responses = api["paths"][path][method]["responses"].as_object().unwrap();
        responses.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
    };
    let predict = "200 400 401 404 408 413 415 422 500 503 504";
    for (path, method, expected) in [
        ("/v1/predict", "post", predict),
        ("/v1/models/{name}/predict", "post", predict),
        ("/v1/model", "get", "200 401 404 500 503"),
        ("/v1/models/{name}", "get", "200 401 404 500 503"),
        ("/v1/models", "get", "200 401 500 503"),
        ("/metrics", "get", "200 401 500 503"),
        ("/healthz", "get", "200 503"),
        ("/readyz", "get", "200 503"),
    ] {
        assert_eq!(statuses(path, method), expected, "{path}");
    }
}

#[test]
fn reloads_go_on_where_nobody_hears_of_them() {
    let folder = trained();
    folder.works("train config.toml --out other --set train.seed=5 --set train.epochs=9");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = folder.command(&["serve", "model", "--port", &port.to_string()]);
    let mut server = Server::deaf(command.stderr(full), port);
    let row = format!("[{}]", objects(1)[0]);
    let before = server.predict(&row).good().json()["predictions"].clone();
    for file in ["model.json", "model.safetensors"] {
        std::fs::copy(folder.path("other").join(file), folder.path("model").join(file)).unwrap();
    }
    server.signal("HUP");
    let end = Instant::now() + Duration::from_secs(20);
    while server.predict(&row).good().json()["predictions"] == before {
        assert!(Instant::now() < end, "the old model goes on answering");
        std::thread::sleep(Duration::from_millis(20));
    }
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));
}
