//! A column: numbers, or texts with a dictionary.

use indexmap::IndexSet;

use crate::read::Hint;

/// The code of a missing value in a [`Text`] column.
pub const MISSING: u32 = u32::MAX;

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name, unique in the table.
    pub name: String,
    /// One value a row.
    pub values: Values,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Numbers; NaN stands for a missing one, none is infinite.
    Number(Vec<f64>),
    /// Texts.
    Text(Text),
}

/// Texts as codes into a dictionary.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Text {
    /// One index into `levels` a row, or [`MISSING`].
    pub codes: Vec<u32>,
    /// The different texts, in the order of their first appearance.
    pub levels: Vec<String>,
}

impl Column {
    /// A column of numbers, NaN for missing.
    pub fn number(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self { name: name.into(), values: Values::Number(values) }
    }

    /// A column of texts, `None` for missing.
    pub fn text<'a>(name: impl Into<String>, values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        Self { name: name.into(), values: Values::Text(values.into_iter().collect()) }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        match &self.values {
            Values::Number(values) => values.len(),
            Values::Text(text) => text.codes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the value of `row` is missing; a row past the end is.
    pub fn is_missing(&self, row: usize) -> bool {
        match &self.values {
            Values::Number(values) => values.get(row).is_none_or(|value| value.is_nan()),
            Values::Text(text) => text.codes.get(row).is_none_or(|code| *code == MISSING),
        }
    }

    /// The value of `row` as text: a number in its shortest form, `None` where it is missing.
    pub fn shown(&self, row: usize) -> Option<String> {
        match &self.values {
            Values::Number(values) => values.get(row).filter(|value| !value.is_nan()).map(f64::to_string),
            Values::Text(text) => text.get(row).map(str::to_owned),
        }
    }

    pub(crate) fn all_missing(&self) -> bool {
        (0..self.len()).all(|row| self.is_missing(row))
    }

    pub(crate) fn hint(&self) -> Hint {
        match self.values {
            Values::Number(_) => Hint::Number,
            Values::Text(_) => Hint::Text,
        }
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self.values {
            Values::Number(_) => "numbers",
            Values::Text(_) => "text",
        }
    }
}

impl Values {
    /// Adds `other` below. Where the kinds differ one side is wholly missing and takes the other's kind.
    pub(crate) fn append(&mut self, other: Values) {
        match (&mut *self, other) {
            (Values::Number(ours), Values::Number(theirs)) => ours.extend(theirs),
            (Values::Text(ours), Values::Text(theirs)) => ours.append(&theirs),
            (Values::Number(ours), Values::Text(theirs)) if theirs.codes.iter().all(|code| *code == MISSING) => {
                ours.resize(ours.len() + theirs.codes.len(), f64::NAN);
            }
            (Values::Number(ours), Values::Text(theirs)) => {
                let mut text = Text { codes: vec![MISSING; ours.len()], levels: Vec::new() };
                text.append(&theirs);
                *self = Values::Text(text);
            }
            (Values::Text(ours), Values::Number(theirs)) if theirs.iter().all(|value| value.is_nan()) => {
                ours.codes.resize(ours.codes.len() + theirs.len(), MISSING);
            }
            (Values::Text(ours), Values::Number(theirs)) => {
                let mut numbers = vec![f64::NAN; ours.codes.len()];
                numbers.extend(theirs);
                *self = Values::Number(numbers);
            }
        }
    }
}

impl Text {
    /// The text of `row`, `None` where it is missing.
    pub fn get(&self, row: usize) -> Option<&str> {
        let code = *self.codes.get(row)?;
        self.levels.get(code as usize).map(String::as_str)
    }

    fn append(&mut self, other: &Text) {
        let mut levels: IndexSet<String> = std::mem::take(&mut self.levels).into_iter().collect();
        let codes: Vec<u32> = other.levels.iter().map(|level| levels.insert_full(level.clone()).0 as u32).collect();
        self.codes.extend(other.codes.iter().map(|&code| codes.get(code as usize).copied().unwrap_or(MISSING)));
        self.levels = levels.into_iter().collect();
    }
}

impl<'a> FromIterator<Option<&'a str>> for Text {
    fn from_iter<I: IntoIterator<Item = Option<&'a str>>>(values: I) -> Self {
        let mut builder = TextBuilder::default();
        for value in values {
            builder.push(value);
        }
        builder.finish()
    }
}

/// Gathers texts into codes and levels.
#[derive(Debug, Default)]
pub(crate) struct TextBuilder {
    codes: Vec<u32>,
    levels: IndexSet<String>,
    last: usize,
}

impl TextBuilder {
    pub(crate) fn push(&mut self, value: Option<&str>) {
        let Some(value) = value else {
            self.codes.push(MISSING);
            return;
        };
        // Runs of one value are common and need no hash.
        if self.levels.get_index(self.last).is_none_or(|level| level != value) {
            self.last = match self.levels.get_index_of(value) {
                Some(code) => code,
                None => self.levels.insert_full(value.to_owned()).0,
            };
        }
        self.codes.push(self.last as u32);
    }

    pub(crate) fn finish(self) -> Text {
        Text { codes: self.codes, levels: self.levels.into_iter().collect() }
    }
}
