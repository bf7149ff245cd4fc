//! Ways to write a table down.

use crate::common::Noise;
use crate::table::{Cell, Column};
use std::fmt::Write as _;
use std::io::Write as _;

/// A file's name and what is in it.
pub type File = (String, Vec<u8>);

/// One of several, drawn.
pub fn one_of<T: Copy>(noise: &mut Noise, all: &[T]) -> T {
    all[(noise.next() * all.len() as f64) as usize]
}

/// Days since 1970 as a date of the calendar.
fn date(days: i32) -> String {
    let (mut year, mut left) = (1970, days);
    let leap = |year: i32| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    while left >= 365 + i32::from(leap(year)) {
        left -= 365 + i32::from(leap(year));
        year += 1;
    }
    let months = [31, 28 + i32::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= months[month] {
        left -= months[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}", month + 1, left + 1)
}

/// A file as it is, or packed.
pub fn packed(name: &str, bytes: Vec<u8>, noise: &mut Noise) -> File {
    match one_of(noise, &["", "gz", "zst", "gz without a name"]) {
        "gz" => (format!("{name}.gz"), gzip(&bytes)),
        "zst" => (format!("{name}.zst"), zstd::encode_all(bytes.as_slice(), 0).unwrap()),
        "gz without a name" => (name.to_owned(), gzip(&bytes)),
        _ => (name.to_owned(), bytes),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// CSV, however it comes.
pub fn csv(columns: &[Column], noise: &mut Noise) -> File {
    let delimiter = one_of(noise, b",;\t|");
    let comma = delimiter != b',' && noise.next() < 0.3;
    let quotes = one_of(noise, &[csv::QuoteStyle::Necessary, csv::QuoteStyle::Always, csv::QuoteStyle::NonNumeric]);
    let ends = one_of(noise, &[csv::Terminator::CRLF, csv::Terminator::Any(b'\n')]);
    let truth = one_of(noise, &[["false", "true"], ["False", "True"], ["FALSE", "TRUE"]]);
    let mut writer =
        csv::WriterBuilder::new().delimiter(delimiter).quote_style(quotes).terminator(ends).from_writer(Vec::new());
    writer.write_record(columns.iter().map(|column| column.name)).unwrap();
    let words = one_of(noise, &["", "NA", "NaN", "null", "#N/A", "?"]);
    for row in 0..columns[0].cells.len() {
        let field = |column: &Column| match &column.cells[row] {
            Cell::Missing if column.cells.iter().any(|cell| matches!(cell, Cell::Number(_))) => words.to_owned(),
            Cell::Missing => String::new(),
            Cell::Whole(value) => match one_of(noise, &["", ".0", "+", " ", ".00", "."]) {
                _ if comma => value.to_string(),
                "+" if *value >= 0 => format!("+{value}"),
                " " => format!(" {value} "),
                "+" => value.to_string(),
                end => format!("{value}{end}"),
            },
            Cell::Number(value) if comma => value.to_string().replace('.', ","),
            Cell::Number(value) => match noise.next() < 0.5 {
                true => value.to_string(),
                false => format!("{value:e}"),
            },
            Cell::Word(word) => (*word).to_owned(),
            Cell::Flag(flag) => truth[usize::from(*flag)].to_owned(),
            Cell::Day(days) => date(*days),
        };
        writer.write_record(columns.iter().map(field).collect::<Vec<_>>()).unwrap();
    }
    let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
    let bytes = match one_of(noise, &["", "mark", "UTF-16"]) {
        "mark" => format!("\u{feff}{text}").into_bytes(),
        "UTF-16" => format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect(),
        _ => text.into_bytes(),
    };
    packed(one_of(noise, &["t.csv", "t.tsv", "t.txt"]), bytes, noise)
}

/// JSON, an object a line or in one list.
pub fn json(columns: &[Column], noise: &mut Noise) -> File {
    let list = noise.next() < 0.4;
    let mut rows = Vec::new();
    for row in 0..columns[0].cells.len() {
        let mut object = String::new();
        for column in columns {
            let value = match &column.cells[row] {
                // Of the first row every key is there: they are the order of the columns.
                Cell::Missing if row > 0 && noise.next() < 0.5 => continue,
                Cell::Missing => "null".to_owned(),
                Cell::Whole(value) if noise.next() < 0.5 => format!("{value}.0"),
                Cell::Whole(value) => value.to_string(),
                Cell::Number(value) if noise.next() < 0.5 => format!("{value:e}"),
                Cell::Number(value) => value.to_string(),
                Cell::Word(word) => serde_json::to_string(word).unwrap(),
                Cell::Flag(flag) => flag.to_string(),
                Cell::Day(days) => format!("\"{}\"", date(*days)),
            };
            let between = if object.is_empty() { "" } else { ", " };
            write!(object, "{between}\"{}\": {value}", column.name).unwrap();
        }
        rows.push(format!("{{{object}}}"));
    }
    let end = one_of(noise, &["\n", "\r\n", "\n\n"]);
    let mark = one_of(noise, &["", "\u{feff}"]);
    let text = match list {
        true => format!("{mark}[{end}{}{end}]{end}", rows.join(&format!(",{end}"))),
        false => format!("{mark}{}{end}", rows.join(end)),
    };
    let name = if list { "t.json" } else { one_of(noise, &["t.jsonl", "t.ndjson", "t.json"]) };
    packed(name, text.into_bytes(), noise)
}
