//! Every kind of bad file gets an error with its place.

use std::path::Path;

use crate::common::*;
use polytask_data::{DataError, Hint, ReadOptions, read};

fn fail(path: &str) -> DataError {
    read(Path::new(path), &ReadOptions::default()).map(|_| ()).unwrap_err()
}

#[test]
fn files_that_cannot_be_opened() {
    assert_eq!(fail("no/such.csv").to_string(), "no such file: no/such.csv");
    assert!(
        fail("src").to_string().starts_with("src holds no PNG, JPEG, WebP, GIF, BMP or TIFF image, but "),
        "{}",
        fail("src")
    );
    assert_eq!(fail("Cargo.toml/x.csv").to_string(), "no such file: Cargo.toml/x.csv");
}

#[cfg(unix)]
#[test]
fn files_that_may_not_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new("secret.csv", "a\n1\n");
    std::fs::set_permissions(scratch.path(), std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::File::open(scratch.path()).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    assert_eq!(scratch.error(&ReadOptions::default()), "no permission to read secret.csv");
}

#[test]
fn files_without_content() {
    for content in [&b""[..], b"\xEF\xBB\xBF", b"\n \r\n"] {
        assert_eq!(error("e.csv", content), "e.csv is empty");
    }
    assert_eq!(error("e.csv.gz", gzip(b"")), "e.csv.gz is empty");
    assert_eq!(error("e.zst", zstd(b"")), "e.zst is empty");
    assert_eq!(error("h.csv", "a,b\n"), "h.csv names its columns but has no rows");
    assert_eq!(error("h.csv", "a,b"), "h.csv names its columns but has no rows");
    assert_eq!(error("h.jsonl", "{}\n{}\n"), "h.jsonl has no columns");
}

#[test]
fn unknown_formats() {
    let accepted = "accepted are CSV and TSV";
    for (name, content, found) in [
        ("a.xlsx", &b"PK\x03\x04rest"[..], "a zip archive or a spreadsheet"),
        ("a.feather", b"FEA1\0\0\0\0", "Feather of version 1; write it as version 2"),
        ("a.bin", b"\x01\x02\0\x03", "binary data"),
        ("a.csv", b"a,b\n1,\0,\n", "binary data"),
        ("README", b"only words here\nand there\n", "text without a delimiter"),
    ] {
        let error = Scratch::new(name, content).read(&ReadOptions::default()).map(|_| ()).unwrap_err();
        assert!(error.to_string().ends_with(&format!("unknown format ({found})")), "{error}");
        assert!(error.hint().unwrap().starts_with(accepted));
    }
}

#[test]
fn ragged_rows() {
    assert_eq!(error("r.csv", "a,b,c\n1,2,3\n\n1,2\n"), "r.csv line 4: expected 3 fields, found 2");
    assert_eq!(error("r.csv", "a,b,c\n\"x\ny\",2,3\n1,2,3,4\n"), "r.csv line 4: expected 3 fields, found 4");
    assert_eq!(error("r.csv", "a\n1\n1,2\n"), "r.csv line 3: expected 1 field, found 2");
}

#[test]
fn quotes_that_never_close() {
    let text = "q.csv line 3: a quote is opened in this record and never closed";
    assert_eq!(error("q.csv", "a,b\n1,2\n\"3,4\n5,6\n"), text);
    assert_eq!(error("q.csv", "a,b\n1,2\n3,\"4\n5,6\n"), text);
    assert_eq!(error("q.csv", "a,b\n1,2\n3,\"4"), text);
    // A quote inside a field is only a character.
    assert_eq!(texts(&table("q.csv", "a,b\n1,5\" pipe\n"), "b"), [Some("5\" pipe")]);
}

#[test]
fn bad_headers() {
    assert_eq!(error("d.csv", "a,b, a\n1,2,3\n"), "d.csv: two columns are called `a` (numbers 1 and 3)");
    // They stop those alone who need them.
    let twice = table("d.csv", "a,b,a,a\n1,2,3,4\n");
    assert_eq!((names(&twice), twice.faults().count()), (vec!["b"], 1));
    assert!(twice.find("a").is_err() && twice.find("b").is_ok());
    assert_eq!(error("u.csv", ",a\n0.5,1\n"), "u.csv: column 1 has no name");
    assert_eq!(error("u.csv", "a,b,\n0,1,2\n"), "u.csv: column 3 has no name");
    assert_eq!(error("u.jsonl", "{\"\": 1}\n"), "u.jsonl: column 1 has no name");
}

#[test]
fn text_that_is_not_utf8() {
    assert_eq!(error("l.csv", b"a,b\n1,x\n2,caf\xE9\n"), "l.csv line 3: the text is not UTF-8");
    assert_eq!(error("l.jsonl", b"{\"a\": \"\xFF\"}\n"), "l.jsonl line 1: the text is not UTF-8");
}

