//! What is refused, with which status, and in which words.

use crate::client::{Connection, Request, Server};
use crate::common::{Done, Folder};
use crate::{objects, trained};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const JSON: &str = "application/json";

#[test]
fn bodies_that_cannot_be_read() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let rows = "send {\"rows\": [{...}, ...]} with an object a row, or the list alone";
    let object = "send an object a row, such as {\"rows\": [{\"age\": 30}]}";
    for (kind, body, detail) in [
        (JSON, "", format!("body: not valid JSON: EOF while parsing a value at line 1 column 0 | {rows}")),
        (JSON, "{\"rows\": [", format!("body: not valid JSON: EOF while parsing a list at line 1 column 10 | {rows}")),
        (JSON, "[{}] x", format!("body: not valid JSON: trailing characters at line 1 column 6 | {rows}")),
        (
            JSON,
            "{\"x\": 1}",
            format!(
                "body: not valid JSON: unknown key `x`, expected `rows` and beside it `probabilities`, `interval`, `joint`, \
                 `explain`, `tasks`, `unknown` at line 1 column 4 | {rows}"
            ),
        ),
        (JSON, "{}", format!("body: not valid JSON: the key `rows` is missing at line 1 column 2 | {rows}")),
        (
            JSON,
            "{\"rows\": {\"rows\": []}}",
            format!("body: not valid JSON: invalid type: map, expected a list of objects at line 1 column 9 | {rows}"),
        ),
        (JSON, "[]", "body is empty".into()),
        (JSON, "[{}]", "body has no columns".into()),
        (
            JSON,
            "[{\"x\": 1}, 2]",
            format!(
                "body row 2, column 1: not valid JSON: invalid type: integer `2`, expected an object with a key for each \
                 column | {object}"
            ),
        ),
        (JSON, "[{\"x\": 1, \"x\": 2}]", "body row 1: the key `x` appears twice".into()),
        ("text/csv", "", "body is empty".into()),
        ("text/csv", "x,z,color\n", "body names its columns but has no rows".into()),
        (
            "text/csv",
            "x,z,color\n1,2\n",
            "body line 2: expected 3 fields, found 2 | a value that holds the delimiter must stand in double quotes"
                .into(),
        ),
        (
            "application/x-ndjson",
            "{\"x\": 1",
            format!("body line 1, column 7: not valid JSON: EOF while parsing an object | {object}"),
        ),
    ] {
        assert_eq!(server.post("/v1/predict", kind, body).problem(400, "malformed-body"), detail, "{body}");
    }
    for bytes in [&b"x,z,color\n\xFF,1,red\n"[..], b"[{\"x\": \"\xFF\"}]"] {
        let kind = if bytes[0] == b'x' { "text/csv" } else { JSON };
        server.post("/v1/predict", kind, bytes).problem(400, "malformed-body");
    }
    // Nothing but what was sent is allocated, however long a message says it is.
    let arrow = std::fs::read(format!("{}/tests/serve/rows.arrows", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let kind = "application/vnd.apache.arrow.stream";
    let mut huge = arrow.clone();
    huge[4..8].copy_from_slice(&0x7FFF_FFFFu32.to_le_bytes());
    server.post("/v1/predict", kind, &huge).problem(400, "malformed-body");
    for end in (0..arrow.len() - 8).step_by(53) {
        let answer = server.post("/v1/predict", kind, &arrow[..end]);
        assert!([400, 422].contains(&answer.status), "{end}: {}", answer.text());
    }
    for at in (0..arrow.len()).step_by(7) {
        let mut broken = arrow.clone();
        broken[at] ^= 0x55;
        let answer = server.post("/v1/predict?unknown=ignore", kind, &broken);
        assert!([200, 400, 422].contains(&answer.status), "{at}: {}", answer.text());
    }
    server.predict(&format!("[{}]", objects(1)[0])).good();
}

#[test]
fn forms_that_cannot_be_read() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let send = |kind: &str, body: &str| server.post("/v1/predict", kind, body);
    send("multipart/form-data", "x").problem(400, "malformed-body");
    send("multipart/form-data; boundary=cut", "x").problem(400, "malformed-body");
    send("multipart/form-data; boundary=cut", "--cut--\r\n").problem(400, "malformed-body");
    let detail =
        send("multipart/form-data; boundary=cut", "--cut\r\ncontent-disposition: form-data\r\n\r\n1\r\n--cut--\r\n");
    assert_eq!(detail.problem(400, "malformed-body"), "field 1 of the form has no name");
}

