//! Written values into columns: which are numbers, which are missing.

use std::collections::HashSet;

use crate::column::{Converted, List, ListBuilder, TextBuilder, Values};
use crate::error::DataError;
use crate::hint::Hint;
use crate::level::level;
use crate::place::Place;
use crate::read::date::DateFormat;
use crate::read::jsonl;
use crate::read::missing::MissingWords;
use crate::read::number::{Cell, Decimal, Written};
use crate::read::style::Style;

/// A column with fewer numbers is text without questions, however alike they are.
pub(super) const FEW: usize = 20;

/// From here on an `f64` is not equal to every whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A column as it was written: all values in one run of text.
#[derive(Debug, Default, Clone)]
pub(super) struct Raw {
    pub(super) name: String,
    /// Its kind, where it is declared or the format tells.
    pub(super) hint: Option<Hint>,
    /// What its values are, in a format that has more than plain ones.
    pub(super) form: Form,
    text: String,
    ends: Vec<usize>,
    /// Which rows are null in a format that has one; rows past its end are not.
    nulls: Vec<bool>,
}

/// What the values of a column are.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Plain,
    /// JSON lists of plain values.
    List,
    /// JSON objects, or lists of lists or objects.
    Nested,
}

impl Raw {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.ends.push(self.text.len());
    }

    pub(super) fn push_null(&mut self) {
        self.nulls.resize(self.ends.len(), false);
        self.nulls.push(true);
        self.ends.push(self.text.len());
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether every value is empty.
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether the values only tell rows apart: whole numbers, or different words.
    pub(super) fn is_index(&self) -> bool {
        let whole = |value: &str| level(value).parse::<i64>().is_ok();
        let mut seen = HashSet::new();
        self.values().flatten().all(whole)
            || self.values().flatten().all(|value| value.trim().parse::<f64>().is_err() && seen.insert(value))
    }

    /// Adds values of plain text behind the others.
    pub(super) fn append(&mut self, other: &Raw) {
        let before = self.text.len();
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    pub(super) fn values(&self) -> impl Iterator<Item = Option<&str>> {
        let mut start = 0;
        self.ends.iter().enumerate().map(move |(row, &end)| {
            let value = self.text.get(start..end);
            start = end;
            if self.nulls.get(row) == Some(&true) { None } else { value }
        })
    }
}

/// The note on values that read NaN.
pub(super) fn nan_note(file: &str, column: &str, count: usize) -> String {
    match count {
        1 => format!("{file}: 1 value of column `{column}` reads NaN and counts as missing"),
        _ => format!("{file}: {count} values of column `{column}` read NaN and count as missing"),
    }
}

/// Gathers the numbers of a column.
pub(super) struct Numbers<'a> {
    file: &'a str,
    name: &'a str,
    values: Vec<f64>,
    nans: usize,
    fault: Option<DataError>,
}

impl<'a> Numbers<'a> {
    pub(super) fn new(file: &'a str, name: &'a str) -> Self {
        Self { file, name, values: Vec::new(), nans: 0, fault: None }
    }

    /// Adds the value of the next row; `text` is how it is written.
    pub(super) fn push(&mut self, cell: Cell, text: impl FnOnce() -> String) {
        self.nans += usize::from(cell == Cell::NotANumber);
        if matches!(cell, Cell::Word | Cell::Infinite) && self.fault.is_none() {
            let (place, column) = (Place::row(self.file, self.values.len() as u64 + 1), self.name.to_owned());
            self.fault = Some(match cell {
                Cell::Infinite => DataError::NotFinite { place, column, value: text() },
                _ => DataError::NotNumber { place, column, value: text(), declared: true },
            });
        }
        self.values.push(if let Cell::Number(number) = cell { number } else { f64::NAN });
    }

    pub(super) fn finish(self) -> Converted {
        let notes = (self.nans > 0).then(|| nan_note(self.file, self.name, self.nans)).into_iter().collect();
        Converted { notes, fault: self.fault, ..Converted::of(Values::Number(self.values)) }
    }
}

/// How the values of a text are read.
pub(super) struct Manner<'a> {
    /// Of the text, for notes.
    pub(super) file: &'a str,
    pub(super) missing: &'a MissingWords,
    /// Whether `1.234` is a thousand and more: numbers elsewhere in the text have a decimal comma.
    pub(super) comma: bool,
    /// Whether other writings of numbers than those of programs are tried.
    pub(super) written: bool,
}

/// Turns a column as written into values; `place` finds a row.
pub(super) fn convert(raw: &Raw, manner: &Manner<'_>, place: impl Fn(usize) -> Place) -> Converted {
    match raw.form {
        Form::Plain => {}
        Form::List => return Converted::of(Values::List(lists(raw))),
        Form::Nested => return Converted::of(Values::Nested(raw.values().collect())),
    }
    if matches!(raw.hint, Some(Hint::Text | Hint::Image)) {
        return texts(raw, manner);
    }
    let declared = raw.hint == Some(Hint::Number);
    if manner.comma
        && let Some(found) = Style::of(raw, manner).filter(|style| style.decimal == Decimal::Comma)
    {
        return found.read(raw, manner, place);
    }
    let tally = Tally::of(raw, manner.missing);
    if let Some((row, value)) = tally.word {
        if manner.written
            && let Some(style) = Style::of(raw, manner)
        {
            return style.read(raw, manner, place);
        }
        if !declared && !tally.nearly_all_numbers() {
            return texts(raw, manner);
        }
        let fault =
            DataError::NotNumber { place: place(row), column: raw.name.clone(), value: value.to_owned(), declared };
        return Converted { fault: Some(fault), ..Converted::of(Values::Number(tally.values)) };
    }
    let fault = tally.infinite.map(|(row, value)| DataError::NotFinite {
        place: place(row),
        column: raw.name.clone(),
        value: value.to_owned(),
    });
    let (file, name) = (manner.file, &raw.name);
    let mut notes = Vec::new();
    notes.extend((tally.nans > 0).then(|| nan_note(file, name, tally.nans)));
    notes.extend(tally.long.map(|value| {
        format!(
            "{file}: column `{name}` has whole numbers too long for a number, such as `{value}`; they stay apart if it is \
             a category"
        )
    }));
    notes.extend(tally.thousands.filter(|_| tally.small && manner.written).map(|value| {
        format!("{file}: column `{name}` has numbers such as `{value}` beside whole ones below 1000; the point was taken for a decimal one")
    }));
    Converted { notes, fault, ..Converted::of(Values::Number(tally.values)) }
}

