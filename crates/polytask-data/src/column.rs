//! A column: numbers, texts with a dictionary, lists of texts, nested values, or images.

use indexmap::IndexSet;

use crate::error::DataError;
use crate::hint::Hint;
use crate::image::Images;

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
    /// Lists of texts, such as the tokens of a sentence.
    List(List),
    /// Objects and lists of lists, each as the JSON it was written as.
    Nested(Text),
    /// Images, unpacked or as files held in memory. Images in files of their own are texts, the paths.
    Images(Images),
}

/// Texts as codes into a dictionary.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Text {
    /// One index into `levels` a row, or [`MISSING`].
    pub codes: Vec<u32>,
    /// The different texts, in the order of their first appearance.
    pub levels: Vec<String>,
}

/// Lists of texts, end to end.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct List {
    /// Where the list of each row ends among the items; it begins where that of the row before ends.
    pub ends: Vec<u32>,
    /// The rows without a list, in ascending order. An empty list is one.
    pub absent: Vec<u32>,
    /// The items of all lists; one may be missing.
    pub items: Text,
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
        self.values.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the value of `row` is missing; a row past the end is.
    pub fn is_missing(&self, row: usize) -> bool {
        self.values.is_missing(row)
    }

    /// The value of `row` as text: a number in its shortest form, the items of a list with blanks between them, `None`
    /// where it is missing.
    pub fn shown(&self, row: usize) -> Option<String> {
        match &self.values {
            Values::Number(values) => values.get(row).filter(|value| !value.is_nan()).map(f64::to_string),
            Values::Text(text) | Values::Nested(text) => text.get(row).map(str::to_owned),
            Values::List(list) => {
                let items = list.get(row)?.map(Option::unwrap_or_default);
                Some(items.collect::<Vec<_>>().join(" "))
            }
            Values::Images(images) => (!images.is_missing(row)).then(|| "an image".to_owned()),
        }
    }

    pub(crate) fn all_missing(&self) -> bool {
        (0..self.len()).all(|row| self.is_missing(row))
    }

    /// How it is to be read from another file, where that has to be said.
    pub(crate) fn hint(&self) -> Option<Hint> {
        match self.values {
            Values::Number(_) => Some(Hint::Number),
            Values::Text(_) => Some(Hint::Text),
            Values::Images(_) => Some(Hint::Image),
            Values::List(_) | Values::Nested(_) => None,
        }
    }

    /// What it holds, in a word.
    pub fn kind(&self) -> &'static str {
        match self.values {
            Values::Number(_) => "numbers",
            Values::Text(_) => "text",
            Values::List(_) => "lists",
            Values::Nested(_) => "nested values",
            Values::Images(_) => "images",
        }
    }

    /// What it holds, in words for messages.
    pub(crate) fn described(&self) -> String {
        match &self.values {
            Values::Images(images) => images.described(),
            _ => self.kind().to_owned(),
        }
    }
}

impl Values {
    pub(crate) fn len(&self) -> usize {
        match self {
            Values::Number(values) => values.len(),
            Values::Text(text) | Values::Nested(text) => text.codes.len(),
            Values::List(list) => list.ends.len(),
            Values::Images(images) => images.len(),
        }
    }

    fn is_missing(&self, row: usize) -> bool {
        match self {
            Values::Number(values) => values.get(row).is_none_or(|value| value.is_nan()),
            Values::Text(text) | Values::Nested(text) => text.codes.get(row).is_none_or(|code| *code == MISSING),
            Values::List(list) => list.codes(row).is_none(),
            Values::Images(images) => images.is_missing(row),
        }
    }

    /// Adds `other` below. Where the kinds differ one side is wholly missing and takes the other's kind.
    pub(crate) fn append(&mut self, other: Values) {
        match (&mut *self, other) {
            (Values::Number(ours), Values::Number(theirs)) => ours.extend(theirs),
            (Values::Text(ours), Values::Text(theirs)) | (Values::Nested(ours), Values::Nested(theirs)) => {
                ours.append(&theirs);
            }
            (Values::List(ours), Values::List(theirs)) => ours.append(&theirs),
            (Values::Images(ours), Values::Images(theirs)) => ours.append(theirs),
            (ours, theirs) => {
                let blank = (0..theirs.len()).all(|row| theirs.is_missing(row));
                let theirs = if blank { ours.absent(theirs.len()) } else { theirs };
                if !blank {
                    *ours = theirs.absent(ours.len());
                }
                ours.append(theirs);
            }
        }
    }

