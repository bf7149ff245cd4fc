//! Whole numbers have one spelling in every format, as levels and as groups, and missing words one meaning.

use crate::common::*;
use polytask_data::{Dialect, Hint, ReadOptions, SplitRule, Table, level, split};

/// The levels of the column `id`, read as texts.
fn levels(table: &Table) -> Vec<String> {
    texts(table, "id").into_iter().flatten().map(|text| level(text).into_owned()).collect()
}

#[test]
fn ids_are_alike_in_csv_and_json() {
    let long = ["9007199254740993", "9007199254740992", "3"];
    let text = hints(&[("id", Hint::Text)]);
    for (name, content) in [
        ("t.csv", "id\n9007199254740993\n9007199254740992.0\n 3\n"),
        ("t.jsonl", "{\"id\": 9007199254740993}\n{\"id\": 9007199254740992.0}\n{\"id\": 3.0}\n"),
        ("t.jsonl", "{\"id\": \"9007199254740993\"}\n{\"id\": \"9007199254740992\"}\n{\"id\": \"3.0\"}\n"),
    ] {
        assert_eq!(levels(&Scratch::new(name, content).read(&text).unwrap()), long, "{content}");
    }
    // Numbers in lists, as labels of tokens are.
    let lists = table("t.jsonl", "{\"id\": [3.0, 1, 0.50, \"3.0\"]}\n");
    assert_eq!(lists.find("id").unwrap().shown(0).as_deref(), Some("3 1 0.50 3.0"));
}

#[test]
fn groups_are_alike_however_they_are_spelt() {
    let rows: String = (0..40).map(|row| format!("{},{row}\n", ["7", "7.0", " 7", "8"][row % 4])).collect();
    let table = Scratch::new("t.csv", format!("id,x\n{rows}")).read(&hints(&[("id", Hint::Text)])).unwrap();
    let rule = SplitRule::Shares { valid: 0.0, test: 0.3, seed: 1, stratify: None, group: Some("id".into()) };
    let parts = split(&table, &rule).unwrap();
    let id = |rows: &[u32]| rows.iter().map(|row| row % 4 == 3).collect::<Vec<_>>();
    let whole = |rows: &[u32]| id(rows).windows(2).all(|pair| pair[0] == pair[1]);
    assert!(whole(&parts.train) && whole(&parts.test) && !parts.test.is_empty(), "{parts:?}");
}

#[test]
fn missing_words_are_added_and_texts_taken_at_their_word() {
    let scratch = Scratch::new("t.csv", "age,churn,note\n65,,null\n40,unknown,nan\nn/a,N,\n34,Y,so what\n");
    let options = dialect(Dialect { missing: Some(vec!["unknown".into()]), ..Dialect::default() });
    let table = scratch.read(&options).unwrap();
    assert_eq!(texts(&table, "churn"), [None, None, Some("N"), Some("Y")]);
    assert_eq!(texts(&table, "note"), [Some("null"), Some("nan"), None, Some("so what")]);
    assert!(numbers(&table, "age")[2].is_nan());
    assert!(Dialect::default().missing_words().contains(&"<NA>".to_owned()));
    assert_eq!(options.dialect.missing_words().last().map(String::as_str), Some("unknown"));
}

#[test]
fn a_bad_column_stops_only_those_who_need_it() {
    let mut text = "order,x,y\n".to_owned();
    (0..40).for_each(|row| text.push_str(&format!("{row},{row}.5,1\n")));
    text.push_str("A-17,inf,2\n");
    let scratch = Scratch::new("t.csv", text);
    let table = scratch.read(&ReadOptions::default()).unwrap();
    assert_eq!((table.rows(), numbers(&table, "y")[40]), (41, 2.0));
    assert!(table.column("order").unwrap().is_missing(40) && !table.column("order").unwrap().is_missing(39));
    let shown =
        |error: polytask_data::DataError| error.to_string().replace(&scratch.path().display().to_string(), "t.csv");
    assert_eq!(
        shown(table.find("order").map(|_| ()).unwrap_err()),
        "t.csv line 42: column `order`: `A-17` is not a number"
    );
    let all = shown(table.require(["y", "x", "order"].into_iter()).unwrap_err());
    assert_eq!(
        all,
        "2 columns cannot be read:\n  t.csv line 42: column `order`: `A-17` is not a number\n  t.csv line 42: column `x`: `inf` \
         is not a finite number"
    );
    assert!(table.require(["y"].into_iter()).is_ok());
    // It stays so in a table of several files, and under another name.
    let mut whole = crate::common::table("a.csv", "order,x,y\n1,1,1\n");
    whole.append(table).unwrap();
    assert!(whole.find("order").is_err() && whole.find("y").is_ok());
    whole.rename("order", "number").unwrap();
    assert!(whole.find("number").is_err());
    whole.remove("number");
    assert_eq!(whole.faults().map(|(name, _)| name).collect::<Vec<_>>(), ["x"]);
}