fn lists(raw: &Raw) -> List {
    let mut builder = ListBuilder::default();
    for value in raw.values() {
        match value {
            Some(text) => {
                jsonl::items(text).iter().for_each(|item| builder.item(item.as_deref()));
                builder.end();
            }
            None => builder.absent(),
        }
    }
    builder.finish()
}

/// Texts; a note names those that read as if there were none.
fn texts(raw: &Raw, manner: &Manner<'_>) -> Converted {
    let mut builder = TextBuilder::default();
    for value in raw.values() {
        builder.push(value.filter(|value| !manner.missing.hides(value)));
    }
    let text = builder.finish();
    let suspects: Vec<u32> =
        (0..).zip(&text.levels).filter(|(_, l)| manner.missing.suspects(l)).map(|(at, _)| at).collect();
    let mut notes = Vec::new();
    // Among dates such a word means that there is none.
    let dates = || DateFormat::find(text.levels.iter().map(String::as_str)).is_some();
    if manner.written && !suspects.is_empty() && !dates() {
        let count = text.codes.iter().filter(|code| suspects.contains(code)).count();
        let words = suspects.iter().take(4).filter_map(|at| text.levels.get(*at as usize));
        let words = words.map(|word| format!("`{}`", word.trim())).collect::<Vec<_>>().join(", ");
        let (file, name) = (manner.file, &raw.name);
        let (values, was) = match count {
            1 => ("1 value".to_owned(), "reads"),
            _ => (format!("{count} values"), "read"),
        };
        notes.push(format!(
            "{file}: {values} of the text column `{name}` {was} {words}, taken as text: list it in data.missing if it means \
             that there is none"
        ));
    }
    Converted { notes, ..Converted::of(Values::Text(text)) }
}

/// What the values of a column are when read as numbers.
struct Tally<'a> {
    values: Vec<f64>,
    numbers: usize,
    words: usize,
    nans: usize,
    /// First row with a word, and the word.
    word: Option<(usize, &'a str)>,
    infinite: Option<(usize, &'a str)>,
    /// The first whole number that no `f64` is equal to.
    long: Option<&'a str>,
    /// The first of the numbers such as `4.716`, if no other has digits behind a point.
    thousands: Option<&'a str>,
    /// Whether there are whole numbers, and none is of four digits.
    small: bool,
    /// Whether a number can have no point between thousands.
    decimals: bool,
}

impl<'a> Tally<'a> {
    fn of(raw: &'a Raw, missing: &MissingWords) -> Self {
        let mut tally = Self {
            values: Vec::with_capacity(raw.len()),
            numbers: 0,
            words: 0,
            nans: 0,
            word: None,
            infinite: None,
            long: None,
            thousands: None,
            small: false,
            decimals: false,
        };
        for (row, value) in raw.values().enumerate() {
            let Some(text) = value else {
                tally.values.push(f64::NAN);
                continue;
            };
            match Cell::parse(text, missing) {
                Cell::Number(value) => {
                    tally.numbers += 1;
                    tally.look(text.trim(), value);
                    tally.values.push(value);
                    continue;
                }
                Cell::Missing => {}
                Cell::NotANumber => tally.nans += 1,
                Cell::Infinite => {
                    tally.numbers += 1;
                    tally.infinite.get_or_insert((row, text));
                }
                Cell::Word => {
                    tally.words += 1;
                    tally.word.get_or_insert((row, text));
                    // More than one word in twenty rows settles that this is text, where nothing is declared.
                    if raw.hint != Some(Hint::Number) && tally.words * 20 > raw.len() {
                        return tally;
                    }
                }
            }
            tally.values.push(f64::NAN);
        }
        tally.thousands = tally.thousands.filter(|_| !tally.decimals);
        tally
    }

    /// Looks how a number is written.
    fn look(&mut self, text: &'a str, value: f64) {
        let whole = value.fract() == 0.0;
        if whole
            && value.abs() >= EXACT
            && self.long.is_none()
            && text.parse().is_ok_and(|exact: i128| exact != value as i128)
        {
            self.long = Some(text);
        }
        let dot = text.len().checked_sub(4).filter(|at| text.as_bytes().get(*at) == Some(&b'.'));
        if dot.is_some() && Written::of(text).is_some_and(|written| written.evidence().is_none()) {
            self.thousands.get_or_insert(text);
        } else if whole && value.abs() < 1000.0 {
            self.small = true;
        } else {
            self.decimals = true;
        }
    }

    /// At least 95 % of what is there, and not just a handful.
    fn nearly_all_numbers(&self) -> bool {
        self.numbers >= FEW && self.words * 20 <= self.numbers + self.words
    }
}

#[cfg(test)]
mod tests;