    /// This many missing values of the same kind.
    pub(crate) fn absent(&self, rows: usize) -> Values {
        let text = || Text { codes: vec![MISSING; rows], levels: Vec::new() };
        match self {
            Values::Number(_) => Values::Number(vec![f64::NAN; rows]),
            Values::Text(_) => Values::Text(text()),
            Values::Nested(_) => Values::Nested(text()),
            Values::List(_) => {
                Values::List(List { ends: vec![0; rows], absent: (0..rows as u32).collect(), items: Text::default() })
            }
            Values::Images(_) => Values::Images(Images::Files(vec![None; rows])),
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

impl List {
    /// The codes of a row's items into the levels; `None` where the row has no list.
    pub fn codes(&self, row: usize) -> Option<&[u32]> {
        let end = *self.ends.get(row)? as usize;
        let start = row.checked_sub(1).map_or(0, |before| self.ends.get(before).map_or(0, |end| *end as usize));
        if self.absent.binary_search(&(row as u32)).is_ok() {
            return None;
        }
        self.items.codes.get(start..end)
    }

    /// A row's items, `None` where the row has no list.
    pub fn get(&self, row: usize) -> Option<impl Iterator<Item = Option<&str>>> {
        let level = |code: &u32| self.items.levels.get(*code as usize).map(String::as_str);
        Some(self.codes(row)?.iter().map(level))
    }

    fn append(&mut self, other: &List) {
        let (rows, items) = (self.ends.len() as u32, self.items.codes.len() as u32);
        self.ends.extend(other.ends.iter().map(|end| end + items));
        self.absent.extend(other.absent.iter().map(|row| row + rows));
        self.items.append(&other.items);
    }
}

/// From lists of items, `None` for a row without one.
impl<'a, I: IntoIterator<Item = Option<&'a str>>> FromIterator<Option<I>> for List {
    fn from_iter<L: IntoIterator<Item = Option<I>>>(lists: L) -> Self {
        let mut builder = ListBuilder::default();
        for list in lists {
            match list {
                Some(items) => {
                    items.into_iter().for_each(|item| builder.item(item));
                    builder.end();
                }
                None => builder.absent(),
            }
        }
        builder.finish()
    }
}

/// Gathers lists item by item.
#[derive(Debug, Default)]
pub(crate) struct ListBuilder {
    ends: Vec<u32>,
    absent: Vec<u32>,
    items: TextBuilder,
}

impl ListBuilder {
    /// Adds an item to the list of the row at hand.
    pub(crate) fn item(&mut self, item: Option<&str>) {
        self.items.push(item);
    }

    /// Ends the list of the row at hand.
    pub(crate) fn end(&mut self) {
        self.ends.push(self.items.len() as u32);
    }

    /// Ends the row at hand without a list.
    pub(crate) fn absent(&mut self) {
        self.absent.push(self.ends.len() as u32);
        self.end();
    }

    pub(crate) fn finish(self) -> List {
        List { ends: self.ends, absent: self.absent, items: self.items.finish() }
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

    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    pub(crate) fn finish(self) -> Text {
        Text { codes: self.codes, levels: self.levels.into_iter().collect() }
    }
}
/// A column in values, with what is to be said of it.
#[derive(Debug)]
pub(crate) struct Converted {
    pub(crate) values: Values,
    pub(crate) notes: Vec<String>,
    /// What is wrong with one of them, which is missing among the values: whoever needs the column is told.
    pub(crate) fault: Option<DataError>,
    /// Whether its numbers have a decimal comma.
    pub(crate) comma: bool,
}

impl Converted {
    pub(crate) fn of(values: Values) -> Self {
        Self { values, notes: Vec::new(), fault: None, comma: false }
    }
}
