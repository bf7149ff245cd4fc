//! CSV and TSV.

use std::borrow::Cow;

use rayon::prelude::*;

use crate::column::Converted;
use crate::error::DataError;
use crate::place::Place;
use crate::read::ReadOptions;
use crate::read::infer::{self, Manner, Raw};
use crate::read::missing::MissingWords;
use crate::read::preamble::{self, Preamble};
use crate::read::sniff::{self, Form};
use crate::table::{Table, check_named};

/// Bytes of a text that are read on their own where that can be; the same on any number of threads.
const PART: usize = 1 << 20;

/// Reads `text`, whose first record names the columns.
pub(super) fn read(file: &str, text: &str, options: &ReadOptions) -> Result<Table, DataError> {
    let dialect = &options.dialect;
    let Preamble { start, delimiter, mut notes } = preamble::find(file, text, dialect)?;
    let way = Way { delimiter, form: Form { unquoted: dialect.unquoted, comment: dialect.comment } };
    let below = text.get(start..).unwrap_or_default();
    let below = match delimiter {
        b' ' => single_blanks(below),
        _ if dialect.unquoted => below.into(),
        _ => tight_quotes(below, delimiter),
    };
    let below = below.as_ref();
    let mut reader = way.records(below);
    let mut record = csv::StringRecord::new();
    reader.read_record(&mut record).map_err(|error| csv_error(file, error, 0))?;
    let mut columns: Vec<Raw> = record.iter().map(|name| Raw::new(name.trim())).collect();
    match way.lacks(below.get(reader.position().byte() as usize..).unwrap_or_default(), columns.len()) {
        Some(Lack::First) => columns.insert(0, Raw::new("")),
        Some(Lack::Last) => columns.push(Raw::new("")),
        None => {}
    }
    columns.iter_mut().for_each(|column| column.hint = options.hints.get(&column.name).copied());
    if columns.iter().all(|column| column.name.is_empty()) {
        check_named(file, columns.iter().map(|column| column.name.as_str()))?;
    }
    if columns.iter().all(|column| column.name.parse::<f64>().is_ok()) {
        notes.push(format!("{file}: the names of its columns are numbers; is the header line missing?"));
    }

    let wanted: Vec<bool> = columns.iter().map(|column| !options.omit.contains(&column.name)).collect();
    let body = below.get(reader.position().byte() as usize..).unwrap_or_default();
    let parts = parts(body, dialect.unquoted);
    let mut line = 1 + line_ends(text.as_bytes(), text) - line_ends(body.as_bytes(), text);
    let starts = parts.iter().map(|part| {
        let own = line;
        line += line_ends(part.as_bytes(), text);
        own
    });
    let starts: Vec<usize> = starts.collect();
    let scan = |(part, line): (&&str, &usize)| {
        let mut own = Part { columns: columns.clone(), rows: Vec::new() };
        own.read(file, part, way, &wanted, Lines::of(part, text, *line, way.form.comment)).map(|()| own)
    };
    // Collected before it is searched for errors: the first of the file is reported.
    let scanned: Vec<Result<Part, DataError>> = parts.par_iter().zip(&starts).map(scan).collect();
    let mut whole = Part { columns, rows: Vec::new() };
    for part in scanned {
        whole.append(part?);
    }
    if whole.rows.is_empty() {
        return Err(DataError::NoRows { file: file.to_owned() });
    }
    let columns = whole.columns.into_iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(column, _)| column);
    let columns = without_index(file, columns.collect(), &mut notes)?;
    let missing = MissingWords::of_plain_text(dialect);
    assemble(
        columns,
        Some(whole.rows),
        &Manner { file, missing: &missing, comma: dialect.decimal_comma, written: true },
        notes,
    )
}

/// Lines whose words stand apart by any number of blanks with one between them; a text with quotes is left as it is.
fn single_blanks(text: &str) -> Cow<'_, str> {
    if text.contains('"') {
        return text.into();
    }
    let line = |line: &str| {
        let end = line.len() - line.trim_end_matches(['\n', '\r']).len();
        let words: Vec<&str> = line.split([' ', '\n', '\r']).filter(|word| !word.is_empty()).collect();
        words.join(" ") + line.get(line.len() - end..).unwrap_or_default()
    };
    text.split_inclusive('\n').map(line).collect::<String>().into()
}

/// Lines that tell how quotes are set.
const FIRST_LINES: usize = 5;