#[test]
fn rows_that_do_not_fit() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    for (body, detail) in [
        (
            r#"[{"x": 1, "z": 2}]"#,
            "input `color`: there is no column `color` | it is to hold a category; the columns are `x`, `z`; a value may be \
             null, but its column must be there",
        ),
        (
            r#"[{"x": 1, "z": 2, "colour": "red"}]"#,
            "the model knows no column `colour` | it knows `color`, `grade`, `size`, `warm`, `x`, `z`; take the column out, or \
             add ?unknown=ignore",
        ),
        (
            r#"[{"x": 1, "z": 2, "color": "red"}, {"x": "much", "z": 2, "color": "red"}]"#,
            "body row 2: column `x`: `much` is not a number | send null where there is no value",
        ),
        (
            r#"[{"x": true, "z": 2, "color": "red"}]"#,
            "body row 1: column `x`: `true` is not a number | send null where there is no value",
        ),
        (
            r#"[{"x": 1e999, "z": 2, "color": "red"}]"#,
            "body row 1: column `x`: `1e999` is not a finite number | send null where there is no value",
        ),
        (
            r#"[{"x": [1], "z": 2, "color": "red"}]"#,
            "body row 1: input `x` is a number, but holds `1` | send null where there is no value",
        ),
        (
            r#"[{"x": 1, "z": 2, "color": "red"}, {"x": {}, "z": 2, "color": "red"}]"#,
            "body row 2: the value of `x` is an object, but a plain value in row 1 | a key holds lists, objects or plain values, \
             and `null` where there is none",
        ),
        (
            r#"[{"x": 1, "z": 2, "color": {"of": "the wall"}}]"#,
            "input `color` holds nested values; an input holds a number, a word, a truth value or a text a row",
        ),
    ] {
        assert_eq!(server.predict(body).problem(422, "unfit-rows"), detail);
    }
    let answer =
        server.post("/v1/predict?unknown=ignore", JSON, r#"[{"x": 1, "z": 2, "color": "red", "colour": "red"}]"#);
    answer.good();
    // A table comes as it is, unless the client wants it checked.
    let table = "id,x,z,color\n7,1,2,red\n";
    let predicted = server.post("/v1/predict", "text/csv", table).good();
    assert_eq!(predicted.text(), server.post("/v1/predict", "text/csv", "x,z,color\n1,2,red\n").good().text());
    let detail = server.post("/v1/predict?unknown=refuse", "text/csv", table).problem(422, "unfit-rows");
    assert!(detail.starts_with("the model knows no column `id`"), "{detail}");
}

#[test]
fn requests_that_lead_nowhere() {
    let folder = trained();
    let server = Server::start(&folder, "model");
    let row = format!("[{}]", objects(1)[0]);
    server.get("/v2/predict").problem(404, "no-such-path");
    server.get("/v1/predict").problem(405, "no-such-method");
    let detail = server.get("/v1/models/other").problem(404, "no-such-model");
    assert_eq!(detail, "there is no model `other` | there are /v1/models/model");
    server.post("/v1/models/other/predict", JSON, &row).problem(404, "no-such-model");
    server.post("/v1/predict?probability=true", JSON, &row).problem(400, "bad-query");
    server.post("/v1/predict", "application/xml", &row).problem(415, "unknown-format");
    server
        .send(&Request::post("/v1/predict", JSON, &row).with("content-encoding", "gzip"))
        .problem(415, "unknown-format");
    // What is no HTTP ends the connection and nothing else.
    let mut connection = server.connect();
    connection.write(b"GET / HTTP/9.9 \r\n\r\n");
    assert_eq!(connection.answer().map(|answer| answer.status), Some(400));
    server.predict(&row).good();
    let metrics = server.get("/metrics").good();
    for (route, status, count) in [
        ("other", 404, 1),
        ("model", 404, 1),
        ("predict", 404, 1),
        ("predict", 405, 1),
        ("predict", 415, 2),
        ("predict", 200, 1),
    ] {
        let line = format!("polytask_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}\n");
        assert!(metrics.text().contains(&line), "{line} is not in {}", metrics.text());
    }
}

