//! Text formats as they come.

use crate::common::*;
use polytask_data::{Dialect, Hint, ReadOptions, Values};

#[test]
fn columns_are_numbers_or_text() {
    let table = table("people.csv", "height,sex,age\n151.8,m,63\n139.7,f,\n");
    assert_eq!(names(&table), ["height", "sex", "age"]);
    assert_eq!(numbers(&table, "height"), [151.8, 139.7]);
    assert_eq!(texts(&table, "sex"), [Some("m"), Some("f")]);
    assert!(numbers(&table, "age")[1].is_nan());
    assert!(table.notes().is_empty());
}

#[test]
fn quotes_hold_delimiters_newlines_and_quotes() {
    let table = table("q.csv", "a,b\n\"x, y\",\"line 1\nline 2\"\n\"say \"\"no\"\"\",plain\n");
    assert_eq!(texts(&table, "a"), [Some("x, y"), Some("say \"no\"")]);
    assert_eq!(texts(&table, "b"), [Some("line 1\nline 2"), Some("plain")]);
    assert!(table.place(1).to_string().ends_with("q.csv line 4"), "{}", table.place(1));
}

#[test]
fn marks_line_ends_and_blank_lines_do_not_matter() {
    for text in [
        "\u{feff}a;b\r\n1;x\r\n2;y\r\n",
        "a;b\n1;x\n2;y",
        "a;b\r1;x\r2;y\r",
        "\n\na;b\n\n1;x\n\n\n2;y\n\n",
        "\"a\";\"b\"\n\"1\";\"x\"\n\"2\";\"y\"\n",
        " a ; b\n 1;x\n2 ;y\n",
    ] {
        let table = table("t.csv", text);
        assert_eq!(names(&table), ["a", "b"], "{text:?}");
        assert_eq!(numbers(&table, "a"), [1.0, 2.0]);
        assert_eq!(texts(&table, "b"), [Some("x"), Some("y")]);
    }
}

#[test]
fn lines_are_those_of_the_file() {
    let table = table("t.csv", "\r\na,b\r\n\r\n1,\"x\r\n\r\ny\"\r\n\r\n2,z\r\n");
    let lines: Vec<String> = (0..2).map(|row| table.place(row).to_string()).collect();
    assert!(lines[0].ends_with("line 4") && lines[1].ends_with("line 8"), "{lines:?}");
    let old = crate::common::table("t.csv", "a,b\r1,x\r2,y\r");
    assert!(old.place(1).to_string().ends_with("line 3"), "{}", old.place(1));
}

#[test]
fn headers_may_lack_a_name() {
    let table = table("r.csv", "\"a\",\"b\"\n\"1\",2,u\n\"2\",3,v\n");
    assert_eq!((names(&table), numbers(&table, "a")), (vec!["a", "b"], [2.0, 3.0].as_slice()));
    assert!(table.notes()[0].ends_with("was left out as an index of the rows"), "{:?}", table.notes());
    let table = crate::common::table("t.csv", "a,b\n2,u,\n3,v,\n");
    assert_eq!((names(&table), numbers(&table, "a")), (vec!["a", "b"], [2.0, 3.0].as_slice()));
    // A delimiter in every row is another thing, and so is one row with more.
    for text in ["name,age\nDoe, John,42\nRoe, Jane,41\n", "a,b\n1,2,u\n3,v\n", "id,y\n1,1,5\n2,2,5\n"] {
        assert!(error("t.csv", text).contains("expected 2 fields, found 3"));
    }
}

#[test]
fn blanks_may_stand_before_quotes() {
    let table = table("t.csv", "\"a\", \"b\", \"c\"\n1, \"x, \"\"y\"\" z\",  plain\n2, \"two\nlines\",\"\"\n");
    assert_eq!((names(&table), numbers(&table, "a")), (vec!["a", "b", "c"], [1.0, 2.0].as_slice()));
    assert_eq!(texts(&table, "b"), [Some("x, \"y\" z"), Some("two\nlines")]);
    assert_eq!(texts(&table, "c"), [Some("  plain"), None]);
    assert!(table.place(1).to_string().ends_with("line 3"));
}