/// A text in whose first lines blanks stand between a delimiter and a quote, without such blanks; others as they are.
fn tight_quotes(text: &str, delimiter: u8) -> Cow<'_, str> {
    let loose = format!("{} \"", char::from(delimiter));
    if !text.lines().take(FIRST_LINES).any(|line| line.contains(&loose)) {
        return text.into();
    }
    let (mut tight, mut start, mut quoted) = (String::with_capacity(text.len()), true, false);
    let mut rest = text.chars().peekable();
    let mut blanks = String::new();
    while let Some(c) = rest.next() {
        if start && c == ' ' {
            blanks.push(c);
            continue;
        }
        // Blanks in front of anything but a quote are the field's.
        if !(start && c == '"') {
            tight.push_str(&blanks);
        }
        blanks.clear();
        quoted = match c {
            '"' if start => true,
            '"' if quoted && rest.peek() == Some(&'"') => {
                tight.extend(rest.next());
                true
            }
            '"' => false,
            _ => quoted,
        };
        start = !quoted && (c == char::from(delimiter) || matches!(c, '\n' | '\r'));
        tight.push(c);
    }
    (tight + &blanks).into()
}

/// Leaves out columns without a name: those that hold nothing, and a first one that only tells rows apart.
fn without_index(file: &str, mut columns: Vec<Raw>, notes: &mut Vec<String>) -> Result<Vec<Raw>, DataError> {
    let mut first = true;
    columns.retain(|column| {
        let (index, unnamed) = (std::mem::take(&mut first), column.name.is_empty());
        let reason = match unnamed {
            true if column.is_blank() => "a column without a name and without a value was left out",
            true if index && column.is_index() => {
                "the first column, which has no name, was left out as an index of the rows"
            }
            _ => return true,
        };
        notes.push(format!("{file}: {reason}"));
        false
    });
    check_named(file, columns.iter().map(|column| column.name.as_str()))?;
    Ok(columns)
}

/// How the records of a text are written.
#[derive(Debug, Clone, Copy)]
struct Way {
    delimiter: u8,
    form: Form,
}

/// Where a header lacks a name.
#[derive(Debug, Clone, Copy)]
enum Lack {
    First,
    Last,
}

/// Records that tell whether the header lacks a name.
const PEEK: usize = 200;

impl Way {
    fn records(self, text: &str) -> csv::Reader<&[u8]> {
        let mut builder = csv::ReaderBuilder::new();
        builder.delimiter(self.delimiter).quoting(!self.form.unquoted).comment(self.form.comment);
        // That records are of one length is checked here, where the line is known.
        builder.has_headers(false).flexible(true).from_reader(text.as_bytes())
    }

    /// Where a header of so many names lacks one, if all of the first records have one field more: behind the others where
    /// that field is always empty, and before them where it counts the rows in quotes, as R writes them. A decimal comma
    /// makes fields as well.
    fn lacks(self, body: &str, names: usize) -> Option<Lack> {
        let (mut empty, mut counts, mut records) = (true, body.trim_start().starts_with('"'), 0);
        for record in self.records(body).records().take(PEEK) {
            let record = record.ok().filter(|record| record.len() == names + 1)?;
            records += 1;
            empty &= record.iter().next_back().is_some_and(str::is_empty);
            counts &= record.get(0).is_some_and(|first| first.parse() == Ok(records));
        }
        match (records > 0 && empty, records > 0 && counts) {
            (true, _) => Some(Lack::Last),
            (false, true) => Some(Lack::First),
            (false, false) => None,
        }
    }

    fn leaves_open(self, record: &[u8]) -> bool {
        sniff::open_quote(record, self.delimiter, self.form)
    }
}

