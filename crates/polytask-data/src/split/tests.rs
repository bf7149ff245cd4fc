use std::collections::{BTreeMap, BTreeSet};

use super::*;

fn numbered(rows: usize) -> Table {
    Table::from_columns(vec![Column::number("x", (0..rows).map(|row| row as f64).collect())]).unwrap()
}

fn shares(valid: f64, test: f64, seed: u64) -> SplitRule {
    SplitRule::Shares { valid, test, seed, stratify: None, group: None }
}

fn check_partition(split: &Split, rows: usize) {
    let mut all = [split.train.as_slice(), &split.valid, &split.test].concat();
    all.sort_unstable();
    assert_eq!(all, (0..rows as u32).collect::<Vec<_>>());
    for part in [&split.train, &split.valid, &split.test] {
        assert!(part.is_sorted());
    }
}

#[test]
fn shares_divide_all_rows() {
    let table = numbered(544);
    let parts = split(&table, &shares(0.1, 0.2, 7)).unwrap();
    check_partition(&parts, 544);
    assert_eq!((parts.train.len(), parts.valid.len(), parts.test.len()), (381, 54, 109));
    assert_eq!(parts, split(&table, &shares(0.1, 0.2, 7)).unwrap());
    assert_ne!(parts, split(&table, &shares(0.1, 0.2, 8)).unwrap());
}

#[test]
fn every_row_is_as_likely_to_be_a_test_row() {
    // 2000 draws of 4 from 20: each row expects 400, standard deviation 18; 90 is 5 of them.
    let mut counts = [0i32; 20];
    for seed in 0..2000 {
        for row in split(&numbered(20), &shares(0.0, 0.2, seed)).unwrap().test {
            counts[row as usize] += 1;
        }
    }
    assert!(counts.iter().all(|count| (count - 400).abs() < 90), "{counts:?}");
}

#[test]
fn strata_are_divided_to_within_one_row() {
    let values: Vec<Option<&str>> =
        (0..1000).map(|row| [Some("rare"), None, Some("some"), Some("common")][(row * row % 97 % 8).min(3)]).collect();
    let table = Table::from_columns(vec![Column::text("label", values)]).unwrap();
    let rule = SplitRule::Shares { valid: 0.13, test: 0.21, seed: 3, stratify: Some("label".into()), group: None };
    let parts = split(&table, &rule).unwrap();
    check_partition(&parts, 1000);
    let column = table.column("label").unwrap();
    let count = |rows: &[u32]| {
        let mut counts: BTreeMap<Option<String>, f64> = BTreeMap::new();
        rows.iter().for_each(|row| *counts.entry(column.shown(*row as usize)).or_default() += 1.0);
        counts
    };
    let all: Vec<u32> = (0..1000).collect();
    assert_eq!(count(&all).len(), 4);
    for (level, total) in count(&all) {
        for (rows, share) in [(&parts.valid, 0.13), (&parts.test, 0.21), (&parts.train, 0.66)] {
            let found = count(rows).get(&level).copied().unwrap_or(0.0);
            assert!((found - share * total).abs() < 1.0, "{level:?}: {found} of {total}");
        }
    }
}

#[test]
fn number_columns_stratify_too() {
    let table = Table::from_columns(vec![Column::number("male", (0..100).map(|row| f64::from(row % 4 / 3)).collect())])
        .unwrap();
    let rule = SplitRule::Shares { valid: 0.0, test: 0.2, seed: 0, stratify: Some("male".into()), group: None };
    let test = split(&table, &rule).unwrap().test;
    assert_eq!(test.iter().filter(|row| **row % 4 == 3).count(), 5);
}

#[test]
fn groups_stay_whole() {
    let group = |row: u32| if row.is_multiple_of(13) { None } else { Some(row * 7 % 31) };
    let values = (0..500).map(|row| group(row).map_or(f64::NAN, f64::from)).collect();
    let table = Table::from_columns(vec![Column::number("subject", values)]).unwrap();
    for seed in 0..20 {
        let rule = SplitRule::Shares { valid: 0.1, test: 0.2, seed, stratify: None, group: Some("subject".into()) };
        let parts = split(&table, &rule).unwrap();
        check_partition(&parts, 500);
        let groups = |rows: &[u32]| rows.iter().map(|row| group(*row)).collect::<BTreeSet<_>>();
        let (train, valid, test) = (groups(&parts.train), groups(&parts.valid), groups(&parts.test));
        assert!(train.is_disjoint(&valid) && train.is_disjoint(&test) && valid.is_disjoint(&test));
        // 31 groups of about 15 rows and one of 39: a part is off by less than its last group.
        assert!(parts.test.len().abs_diff(100) < 40 && parts.valid.len().abs_diff(50) < 40);
    }
}

#[test]
fn three_groups_fill_three_parts() {
    let values = (0..300).map(|row| f64::from(row / 100)).collect();
    let table = Table::from_columns(vec![Column::number("site", values)]).unwrap();
    let rule = SplitRule::Shares { valid: 0.1, test: 0.2, seed: 1, stratify: None, group: Some("site".into()) };
    let parts = split(&table, &rule).unwrap();
    assert_eq!((parts.train.len(), parts.valid.len(), parts.test.len()), (100, 100, 100));
}