#[test]
fn bodies_that_are_too_large() {
    let folder = trained();
    let server = Server::start(&folder, "model --max-body 1 --max-rows 3");
    let rows = objects(4);
    let detail = server.predict(&format!("[{}]", rows.join(","))).problem(413, "too-many-rows");
    assert_eq!(detail, "the body has more than 3 rows | send them in several requests");
    let csv = crate::common::table(4);
    server.post("/v1/predict", "text/csv", csv).problem(413, "too-many-rows");
    server.predict(&format!("[{}]", rows[..3].join(","))).good();

    let large = vec![b' '; (1 << 20) + 1];
    let answer = server.post("/v1/predict", JSON, &large);
    assert!(answer.head.contains("connection: close"), "{}", answer.head);
    let detail = answer.problem(413, "too-large");
    assert_eq!(detail, "the body is larger than 1048576 bytes | send the rows in several requests");
    // As many bytes as are allowed are no more than that.
    let mut full = format!("[{}]", rows[0]).into_bytes();
    full.resize(1 << 20, b' ');
    server.post("/v1/predict", JSON, &full).good();
    // The same where the length is not said beforehand.
    let chunked = |body: &[u8]| {
        let mut connection = server.connect();
        connection.write(b"POST /v1/predict HTTP/1.1\r\nhost: test\r\ntransfer-encoding: chunked\r\n\r\n");
        for part in body.chunks(1 << 18) {
            let chunk = [format!("{:x}\r\n", part.len()).as_bytes(), part, b"\r\n"].concat();
            let _ = std::io::Write::write_all(connection.stream.get_mut(), &chunk);
        }
        let _ = std::io::Write::write_all(connection.stream.get_mut(), b"0\r\n\r\n");
        connection.answer().unwrap()
    };
    chunked(&full).good();
    full.push(b' ');
    chunked(&full).problem(413, "too-large");
}

#[test]
fn tokens() {
    let folder = trained();
    folder.write("token", "s3cret\n");
    let mut server = Server::start(&folder, "model --token-file token");
    let row = format!("[{}]", objects(1)[0]);
    for path in ["/v1/model", "/v1/models", "/metrics", "/openapi.json"] {
        let answer = server.get(path);
        assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
        answer.problem(401, "unauthorized");
        server.send(&Request::get(path).with("authorization", "Bearer s3cret")).good();
    }
    let ask = |authorization: &str| {
        server.send(&Request::post("/v1/predict", JSON, &row).with("authorization", authorization))
    };
    for wrong in ["Bearer s3cre", "Bearer s3cret2", "Bearer ", "Bearer", "Basic s3cret", "s3cret", "Bearer S3cret"] {
        ask(wrong).problem(401, "unauthorized");
    }
    ask("bearer s3cret").good();
    // Whoever watches over the process needs none.
    for path in ["/healthz", "/readyz", "/"] {
        server.get(path).good();
    }
    server.signal("TERM");
    assert_eq!(server.wait(), Some(0));

    let mut command = folder.command(&["serve", "model", "--port", "0", "--host", "0.0.0.0"]);
    command.env("POLYTASK_TOKEN", "other");
    let server = Server::of(command);
    let mut connection = Connection::to(&server.address.replace("0.0.0.0", "127.0.0.1"));
    connection.send(&Request::get("/v1/model")).problem(401, "unauthorized");
    connection.send(&Request::get("/v1/model").with("authorization", "Bearer other")).good();
}

