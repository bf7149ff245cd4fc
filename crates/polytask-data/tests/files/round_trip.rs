//! What is written is read back equal.

use std::collections::BTreeSet;

use crate::common::*;
use polytask_data::{Dialect, Hint, ReadOptions};
use proptest::prelude::*;

/// Text with everything in it that means something to CSV, but for the zero byte, which marks binary files.
fn odd() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-c \",;|\t\r\n'{}\\\\#é\u{1F600}\u{2028}]{0,8}",
        1 => any::<String>().prop_map(|text| text.replace('\0', "")),
        1 => Just(String::new()),
        1 => "[0-9.,+e-]{1,6}",
    ]
}

/// Unique names without blanks around them or a byte order mark in front.
fn names(columns: usize) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(odd(), columns).prop_filter_map("names must be unique and not blank", |names| {
        let names: Vec<String> =
            names.iter().map(|name| name.trim().trim_matches('\u{feff}').trim().to_owned()).collect();
        let unique: BTreeSet<&String> = names.iter().collect();
        (unique.len() == names.len() && names.iter().all(|name| !name.is_empty())).then_some(names)
    })
}

fn odd_table() -> impl Strategy<Value = (Vec<String>, Vec<Vec<String>>)> {
    (1usize..5)
        .prop_flat_map(|columns| (names(columns), prop::collection::vec(prop::collection::vec(odd(), columns), 1..12)))
}

#[derive(Debug, Clone, Copy)]
struct Style {
    delimiter: u8,
    crlf: bool,
    always: bool,
}

fn style() -> impl Strategy<Value = Style> {
    (prop::sample::select(vec![b',', b';', b'\t', b'|']), any::<bool>(), any::<bool>())
        .prop_map(|(delimiter, crlf, always)| Style { delimiter, crlf, always })
}

/// The file, and the line each record begins on.
fn write(records: &[Vec<String>], style: Style) -> (Vec<u8>, Vec<usize>) {
    let mut file = Vec::new();
    let mut lines = Vec::new();
    for record in records {
        lines.push(file.iter().filter(|byte| **byte == b'\n').count() + 1);
        let mut writer = csv::WriterBuilder::new()
            .delimiter(style.delimiter)
            .terminator(if style.crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .quote_style(if style.always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .from_writer(Vec::new());
        writer.write_record(record).unwrap();
        file.extend(writer.into_inner().unwrap());
    }
    (file, lines)
}

fn as_text(names: &[String]) -> ReadOptions {
    let hints = names.iter().map(|name| (name.clone(), Hint::Text)).collect();
    ReadOptions { hints, ..ReadOptions::default() }
}

/// What is read of a field that was written.
fn there(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.trim().is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn odd_text_survives((names, rows) in odd_table(), style in style()) {
        let records: Vec<Vec<String>> = std::iter::once(names.clone()).chain(rows.iter().cloned()).collect();
        let (file, lines) = write(&records, style);
        let delimiter = Dialect { delimiter: Some(style.delimiter), ..Dialect::default() };
        let options = ReadOptions { dialect: delimiter, ..as_text(&names) };
        let table = Scratch::new("t.csv", file).read(&options).unwrap();
        prop_assert_eq!(crate::common::names(&table), names.iter().map(String::as_str).collect::<Vec<_>>());
        for (at, name) in names.iter().enumerate() {
            let expected: Vec<Option<&str>> = rows.iter().map(|row| there(&row[at])).collect();
            prop_assert_eq!(texts(&table, name), expected);
        }
        for (row, line) in lines[1..].iter().enumerate() {
            let (place, line) = (table.place(row).to_string(), format!("line {line}"));
            prop_assert!(place.ends_with(&line), "{} is not {}", place, line);
        }
    }

    #[test]
    fn the_delimiter_is_found_under_a_plain_header(
        rows in prop::collection::vec(prop::collection::vec(odd(), 3), 1..12),
        style in style(),
    ) {
        let names = ["first", "second one", "third"].map(str::to_owned).to_vec();
        let records: Vec<Vec<String>> = std::iter::once(names.clone()).chain(rows.iter().cloned()).collect();
        let table = Scratch::new("t.csv", write(&records, style).0).read(&as_text(&names)).unwrap();
        let expected: Vec<Option<&str>> = rows.iter().map(|row| there(&row[2])).collect();
        prop_assert_eq!(texts(&table, "third"), expected);
    }

    #[test]
    fn numbers_keep_every_bit(
        values in prop::collection::vec(prop::option::of(prop::num::f64::NORMAL | prop::num::f64::SUBNORMAL | prop::num::f64::ZERO), 1..20),
        style in style(),
        exponent in any::<bool>(),
    ) {
        let write_number = |value: &f64| if exponent { format!("{value:e}") } else { value.to_string() };
        let record = |value: &Option<f64>| vec![value.as_ref().map(write_number).unwrap_or_default(), "word".into()];
        let header = vec!["x".to_owned(), "w".to_owned()];
        let records: Vec<Vec<String>> = std::iter::once(header).chain(values.iter().map(record)).collect();
        let table = Scratch::new("t.csv", write(&records, style).0).read(&ReadOptions::default()).unwrap();
        for (read, written) in numbers(&table, "x").iter().zip(&values) {
            match written {
                Some(written) => prop_assert_eq!(read.to_bits(), written.to_bits()),
                None => prop_assert!(read.is_nan()),
            }
        }
    }

    #[test]
    fn json_text_survives(rows in prop::collection::vec((prop::option::of(any::<String>()), odd()), 1..12)) {
        let mut file = String::new();
        for (value, other) in &rows {
            file.push_str(&serde_json::json!({ "key \"1\"": value, "é": other }).to_string());
            file.push('\n');
        }
        let table = Scratch::new("t.jsonl", file).read(&as_text(&["key \"1\"".into()])).unwrap();
        let expected: Vec<Option<&str>> = rows.iter().map(|(value, _)| value.as_deref()).collect();
        prop_assert_eq!(texts(&table, "key \"1\""), expected);
        let expected: Vec<Option<&str>> = rows.iter().map(|(_, other)| Some(other.as_str())).collect();
        prop_assert_eq!(texts(&table, "é"), expected);
    }

    #[test]
    fn no_text_brings_the_reader_down(bytes in prop::collection::vec(prop_oneof![4 => prop::sample::select(b"ab1,;\"\n\r\t|{}:[]\\ .e-".to_vec()), 1 => any::<u8>()], 0..200), name in prop::sample::select(vec!["t.csv", "t.jsonl", "t", "t.parquet"])) {
        // Only that it comes back; what it says is checked elsewhere.
        let _ = Scratch::new(name, bytes).read(&ReadOptions::default());
    }
}
