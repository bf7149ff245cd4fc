//! The real data sets, where they are at hand.

use crate::common::*;
use polytask_data::{ReadOptions, SplitRule, Table, Values, read, split};

fn load(path: &str) -> Option<Table> {
    let path = real_data()?.join(path);
    if !path.is_file() {
        eprintln!("skipped: no {}", path.display());
        return None;
    }
    Some(read(&path, &ReadOptions::default()).unwrap())
}

#[test]
fn howell_is_divided_as_in_the_reference() {
    let Some(table) = load("howell1/Howell1.csv") else { return };
    assert_eq!(names(&table), ["height", "weight", "age", "male"]);
    assert_eq!(numbers(&table, "height")[..2], [151.765, 139.7]);
    let parts = split(&table, &SplitRule::Every { test_every: 5, valid: 0.0, seed: 0 }).unwrap();
    assert_eq!((parts.train.len(), parts.test.len()), (435, 109));
    assert_eq!(table.place(543).to_string().rsplit(' ').next(), Some("545"));
}

#[test]
fn census_is_read_whole() {
    let Some(mut table) = load("census_income_kdd/train.parquet") else { return };
    let Some(test) = load("census_income_kdd/test.parquet") else { return };
    assert_eq!((table.rows(), table.columns().len(), test.rows()), (199_523, 42, 99_762));
    // Shares as the source states them: 6.2 % above 50,000.
    let above = texts(&table, "income").iter().filter(|income| **income == Some("50000+.")).count();
    assert_eq!((above as f64 / 199_523.0 * 1000.0).round(), 62.0);
    let before = table.column("income").cloned();
    table.append(test).unwrap();
    assert_eq!(table.rows(), 299_285);
    assert_eq!(table.column("income").map(|c| c.shown(0)), before.map(|c| c.shown(0)));
    assert!(table.place(199_523).to_string().ends_with("test.parquet row 1"));
}

#[test]
fn air_quality_keeps_its_gaps() {
    let Some(table) = load("air_quality/air_quality.csv.gz") else { return };
    assert_eq!((table.rows(), table.columns().len()), (9357, 15));
    assert!(numbers(&table, "CO_GT").iter().any(|value| value.is_nan()));
    assert_eq!(texts(&table, "Date")[0], Some("2004-03-10"));
}

#[test]
fn clinc_says_its_own_split() {
    let Some(table) = load("clinc150/clinc150.csv.gz") else { return };
    let parts = split(&table, &SplitRule::Column { column: "split".into() }).unwrap();
    assert_eq!(parts.train.len() + parts.valid.len() + parts.test.len(), 23_700);
    assert!(parts.valid.len() >= 3000 && parts.test.len() >= 4500);
}

#[test]
fn parkinsons_patients_stay_together() {
    let Some(table) = load("parkinsons_telemonitoring/parkinsons_updrs.csv") else { return };
    let group = Some("subject#".to_owned());
    let rule = SplitRule::Shares { valid: 0.1, test: 0.2, seed: 1, stratify: None, group };
    let parts = split(&table, &rule).unwrap();
    let subject = numbers(&table, "subject#");
    assert!(parts.test.iter().all(|t| parts.train.iter().all(|r| subject[*t as usize] != subject[*r as usize])));
}

#[test]
fn sentences_have_lists_and_frames() {
    let Some(table) = load("ewt_srl/dev.jsonl.gz") else { return };
    assert_eq!(table.rows(), 2001);
    let (tokens, frames) = (table.find("tokens").unwrap(), table.find("frames").unwrap());
    let Values::List(tokens) = &tokens.values else { panic!("no lists") };
    assert_eq!(tokens.items.codes.len(), 25_147);
    let mut counts = (0, 0, 0);
    for row in 0..table.rows() {
        let Some(json) = frames.shown(row) else { continue };
        let read = polytask_data::text::frames(&json, tokens.codes(row).unwrap().len()).unwrap();
        let arguments: usize = read.iter().map(|frame| frame.arguments.len()).sum();
        counts = (counts.0 + 1, counts.1 + read.len(), counts.2 + arguments);
    }
    // As the source states them.
    assert_eq!(counts, (1965, 4952, 9568));
}
