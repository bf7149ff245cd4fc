//! Written values into columns: which are numbers, which are missing.

use crate::column::{List, ListBuilder, TextBuilder, Values};
use crate::error::DataError;
use crate::place::Place;
use crate::read::{Hint, ReadOptions, jsonl};

/// Missing words of CSV and TSV, blanks around them ignored.
pub(super) const MISSING_WORDS: [&str; 8] = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"];

/// A column with fewer numbers is text without questions, however alike they are.
const FEW: usize = 20;

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

    /// Adds values of plain text behind the others.
    pub(super) fn append(&mut self, other: &Raw) {
        let before = self.text.len();
        self.text.push_str(&other.text);
        self.ends.extend(other.ends.iter().map(|end| before + end));
    }

    fn values(&self) -> impl Iterator<Item = Option<&str>> {
        let mut start = 0;
        self.ends.iter().enumerate().map(move |(row, &end)| {
            let value = self.text.get(start..end);
            start = end;
            if self.nulls.get(row) == Some(&true) { None } else { value }
        })
    }
}

/// The words that mean "missing".
#[derive(Debug)]
pub(super) struct MissingWords {
    in_numbers: Vec<String>,
    in_text: Vec<String>,
}

impl MissingWords {
    /// For formats that have no null of their own.
    pub(super) fn of_plain_text(options: &ReadOptions) -> Self {
        let words = Self::given(options).unwrap_or_else(Self::usual);
        Self { in_numbers: words.clone(), in_text: words }
    }

    /// For formats with a null: texts are taken at their word.
    pub(super) fn of_typed(options: &ReadOptions) -> Self {
        let given = Self::given(options);
        Self { in_numbers: given.clone().unwrap_or_else(Self::usual), in_text: given.unwrap_or_default() }
    }

    fn given(options: &ReadOptions) -> Option<Vec<String>> {
        options.missing.as_ref().map(|words| words.iter().map(|word| word.trim().to_owned()).collect())
    }

    fn usual() -> Vec<String> {
        MISSING_WORDS.map(str::to_owned).to_vec()
    }

    /// Whether a text is missing.
    pub(super) fn hides(&self, text: &str) -> bool {
        !self.in_text.is_empty() && contains(&self.in_text, text.trim())
    }
}

fn contains(words: &[String], trimmed: &str) -> bool {
    words.iter().any(|word| word == trimmed)
}

/// A value read as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Missing,
    NotANumber,
    Number(f64),
    Infinite,
    Word,
}

impl Cell {
    /// A number of a format that stores numbers.
    pub(super) fn of(value: f64) -> Self {
        match value {
            value if value.is_nan() => Self::NotANumber,
            value if value.is_infinite() => Self::Infinite,
            value => Self::Number(value),
        }
    }

    /// Reads a written value.
    pub(super) fn parse(text: &str, missing: &MissingWords) -> Self {
        let text = text.trim();
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if unsigned.eq_ignore_ascii_case("nan") {
            return Self::NotANumber;
        }
        if contains(&missing.in_numbers, text) {
            return Self::Missing;
        }
        // Past NaN the parser accepts words only for infinity; a number too large for f64 becomes infinite as well.
        text.parse().map_or(Self::Word, Self::of)
    }
}

/// The note on values that read NaN.
pub(super) fn nan_note(file: &str, column: &str, count: usize) -> String {
    match count {
        1 => format!("{file}: 1 value of column `{column}` reads NaN and counts as missing"),
        _ => format!("{file}: {count} values of column `{column}` read NaN and count as missing"),
    }
}

/// Turns a column as written into values, with a note where there is something to say. `place` finds a row.
pub(super) fn convert(
    file: &str,
    raw: &Raw,
    missing: &MissingWords,
    place: impl Fn(usize) -> Place,
) -> Result<(Values, Option<String>), DataError> {
    match raw.form {
        Form::Plain => {}
        Form::List => return Ok((Values::List(lists(raw)), None)),
        Form::Nested => return Ok((Values::Nested(raw.values().collect()), None)),
    }
    if matches!(raw.hint, Some(Hint::Text | Hint::Image)) {
        return Ok((texts(raw, missing), None));
    }
    let tally = Tally::of(raw, missing);
    if let Some((row, value)) = tally.word {
        let declared = raw.hint == Some(Hint::Number);
        if !declared && !tally.nearly_all_numbers() {
            let note = tally.decimal_commas.then(|| {
                format!("{file}: column `{}` looks like numbers with a decimal comma and was read as text", raw.name)
            });
            return Ok((texts(raw, missing), note));
        }
        let (column, value) = (raw.name.clone(), value.to_owned());
        return Err(DataError::NotNumber { place: place(row), column, value, declared });
    }
    if let Some((row, value)) = tally.infinite {
        return Err(DataError::NotFinite { place: place(row), column: raw.name.clone(), value: value.to_owned() });
    }
    let note = (tally.nans > 0).then(|| nan_note(file, &raw.name, tally.nans));
    Ok((Values::Number(tally.values), note))
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

fn texts(raw: &Raw, missing: &MissingWords) -> Values {
    let mut builder = TextBuilder::default();
    for value in raw.values() {
        builder.push(value.filter(|value| !missing.hides(value)));
    }
    Values::Text(builder.finish())
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
    /// Every word so far reads as `3,14`.
    decimal_commas: bool,
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
            decimal_commas: true,
        };
        for (row, value) in raw.values().enumerate() {
            let Some(text) = value else {
                tally.values.push(f64::NAN);
                continue;
            };
            match Cell::parse(text, missing) {
                Cell::Number(value) => {
                    tally.numbers += 1;
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
                    tally.decimal_commas &= decimal_comma(text);
                    // A declared column fails at its first word; otherwise more than one word in twenty rows settles
                    // that this is text.
                    if raw.hint == Some(Hint::Number) || (tally.words * 20 > raw.len() && !tally.decimal_commas) {
                        return tally;
                    }
                }
            }
            tally.values.push(f64::NAN);
        }
        tally
    }

    /// At least 95 % of what is there, and not just a handful.
    fn nearly_all_numbers(&self) -> bool {
        self.numbers >= FEW && self.words * 20 <= self.numbers + self.words
    }
}

/// Whether a word reads as `3,14`.
fn decimal_comma(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.trim();
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    unsigned.split_once(',').is_some_and(|(whole, rest)| digits(whole) && digits(rest))
}

#[cfg(test)]
mod tests;
