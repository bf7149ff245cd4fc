//! CSV and TSV.

use rayon::prelude::*;

use crate::column::Column;
use crate::error::DataError;
use crate::place::Place;
use crate::read::infer::{self, MissingWords, Raw};
use crate::read::{ReadOptions, sniff};
use crate::table::{Table, check_names};

/// Reads `text`, whose first record names the columns.
pub(super) fn read(file: &str, text: &str, options: &ReadOptions) -> Result<Table, DataError> {
    let delimiter = options.delimiter.or_else(|| sniff::delimiter(text.as_bytes())).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        // The check is made here, where the line is known.
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut lines = Lines::of(text);
    let mut record = csv::StringRecord::new();
    let mut next = |record: &mut csv::StringRecord| -> Result<Option<(u32, usize)>, DataError> {
        let before = reader.position().byte() as usize;
        let found = reader.read_record(record).map_err(|error| csv_error(file, error))?;
        Ok(found.then(|| lines.at(before)))
    };

    next(&mut record)?;
    let mut columns: Vec<Raw> = record.iter().map(|name| Raw::new(name.trim())).collect();
    columns.iter_mut().for_each(|column| column.hint = options.hints.get(&column.name).copied());
    check_names(file, columns.iter().map(|column| column.name.as_str()))?;
    let mut notes = Vec::new();
    if columns.iter().all(|column| column.name.parse::<f64>().is_ok()) {
        notes.push(format!("{file}: the names of its columns are numbers; is the header line missing?"));
    }

    let mut rows = Vec::new();
    let mut last = 0;
    while let Some((line, start)) = next(&mut record)? {
        if record.len() != columns.len() {
            let place = Place::line(file, u64::from(line));
            if sniff::open_quote(text.as_bytes().get(start..).unwrap_or_default(), delimiter) {
                return Err(DataError::OpenQuote { place });
            }
            return Err(DataError::Ragged { place, expected: columns.len(), found: record.len() });
        }
        for (column, value) in columns.iter_mut().zip(&record) {
            column.push(value);
        }
        rows.push(line);
        last = start;
    }
    let Some(&last_line) = rows.last() else {
        return Err(DataError::NoRows { file: file.to_owned() });
    };
    if sniff::open_quote(text.as_bytes().get(last..).unwrap_or_default(), delimiter) {
        return Err(DataError::OpenQuote { place: Place::line(file, u64::from(last_line)) });
    }
    assemble(file, columns, rows, &MissingWords::of_plain_text(options), notes)
}

fn csv_error(file: &str, error: csv::Error) -> DataError {
    let line = error.position().map_or(1, csv::Position::line);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => DataError::io(file, error),
        _ => DataError::NotUtf8 { place: Place::line(file, line) },
    }
}

/// Converts the columns of a text file side by side; `lines` are those its rows begin on.
pub(super) fn assemble(
    file: &str,
    columns: Vec<Raw>,
    lines: Vec<u32>,
    missing: &MissingWords,
    mut notes: Vec<String>,
) -> Result<Table, DataError> {
    let place = |row: usize| Place::line(file, lines.get(row).copied().unwrap_or(0).into());
    let convert = |raw: Raw| {
        let (values, note) = infer::convert(file, &raw, missing, place)?;
        Ok((Column { name: raw.name, values }, note))
    };
    // Collected before it is searched for errors: of several errors the first column's is reported, whoever ends first.
    let converted: Vec<Result<_, DataError>> = columns.into_par_iter().map(convert).collect();
    let mut columns = Vec::with_capacity(converted.len());
    for result in converted {
        let (column, note) = result?;
        columns.push(column);
        notes.extend(note);
    }
    Table::from_file(file, columns, Some(lines), notes)
}

/// Counts lines up to ever later places.
struct Lines<'a> {
    text: &'a [u8],
    end: u8,
    counted: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        // Old files end lines with a carriage return alone.
        let end = if text.contains('\n') { b'\n' } else { b'\r' };
        Self { text: text.as_bytes(), end, counted: 0, line: 1 }
    }

    /// The line and the place of the first record at or after the byte `from`, blank lines skipped.
    fn at(&mut self, from: usize) -> (u32, usize) {
        let rest = self.text.get(from..).unwrap_or_default();
        let start = from + rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let passed = self.text.get(self.counted..start).unwrap_or_default();
        self.line = self.line.saturating_add(passed.iter().filter(|byte| **byte == self.end).count() as u32);
        self.counted = start;
        (self.line, start)
    }
}
