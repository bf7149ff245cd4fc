//! JSON files of one object, as pandas and others write them.

use crate::common::*;
use polytask_data::Values;

/// The same table in each layout of pandas' `to_json` that names its columns.
#[test]
fn the_layouts_of_pandas_are_one_table() {
    let layouts = [
        // orient = "columns", the default.
        r#"{"x":{"0":1.5,"1":null,"2":3.0},"w":{"0":"a","1":"b","2":null}}"#,
        "{\n  \"x\": {\"0\": 1.5, \"1\": NaN, \"2\": 3.0},\n  \"w\": {\"0\": \"a\", \"1\": \"b\"}\n}\n",
        r#"{"0":{"x":1.5,"w":"a"},"1":{"x":null,"w":"b"},"2":{"w":null,"x":3.0}}"#,
        r#"{"columns":["x","w"],"index":[0,1,2],"data":[[1.5,"a"],[null,"b"],[3.0,null]]}"#,
        r#"{"x":[1.5,null,3.0],"w":["a","b",null]}"#,
        r#"[{"x":1.5,"w":"a"},{"x":null,"w":"b"},{"x":3.0,"w":null}]"#,
        r#"{"version":"1.0","data":[{"x":1.5,"w":"a"},{"w":"b"},{"x":3.0}]}"#,
        r#"{"schema":{"fields":[{"name":"index","type":"integer"}],"primaryKey":["index"],"pandas_version":"1.4.0"},
            "data":[{"index":0,"x":1.5,"w":"a"},{"index":1,"x":null,"w":"b"},{"index":2,"x":3.0,"w":null}]}"#,
    ];
    for text in layouts {
        let table = table("t.json", text);
        assert_eq!(names(&table), ["x", "w"], "{text}");
        let x = numbers(&table, "x");
        assert!(x.len() == 3 && x[0] == 1.5 && x[1].is_nan() && x[2] == 3.0, "{text}: {x:?}");
        assert_eq!(texts(&table, "w"), [Some("a"), Some("b"), None], "{text}");
    }
}

#[test]
fn an_index_that_says_something_is_told() {
    for text in [
        r#"{"x":{"ann":1,"bob":2}}"#,
        r#"{"columns":["x"],"index":["ann","bob"],"data":[[1],[2]]}"#,
        r#"{"7":{"x":1},"3":{"x":2}}"#,
    ] {
        let table = table("t.json", text);
        assert_eq!((names(&table), numbers(&table, "x")), (vec!["x"], [1.0, 2.0].as_slice()), "{text}");
        assert!(table.notes()[0].contains("its index was left out"), "{:?}", table.notes());
    }
    assert!(table("t.json", r#"{"x":{"0":1,"1":2}}"#).notes().is_empty());
    // A key with a name is a column; what stands beside rows is no part of them.
    let named = r#"{"schema":{"primaryKey":["who"]},"data":[{"who":"ann","x":1},{"who":"bob","x":2}]}"#;
    assert_eq!(names(&table("t.json", named)), ["who", "x"]);
    let wrapped = table("t.json", r#"{"version":"1.0","data":[{"x":1},{"x":2}]}"#);
    assert!(wrapped.notes()[0].contains("what stands beside that list was left out"), "{:?}", wrapped.notes());
    assert!(table("t.json", r#"{"data":[{"x":1},{"x":2}]}"#).notes().is_empty());
}

#[test]
fn one_object_may_be_one_row() {
    let rows = |text| table("t.json", text);
    assert_eq!(numbers(&rows("{\n \"a\": 1,\n \"b\": \"x\"\n}\n"), "a"), [1.0]);
    assert_eq!(numbers(&rows(r#"{"a": 1, "b": [1, 2]}"#), "a"), [1.0]);
    // Lists of different lengths are one row's; a file of lines stays one.
    let uneven = rows(r#"{"a": [1, 2], "b": [1, 2, 3]}"#);
    assert_eq!(uneven.rows(), 1);
    let lines = table("t.jsonl", r#"{"a": ["u", "v"], "b": ["w", "x"]}"#);
    assert!(lines.rows() == 1 && matches!(lines.column("a").unwrap().values, Values::List(_)));
    let columns = rows(r#"{"a": ["u", "v"], "b": ["w", "x"]}"#);
    assert_eq!(columns.rows(), 2);
    assert!(columns.notes()[0].contains("its lists were read as columns"), "{:?}", columns.notes());
    assert_eq!(rows("{\"a\": 1}\n{\"a\": 2}\n").rows(), 2);
}

#[test]
fn what_does_not_hold_together_is_named() {
    let refused = |text, words: &str| {
        let error = error("t.json", text);
        assert!(error.contains(words), "{text}: {error}");
    };
    refused(r#"{"columns":["x","y"],"data":[[1,2],[3]]}"#, "row 2 of `data` has 1 values, and `columns` 2 names");
    refused(r#"{"columns":[["x","y"]],"data":[[1]]}"#, "names of several parts");
    refused(r#"{"columns":["x"],"data":[1]}"#, "row 1 of `data`: invalid type");
    refused(r#"{"0":{"x":1,"x":2},"1":{"x":3}}"#, "the key `x` appears twice");
    refused(r#"{"x":{"a":1,"a":2}}"#, "the key `a` appears twice");
    refused(r#"{"x":[1,2],"x":[3,4]}"#, "`x` appears twice");
    refused(r#"{"x":[1,[2]]}"#, "a list");
    refused("{\n \"x\": {\"0\": 1,\n \"y\" 2}\n}", "line 3, column 6");
    refused("{}", "");
    refused(r#"{"x":[]}"#, "");
    refused(r#"{"x":{}}"#, "");
}