#[test]
fn wrong_values() {
    let scratch = Scratch::new("v.csv", "age,x\n63,1\n\"sixty\none\",2\n");
    let error = scratch.error(&hints(&[("age", Hint::Number)]));
    assert_eq!(error, "v.csv line 3: column `age`: `sixty\none` is not a number");
    let mut text = "age\n".to_owned();
    (0..40).for_each(|age| text.push_str(&format!("{age}\n")));
    text.push_str("unknown\n");
    assert_eq!(crate::common::error("v.csv", &text), "v.csv line 42: column `age`: `unknown` is not a number");
    assert_eq!(crate::common::error("v.csv", "a\n1\ninf\n"), "v.csv line 3: column `a`: `inf` is not a finite number");
    assert_eq!(
        crate::common::error("v.jsonl", "{\"a\": 1e999}\n"),
        "v.jsonl line 1: column `a`: `1e999` is not a finite number"
    );
}

#[test]
fn all_wrong_columns_are_reported_at_any_number_of_threads() {
    let text = format!("{}\n{}\n", (0..64).map(|c| format!("c{c}")).collect::<Vec<_>>().join(","), ["x"; 64].join(","));
    let hints: Vec<(String, Hint)> = (9..64).map(|c| (format!("c{c}"), Hint::Number)).collect();
    let options = ReadOptions { hints: hints.into_iter().collect(), ..ReadOptions::default() };
    let scratch = Scratch::new("w.csv", text);
    for threads in [1, 4] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let error = pool.install(|| scratch.error(&options));
        let begin = "55 columns cannot be read:\n  w.csv line 2: column `c9`: `x` is not a number\n  w.csv line 2: column `c10`";
        assert!(error.starts_with(begin) && error.ends_with("and 45 more"), "{error}");
    }
}

#[test]
fn damaged_packing() {
    let text = "a,b\n1,x\n".repeat(100);
    for packed in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
        for cut in [5, packed.len() / 2, packed.len() - 1] {
            let error = error("c.csv", &packed[..cut]);
            assert!(error.starts_with("c.csv is damaged: "), "{error}");
        }
    }
    let mut packed = gzip(text.as_bytes());
    let sum = packed.len() - 6;
    packed[sum] ^= 1;
    assert!(error("c.csv.gz", packed).starts_with("c.csv.gz is damaged: gzip: "));
}

#[test]
fn damaged_json() {
    let syntax = error("j.jsonl", "{\"a\": 1}\n{\"a\": 1,, \"b\": 2}\n");
    assert_eq!(syntax, "j.jsonl line 2, column 9: not valid JSON: key must be a string");
    let cut = error("j.jsonl", "{\"a\": 1}\n{\"a\": \"x\n");
    assert!(cut.starts_with("j.jsonl line 2, column 8: not valid JSON: "), "{cut}");
    let bare = error("j.jsonl", "{\"a\": undefined}\n");
    assert!(bare.starts_with("j.jsonl line 1, column 7: not valid JSON: "), "{bare}");
    let list = error("j.jsonl", "[1, 2]\n");
    assert!(list.starts_with("j.jsonl row 1, column ") && list.contains("an object"), "{list}");
    let cut = error("j.json", "[{\"a\": 1},\n");
    assert!(cut.starts_with("j.json line 2, column ") && cut.contains("not valid JSON"), "{cut}");
    let two = error("j.jsonl", "{\"a\": 1} {\"a\": 2}\n");
    assert!(two.starts_with("j.jsonl line 1, column 10: not valid JSON: "), "{two}");
    let pretty = error("j.json", "{\n  \"a\": 1,\n  \"b\" 2\n}\n");
    assert!(pretty.starts_with("j.json line 3, column 7"), "{pretty}");
    let surrogate = error("j.jsonl", "{\"a\": \"\\ud800\"}\n");
    assert!(surrogate.starts_with("j.jsonl line 1, column "), "{surrogate}");
}

#[test]
fn json_that_is_no_table() {
    let list = error("j.jsonl", "{\"b\": 1}\n{\"a\": null}\n{\"a\": 1}\n\n{\"a\": [1]}\n");
    assert_eq!(list, "j.jsonl line 5: the value of `a` is a list, but a plain value in line 3");
    let object = error("j.jsonl", "{\"a\": [1]}\n{\"a\": {\"c\": 1}}\n{\"a\": \"x\"}\n");
    assert_eq!(object, "j.jsonl line 3: the value of `a` is a plain value, but a list in line 1");
    assert_eq!(error("j.jsonl", "{\"a\": 1, \"a\": 2}\n"), "j.jsonl line 1: the key `a` appears twice");
}