/// A text in parts that end with a line. A quoted field may hold line ends, so a text with quotes is one part.
fn parts(body: &str, unquoted: bool) -> Vec<&str> {
    if !unquoted && body.contains('"') {
        return vec![body];
    }
    let mut rest = body;
    let mut parts = Vec::new();
    while let Some(end) = rest.as_bytes().iter().skip(PART).position(|byte| *byte == b'\n') {
        // A line end is a character of its own.
        let (part, after) = rest.split_at(PART + end + 1);
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

/// Line ends of a part of a text.
fn line_ends(part: &[u8], text: &str) -> usize {
    let end = line_end(text);
    part.iter().filter(|byte| **byte == end).count()
}

/// What ends the lines of a text: old files have a carriage return alone.
fn line_end(text: &str) -> u8 {
    if text.contains('\n') { b'\n' } else { b'\r' }
}

/// Some records of a file.
struct Part {
    columns: Vec<Raw>,
    /// The lines that they begin on.
    rows: Vec<u32>,
}

impl Part {
    fn read(
        &mut self,
        file: &str,
        text: &str,
        way: Way,
        wanted: &[bool],
        mut lines: Lines<'_>,
    ) -> Result<(), DataError> {
        let mut reader = way.records(text);
        let mut record = csv::StringRecord::new();
        let (first_line, mut last) = (lines.line, 0);
        let open = |start: usize| way.leaves_open(text.as_bytes().get(start..).unwrap_or_default());
        loop {
            let before = reader.position().byte() as usize;
            if !reader.read_record(&mut record).map_err(|error| csv_error(file, error, first_line - 1))? {
                break;
            }
            let (line, start) = lines.at(before);
            if record.len() != self.columns.len() {
                let place = Place::line(file, u64::from(line));
                if open(start) {
                    return Err(DataError::OpenQuote { place });
                }
                let comment = record.get(0).is_some_and(|field| field.starts_with('#'));
                return Err(DataError::Ragged { place, expected: self.columns.len(), found: record.len(), comment });
            }
            for ((column, value), _) in self.columns.iter_mut().zip(&record).zip(wanted).filter(|(_, wanted)| **wanted)
            {
                column.push(value);
            }
            self.rows.push(line);
            last = start;
        }
        match self.rows.last() {
            Some(line) if open(last) => Err(DataError::OpenQuote { place: Place::line(file, u64::from(*line)) }),
            _ => Ok(()),
        }
    }

    fn append(&mut self, other: Part) {
        match self.rows.is_empty() {
            true => *self = other,
            false => {
                self.columns.iter_mut().zip(&other.columns).for_each(|(column, other)| column.append(other));
                self.rows.extend(other.rows);
            }
        }
    }
}

/// An error of records that begin after some lines.
fn csv_error(file: &str, error: csv::Error, before: u32) -> DataError {
    let line = error.position().map_or(1, csv::Position::line) + u64::from(before);
    match error.into_kind() {
        csv::ErrorKind::Io(error) => DataError::io(file, error),
        _ => DataError::NotUtf8 { place: Place::line(file, line) },
    }
}

/// Values below which it is not worth waking other threads.
const FEW: usize = 4096;

/// Converts the columns of a text file side by side; `lines` are those its rows begin on, where it has such.
pub(super) fn assemble(
    columns: Vec<Raw>,
    lines: Option<Vec<u32>>,
    manner: &Manner<'_>,
    notes: Vec<String>,
) -> Result<Table, DataError> {
    let file = manner.file;
    let place = |row: usize| match &lines {
        Some(lines) => Place::line(file, lines.get(row).copied().unwrap_or(0).into()),
        None => Place::row(file, row as u64 + 1),
    };
    let few = columns.iter().map(Raw::len).sum::<usize>() < FEW;
    let convert = |manner: &Manner<'_>| -> Vec<Converted> {
        match few {
            true => columns.iter().map(|raw| infer::convert(raw, manner, place)).collect(),
            false => columns.par_iter().map(|raw| infer::convert(raw, manner, place)).collect(),
        }
    };
    let mut converted = convert(manner);
    let comma = manner.comma || converted.iter().any(|column| column.comma);
    if comma && !manner.comma {
        // What can be read in two ways is read as the others are.
        converted = convert(&Manner { comma, ..*manner });
    }
    if let Some(first) = converted.first_mut() {
        first.comma |= comma;
    }
    let named: Vec<_> = columns.iter().map(|raw| raw.name.clone()).zip(converted.into_iter().map(Ok)).collect();
    Table::of_converted(file, named.into_iter(), lines, notes)
}

/// Counts lines up to ever later places.
struct Lines<'a> {
    text: &'a [u8],
    end: u8,
    comment: Option<u8>,
    counted: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    /// Those of a part of a text whose first line is the given one.
    fn of(part: &'a str, text: &str, line: usize, comment: Option<u8>) -> Self {
        Self {
            text: part.as_bytes(),
            end: line_end(text),
            comment,
            counted: 0,
            line: u32::try_from(line).unwrap_or(u32::MAX),
        }
    }

    /// The line and the place of the first record at or after the byte `from`, blank lines and comments skipped.
    fn at(&mut self, from: usize) -> (u32, usize) {
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let mut start = from;
        loop {
            let rest = self.text.get(start..).unwrap_or_default();
            start += rest.iter().take_while(|byte| is_end(byte)).count();
            let rest = self.text.get(start..).unwrap_or_default();
            if self.comment.is_none() || rest.first().copied() != self.comment {
                break;
            }
            start += rest.iter().take_while(|byte| !is_end(byte)).count();
        }
        let passed = self.text.get(self.counted..start).unwrap_or_default();
        self.line = self.line.saturating_add(passed.iter().filter(|byte| **byte == self.end).count() as u32);
        self.counted = start;
        (self.line, start)
    }
}