#[test]
fn calls_that_are_wrong() {
    let folder = trained();
    folder.write("empty", " \n");
    std::fs::create_dir(folder.path("my model")).unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let occupied = format!(
        "cannot listen at 127.0.0.1:{port}: Address already in use (os error 98)\nhint: --port takes another port"
    );
    for (arguments, code, message) in [
        (
            vec!["nowhere"],
            1,
            "model nowhere: nowhere is no model directory: it has no model.json\nhint: give the directory that `polytask \
             train CONFIG --out DIR` wrote",
        ),
        (
            vec!["model", "--host", "0.0.0.0"],
            2,
            "0.0.0.0:8080 can be reached from other machines, and there is no token\nhint: put one into a file for \
             --token-file, or into the environment's POLYTASK_TOKEN",
        ),
        (
            vec!["model", "--token-file", "empty"],
            2,
            "the token in empty is empty, or has other than printable ASCII characters\nhint: `openssl rand -hex 32` makes a \
             good one",
        ),
        (vec!["model", "--token-file", "none"], 1, "cannot read none: No such file or directory (os error 2)"),
        (
            vec!["model", "x/../model"],
            2,
            "two models are called `model`\nhint: name one of them otherwise, such as model-2=DIR",
        ),
        (
            vec!["my model"],
            2,
            "\"my model\" does not name a model\nhint: give the directory as NAME=DIR, the name in letters, digits and any of \
             - _ . ~",
        ),
        (vec!["model", "--port", &port.to_string()], 1, &occupied),
    ] {
        let arguments: Vec<&str> = ["serve"].into_iter().chain(arguments).collect();
        let mut command = folder.command(&arguments);
        let done = Done::of(command.env_remove("POLYTASK_TOKEN").output().unwrap());
        assert_eq!((done.message(), done.code), (message, Some(code)), "{arguments:?}");
    }
}

#[test]
fn clients_that_are_slow() {
    let folder = trained();
    let server = Server::start(&folder, "model --timeout 1");
    let row = format!("[{}]", objects(1)[0]);
    // A body that never ends is answered, a head that never ends is not.
    let (mut body, mut head, mut silent) = (server.connect(), server.connect(), server.connect());
    body.write(b"POST /v1/predict HTTP/1.1\r\nhost: test\r\ncontent-length: 100\r\n\r\n[{");
    head.write(b"POST /v1/predict HTTP/1.1\r\nhost:");
    server.predict(&row).good();
    let answer = body.answer().unwrap();
    assert!(answer.head.contains("connection: close"));
    assert_eq!(answer.problem(408, "too-slow"), "the body did not arrive within 1 s");
    assert!(head.answer().is_none_or(|answer| answer.status == 408));
    assert!(silent.answer().is_none());
    server.predict(&row).good();
}

#[test]
fn more_connections_than_allowed() {
    let folder = trained();
    let server = Server::start(&folder, "model --max-connections 20");
    let mut open: Vec<Connection> = (0..20).map(|_| server.connect()).collect();
    open.iter_mut().for_each(|connection| drop(connection.send(&Request::get("/healthz")).good()));
    let mut refused = 0;
    for _ in 0..50 {
        let mut connection = server.connect();
        if let Some(answer) = connection.answer() {
            answer.problem(503, "busy");
            refused += 1;
        }
    }
    assert!(refused > 40, "{refused}");
    let metrics = open[3].send(&Request::get("/metrics")).good();
    let counted = format!("polytask_refused_connections_total {refused}\n");
    assert!(metrics.text().contains(&counted), "{counted} is not in {}", metrics.text());
    let row = format!("[{}]", objects(1)[0]);
    open[7].send(&Request::post("/v1/predict", JSON, &row)).good();
    drop(open);
    let end = Instant::now() + Duration::from_secs(60);
    while server.send(&Request::get("/healthz")).status != 200 {
        assert!(Instant::now() < end, "connections that ended still count");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn clients_that_break_off() {
    let folder: Folder = trained();
    let server = Server::start(&folder, "model");
    let row = format!("[{}]", objects(1)[0]);
    let request = Request::post("/v1/predict", JSON, &row).bytes();
    for end in (0..=request.len()).step_by(5) {
        let mut stream = TcpStream::connect(&server.address).unwrap();
        std::io::Write::write_all(&mut stream, &request[..end]).unwrap();
    }
    server.predict(&row).good();
    server.counts("polytask_body_bytes", |held| held == 0.0);
}