#[test]
fn too_few_groups_are_an_error() {
    let table = Table::from_columns(vec![Column::number("site", vec![1.0; 10])]).unwrap();
    let rule = SplitRule::Shares { valid: 0.0, test: 0.2, seed: 1, stratify: None, group: Some("site".into()) };
    assert!(matches!(split(&table, &rule), Err(DataError::EmptyPart { part: "test", .. })));
}

#[test]
fn bad_shares_are_refused() {
    let bad = |valid, test| split(&numbered(100), &shares(valid, test, 0)).unwrap_err().to_string();
    assert_eq!(bad(1.0, 0.0), "the valid share 1 is out of range, allowed is 0 <= share < 1");
    assert_eq!(bad(0.0, -0.1), "the test share -0.1 is out of range, allowed is 0 <= share < 1");
    assert_eq!(bad(f64::NAN, 0.0), "the valid share NaN is out of range, allowed is 0 <= share < 1");
    assert_eq!(bad(0.7, 0.3), "the shares of valid (0.7) and test (0.3) leave nothing to train on");
    assert_eq!(bad(0.001, 0.0), "the valid part of the split would be empty (a share of 0.001 of 100 rows)");
    let unknown = SplitRule::Shares { valid: 0.1, test: 0.1, seed: 0, stratify: Some("y".into()), group: None };
    assert!(matches!(split(&numbered(9), &unknown), Err(DataError::UnknownColumn { .. })));
    let both =
        SplitRule::Shares { valid: 0.1, test: 0.1, seed: 0, stratify: Some("x".into()), group: Some("x".into()) };
    assert!(matches!(split(&numbered(9), &both), Err(DataError::StratifyAndGroup { .. })));
}

#[test]
fn a_column_may_say_it() {
    let by = |values: &[Option<&str>]| {
        let table = Table::from_columns(vec![Column::text("split", values.iter().copied())]).unwrap();
        split(&table, &SplitRule::Column { column: "split".into() })
    };
    let parts = by(&["train", "dev", "test", "VAL", "valid", "Validation", "train"].map(Some)).unwrap();
    assert_eq!((parts.train, parts.valid, parts.test), (vec![0, 6], vec![1, 3, 4, 5], vec![2]));
    let error = by(&[Some("train"), Some("tset")]).unwrap_err();
    assert_eq!(error.to_string(), "table row 2: column `split` says `tset`, not train, valid or test");
    let error = by(&[Some("train"), None]).unwrap_err();
    assert_eq!(error.to_string(), "table row 2: column `split` says nothing, not train, valid or test");
    assert!(matches!(by(&[Some("test")]), Err(DataError::EmptyPart { part: "train", .. })));
    let error = split(&numbered(3), &SplitRule::Column { column: "x".into() }).unwrap_err();
    assert_eq!(error.to_string(), "table row 1: column `x` says `0`, not train, valid or test");
}

#[test]
fn every_fifth_row_tests() {
    let rule = SplitRule::Every { test_every: 5, valid: 0.0, seed: 0 };
    let parts = split(&numbered(544), &rule).unwrap();
    assert_eq!((parts.train.len(), parts.test.len()), (435, 109));
    assert!(parts.test.iter().all(|row| row % 5 == 0));
    let parts = split(&numbered(544), &SplitRule::Every { test_every: 5, valid: 0.1, seed: 0 }).unwrap();
    check_partition(&parts, 544);
    assert_eq!(parts.valid.len(), 44);
    for period in [0, 1] {
        let rule = SplitRule::Every { test_every: period, valid: 0.0, seed: 0 };
        assert!(matches!(split(&numbered(9), &rule), Err(DataError::BadPeriod(_))));
    }
    let rule = SplitRule::Every { test_every: 5, valid: 0.0, seed: 0 };
    assert!(matches!(split(&numbered(1), &rule), Err(DataError::EmptyPart { part: "train", .. })));
}

#[test]
fn ranges_may_be_given() {
    let given = |train, valid, test| split(&numbered(10), &SplitRule::Given { train, valid, test });
    let parts = given(0..6, 8..8, 6..9).unwrap();
    assert_eq!((parts.train, parts.valid, parts.test), ((0..6).collect(), vec![], vec![6, 7, 8]));
    let error = given(0..6, 5..8, 8..9).unwrap_err();
    assert_eq!(error.to_string(), "the valid rows 5..8 overlap the train rows 0..6");
    let error = given(0..6, 6..8, 8..11).unwrap_err();
    assert_eq!(error.to_string(), "the test rows 8..11 reach past the table's 10 rows");
    assert!(matches!(given(0..0, 1..2, 3..4), Err(DataError::EmptyPart { part: "train", .. })));
}

#[test]
fn draws_keep_the_order() {
    let rows = [40, 30, 20, 10, 0];
    let (left, drawn) = draw(&rows, 0.4, 1).unwrap();
    assert_eq!((left.len(), drawn.len()), (3, 2));
    assert!(left.is_sorted_by(|a, b| a > b) && drawn.is_sorted_by(|a, b| a > b));
    assert_eq!(draw(&rows, 0.0, 1).unwrap(), (rows.to_vec(), vec![]));
    assert!(draw(&rows, 0.01, 1).is_err());
}