#[test]
fn what_is_no_table_is_named() {
    assert!(
        error("t.csv", "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n").contains("git lfs pull")
    );
    assert!(error("t.csv", "<!DOCTYPE html><html><body>404, not found</body></html>").contains("a page of the web"));
    let lines = "{\"a\": 1, \"b\": \"x\"}\n{\"a\": 2, \"b\": \"y\"}\n";
    for name in ["t.csv", "t.txt", "t"] {
        assert_eq!(numbers(&table(name, lines), "a"), [1.0, 2.0]);
    }
}

#[test]
fn python_writes_numbers_that_json_has_not() {
    let text = "{\"a\": NaN, \"b\": \"NaN \\\" Infinity\", \"c\": [1, NaN]}\n{\"a\": 1.5, \"b\": \"x\", \"c\": [2]}\n";
    for (name, text) in [("t.jsonl", text.to_owned()), ("t.json", format!("[{}]", text.trim().replace('\n', ",")))] {
        let table = table(name, text);
        assert!(numbers(&table, "a")[0].is_nan() && numbers(&table, "a")[1] == 1.5);
        assert_eq!(texts(&table, "b"), [Some("NaN \" Infinity"), Some("x")]);
    }
    let fault = error("t.jsonl", "{\"a\": 1}\n{\"a\": -Infinity}\n");
    assert_eq!(fault, "t.jsonl line 2: column `a`: `-1e999` is not a finite number");
}

#[test]
fn packed_files_are_known_by_their_first_bytes() {
    let text = b"a,b\n1,x\n";
    for (name, content) in [
        ("t.csv.gz", gzip(text)),
        ("t.csv", gzip(text)),
        ("t.csv.zst", zstd(text)),
        ("t.tsv", zstd(text)),
        ("t.csv.gz", [gzip(b"a,b\n"), gzip(b"1,x\n")].concat()),
        ("t.csv.zst", [zstd(b"a,b\n"), zstd(b"1,x\n")].concat()),
    ] {
        assert_eq!(numbers(&table(name, content), "a"), [1.0]);
    }
}

#[test]
fn formats_are_known_by_content_where_the_name_says_nothing() {
    assert_eq!(numbers(&table("data", "{\"a\": 1}\n"), "a"), [1.0]);
    assert_eq!(numbers(&table("iris.data", "a,b\n1,2\n"), "a"), [1.0]);
    assert_eq!(texts(&table("json.csv", "{a,b\n{x,2\n"), "{a"), [Some("{x")]);
}

#[test]
fn the_delimiter_may_be_given() {
    let options = dialect(Dialect { delimiter: Some(b':'), ..Dialect::default() });
    let table = Scratch::new("passwd", "name:id\nroot,x:0\n").read(&options).unwrap();
    assert_eq!(texts(&table, "name"), [Some("root,x")]);
}

#[test]
fn one_column_needs_no_delimiter() {
    assert_eq!(numbers(&table("one.csv", "x\n1\n2\n"), "x"), [1.0, 2.0]);
}

#[test]
fn a_missing_header_is_noted() {
    let table = table("iris.csv", "5.1,3.5\n4.9,3.0\n");
    assert!(table.notes()[0].ends_with("iris.csv: the names of its columns are numbers; is the header line missing?"));
}

#[test]
fn hints_decide() {
    let text = "id,code\n01,1\n02,NA\n";
    let table = Scratch::new("t.csv", text).read(&hints(&[("id", Hint::Text), ("absent", Hint::Number)])).unwrap();
    assert_eq!(texts(&table, "id"), [Some("01"), Some("02")]);
    assert_eq!(numbers(&table, "code")[0], 1.0);
}

#[test]
fn json_lines_have_types() {
    let text = concat!(
        "{\"n\": 1.50, \"s\": \"5\", \"b\": true, \"e\": \"\"}\n",
        "\n",
        "{\"s\": null, \"b\": false, \"n\": -2e3, \"late\": 7}\r\n",
        "{\"s\": \"caf\\u00e9 \\\"x\\\"\\n\", \"n\": null, \"e\": \"NA\"}",
    );
    let scratch = Scratch::new("t.jsonl", text);
    let table = scratch.read(&ReadOptions::default()).unwrap();
    assert_eq!(names(&table), ["n", "s", "b", "e", "late"]);
    assert_eq!(numbers(&table, "n")[..2], [1.5, -2000.0]);
    assert!(numbers(&table, "n")[2].is_nan());
    assert_eq!(texts(&table, "s"), [Some("5"), None, Some("café \"x\"\n")]);
    assert_eq!(texts(&table, "b"), [Some("true"), Some("false"), None]);
    assert_eq!(texts(&table, "e"), [Some(""), None, Some("NA")]);
    assert!(numbers(&table, "late")[0].is_nan() && numbers(&table, "late")[1] == 7.0);
    assert!(table.place(1).to_string().ends_with("t.jsonl line 3"));

    let table = scratch.read(&hints(&[("n", Hint::Text), ("s", Hint::Text)])).unwrap();
    assert_eq!(texts(&table, "n"), [Some("1.50"), Some("-2e3"), None]);
    let options = dialect(Dialect { missing: Some(vec!["NA".into()]), ..Dialect::default() });
    assert_eq!(texts(&scratch.read(&options).unwrap(), "e"), [Some(""), None, None]);
}

#[test]
fn json_strings_are_numbers_where_declared() {
    let scratch = Scratch::new("t.jsonl", "{\"n\": \"5\"}\n{\"n\": \"NA\"}\n{\"n\": 7}\n");
    let table = scratch.read(&hints(&[("n", Hint::Number)])).unwrap();
    assert!(numbers(&table, "n")[0] == 5.0 && numbers(&table, "n")[1].is_nan());
    let scratch = Scratch::new("t.jsonl", "{\"n\": \"5\"}\n{\"n\": true}\n");
    let error = scratch.error(&hints(&[("n", Hint::Number)]));
    assert_eq!(error, "t.jsonl line 2: column `n`: `true` is not a number");
}

#[test]
fn json_lists_and_objects_are_kept() {
    let text = "{\"w\": [\"a\", \"b \\\"c\\\"\"], \"n\": [1, 2.50], \"f\": []}\n\
                {\"w\": null, \"n\": [], \"f\": [{\"x\": [1]}]}\n\
                {\"w\": [null, true], \"n\": [3], \"f\": [[4]]}\n";
    let table = table("t.jsonl", text);
    let Values::List(words) = &table.find("w").unwrap().values else { panic!("no lists") };
    let lists: Vec<Option<Vec<_>>> = (0..4).map(|row| words.get(row).map(Iterator::collect)).collect();
    let first = vec![Some("a"), Some("b \"c\"")];
    assert_eq!(lists, [Some(first), None, Some(vec![None, Some("true")]), None]);
    assert_eq!(table.find("n").unwrap().shown(0).as_deref(), Some("1 2.50"));
    // One object among them makes all of them nested values.
    let Values::Nested(_) = &table.find("f").unwrap().values else { panic!("not nested") };
    let shown: Vec<_> = (0..3).map(|row| table.find("f").unwrap().shown(row).unwrap()).collect();
    assert_eq!(shown, ["[]", "[{\"x\": [1]}]", "[[4]]"]);
}

#[test]
fn files_of_sentences_are_known_by_their_name_or_their_columns() {
    let table = table("t.conllu", "1\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\t_\n");
    assert_eq!(table.find("upos").unwrap().shown(0).as_deref(), Some("VERB"));
    let columns = Some(vec!["tokens".to_owned(), "tags".to_owned()]);
    let options = dialect(Dialect { columns, ..Dialect::default() });
    let table = Scratch::new("t.txt.gz", gzip(b"go O\n\nto O\nRome B-city\n")).read(&options).unwrap();
    assert_eq!((table.rows(), table.find("tags").unwrap().shown(1).as_deref()), (2, Some("O B-city")));
    // JSON lines stay JSON lines.
    let table = Scratch::new("t.jsonl", "{\"a\": 1}\n").read(&options).unwrap();
    assert_eq!(numbers(&table, "a"), [1.0]);
}
