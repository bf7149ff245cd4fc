//! JSON lines: one object a line, one key a column.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::DataError;
use crate::hint::Hint;
use crate::level::level;
use crate::place::{At, Place};
use crate::read::delimited::assemble;
use crate::read::document::{self, Document};
use crate::read::infer::{Form, Manner, Raw};
use crate::read::missing::MissingWords;
use crate::read::{Only, ReadOptions};
use crate::table::{Table, check_names};

/// Reads `text`; columns stand in the order their keys first appear in.
pub(super) fn read(file: &str, text: &str, options: &ReadOptions) -> Result<Table, DataError> {
    let text = &*numbers(text);
    let rows = text.lines().filter(|line| !line.trim().is_empty()).count();
    let mut keys = Keys::of(rows, text.len(), options);
    let mut lines = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let at = |row: usize| At::Line(lines.get(row).map_or(index as u64 + 1, |line: &u32| u64::from(*line)));
        keys.object(file, line, at)?;
        lines.push(u32::try_from(index + 1).unwrap_or(u32::MAX));
    }
    keys.finish(file, Some(lines), options)
}

/// Reads a list of objects, one a row.
pub(super) fn read_list(file: &str, text: &str, options: &ReadOptions) -> Result<Table, DataError> {
    let text = numbers(text);
    let objects: Vec<&RawValue> = serde_json::from_str(&text).map_err(|error| broken(file, &error))?;
    read_objects(file, &objects, options)
}

/// What is wrong with a whole file, and where.
fn broken(file: &str, error: &serde_json::Error) -> DataError {
    let (place, column) = (Place::line(file, error.line().max(1) as u64), error.column().max(1));
    DataError::Json { place, column, message: words(error) }
}

/// Reads a file of one object: a table by columns or by rows, or one row.
pub(super) fn read_document(file: &str, text: &str, options: &ReadOptions) -> Result<Table, DataError> {
    let text = numbers(text);
    let whole: &RawValue = serde_json::from_str(&text).map_err(|error| broken(file, &error))?;
    let fault = |message| DataError::Json { place: Place::line(file, 1), column: 1, message };
    match document::read(whole.get()).map_err(fault)? {
        Document::Row => read_objects(file, &[whole], options),
        Document::Records { rows, index, note } => {
            let mut options = options.clone();
            options.omit.extend(index);
            let mut table = read_objects(file, &rows, &options)?;
            note.into_iter().for_each(|note| table.note(format!("{file}: {note}")));
            Ok(table)
        }
        Document::Columns { columns, note } => {
            let rows = columns.iter().map(|(_, values)| values.len()).max().unwrap_or_default();
            let mut keys = Keys::of(rows, text.len(), options);
            for row in 0..rows {
                let cells = columns.iter().filter_map(|(name, values)| Some((&**name, (*values.get(row)?)?)));
                let put = cells.enumerate().try_for_each(|(at, (name, value))| keys.cell(name, at, value));
                keys.end_row(file, &|row| At::Row(row as u64 + 1), put)?;
            }
            if rows == 0 {
                return Err(DataError::Empty { file: file.to_owned() });
            }
            let mut table = keys.finish(file, None, options)?;
            note.into_iter().for_each(|note| table.note(format!("{file}: {note}")));
            Ok(table)
        }
    }
}

/// JSON with what Python writes for numbers that are none: `NaN` becomes null, and `Infinity` a number that no float holds.
pub(super) fn numbers(text: &str) -> Cow<'_, str> {
    if !text.contains("NaN") && !text.contains("Infinity") {
        return text.into();
    }
    let (mut plain, mut rest, mut quoted) = (String::with_capacity(text.len()), text, false);
    while let Some(c) = rest.chars().next() {
        let word =
            [("NaN", "null"), ("Infinity", "1e999")].into_iter().find(|(word, _)| !quoted && rest.starts_with(word));
        let (taken, written) = match (c, word) {
            (_, Some((word, written))) => (word.len(), written),
            // A character behind a backslash ends no string.
            ('\\', _) if quoted => {
                let taken = 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
                (taken, rest.get(..taken).unwrap_or_default())
            }
            _ => (c.len_utf8(), rest.get(..c.len_utf8()).unwrap_or_default()),
        };
        quoted ^= c == '"';
        plain.push_str(written);
        rest = rest.get(taken..).unwrap_or_default();
    }
    plain.into()
}

/// What is wrong, without the parser's own place.
pub(super) fn words(error: &serde_json::Error) -> String {
    let message = error.to_string();
    message.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Reads objects, one a row.
pub(super) fn read_objects(file: &str, objects: &[&RawValue], options: &ReadOptions) -> Result<Table, DataError> {
    let bytes = objects.iter().map(|object| object.get().len()).sum();
    let mut keys = Keys::of(objects.len(), bytes, options);
    for object in objects {
        keys.object(file, object.get(), |row| At::Row(row as u64 + 1))?;
    }
    if objects.is_empty() {
        return Err(DataError::Empty { file: file.to_owned() });
    }
    keys.finish(file, None, options)
}

/// The columns while they grow.
#[derive(Default)]
struct Keys {
    /// Columns that are passed over.
    omit: BTreeSet<String>,
    /// The only ones that are read, where not all are.
    only: Option<Arc<Only>>,
    /// Rows there are in all.
    all: usize,
    /// Columns at most: more would be far larger than the text they come from.
    most: usize,
    columns: Vec<Key>,
    index: BTreeMap<String, usize>,
    /// The row being read, from 0.
    row: usize,
    /// What is wrong with the row apart from its syntax.
    fault: Option<(String, Fault)>,
}

struct Key {
    raw: Raw,
    /// Values that were strings or booleans.
    words: usize,
    numbers: usize,
    form: Form,
    /// The row of the first value that is not null.
    first: Option<usize>,
}

/// Cells that a text of any size may have, and cells a byte of a larger one.
const CELLS: usize = 1 << 24;
const CELLS_A_BYTE: usize = 8;

enum Fault {
    Sparse,
    /// Nobody asked for it.
    Stray,
    Twice,
    /// Of one kind here, and of another in an earlier row.
    Mixed {
        kind: &'static str,
        row: usize,
        other: &'static str,
    },
}

impl Keys {
    fn of(rows: usize, bytes: usize, options: &ReadOptions) -> Self {
        let cells = options.max_cells.unwrap_or(CELLS.max(bytes.saturating_mul(CELLS_A_BYTE)));
        let most = (cells / rows.max(1)).max(1);
        Self { most, all: rows, omit: options.omit.clone(), only: options.only.clone(), ..Self::default() }
    }

    /// Reads the object of the next row; `at` says where a row stands.
    fn object(&mut self, file: &str, text: &str, at: impl Fn(usize) -> At) -> Result<(), DataError> {
        let mut json = serde_json::Deserializer::from_str(text);
        let parsed = self.deserialize(&mut json).and_then(|()| json.end());
        self.end_row(file, &at, parsed)
    }

    /// A value of the row being read; `guess` is where its column may stand.
    fn cell(&mut self, name: &str, guess: usize, value: &RawValue) -> Result<(), serde_json::Error> {
        let at = self.find(name, guess);
        if self.fault.is_some() {
            return Err(serde_json::Error::custom("too many columns"));
        }
        at.map_or(Ok(()), |at| self.push(at, value))
    }

    /// What was `parsed` of the row is all there is of it.
    fn end_row(
        &mut self,
        file: &str,
        at: &dyn Fn(usize) -> At,
        parsed: Result<(), serde_json::Error>,
    ) -> Result<(), DataError> {
        let row = self.row;
        let place = || Place { file: file.to_owned(), at: at(row) };
        if let Some((key, fault)) = self.fault.take() {
            return Err(match fault {
                Fault::Sparse => {
                    DataError::Sparse { file: file.to_owned(), columns: self.columns.len(), rows: self.all }
                }
                Fault::Stray => DataError::StrayColumn { place: place(), column: key },
                Fault::Twice => DataError::DuplicateKey { place: place(), key },
                Fault::Mixed { kind, row, other } => {
                    DataError::MixedValue { place: place(), key, kind, first: at(row), other }
                }
            });
        }
        if let Err(error) = parsed {
            // The parser's own place is within this one line.
            return Err(DataError::Json { place: place(), column: error.column().max(1), message: words(&error) });
        }
        self.row += 1;
        self.fill(self.row);
        Ok(())
    }

    /// The table; `lines` are those its rows stand on.
    fn finish(self, file: &str, lines: Option<Vec<u32>>, options: &ReadOptions) -> Result<Table, DataError> {
        if self.columns.is_empty() {
            return Err(DataError::NoColumns { file: file.to_owned() });
        }
        check_names(file, self.columns.iter().map(|key| key.raw.name.as_str()))?;
        let raw = |mut key: Key| {
            // Quoted values are text even where they read as numbers.
            let text = (key.words > 0 && key.numbers == 0).then_some(Hint::Text);
            key.raw.hint = options.hints.get(&key.raw.name).copied().or(text);
            key.raw.form = key.form;
            key.raw
        };
        let columns = self.columns.into_iter().map(raw).collect();
        let missing = MissingWords::of_typed(&options.dialect);
        assemble(columns, lines, &Manner { file, missing: &missing, comma: false, written: false }, Vec::new())
    }

    /// The column of `name`, new ones missing in the rows before; none of one that is passed over. `guess` is where it
    /// stood in the line before.
    fn find(&mut self, name: &str, guess: usize) -> Option<usize> {
        if self.columns.get(guess).is_some_and(|key| key.raw.name == name) {
            return Some(guess);
        }
        if let Some(&found) = self.index.get(name) {
            return Some(found);
        }
        if self.omit.contains(name) {
            return None;
        }
        if let Some(only) = self.only.as_ref().filter(|only| !only.columns.contains(name)) {
            if only.strict {
                self.fault = Some((name.to_owned(), Fault::Stray));
            }
            return None;
        }
        if self.columns.len() >= self.most {
            self.fault = Some((name.to_owned(), Fault::Sparse));
            return None;
        }
        let mut raw = Raw::new(name);
        (0..self.row).for_each(|_| raw.push_null());
        self.columns.push(Key { raw, words: 0, numbers: 0, form: Form::Plain, first: None });
        self.index.insert(name.to_owned(), self.columns.len() - 1);
        Some(self.columns.len() - 1)
    }

    /// Puts in the values of keys that the last line did not have.
    fn fill(&mut self, rows: usize) {
        for key in &mut self.columns {
            if key.raw.len() < rows {
                key.raw.push_null();
            }
        }
    }

    fn push(&mut self, at: usize, value: &RawValue) -> Result<(), serde_json::Error> {
        let row = self.row;
        let Some(key) = self.columns.get_mut(at) else { return Ok(()) };
        let fail = |key: &Key, fault| (key.raw.name.clone(), fault);
        if key.raw.len() > row {
            self.fault = Some(fail(key, Fault::Twice));
            return Err(serde_json::Error::custom("a key appears twice"));
        }
        let text = value.get();
        let form = match text.as_bytes().first() {
            Some(b'n') => {
                key.raw.push_null();
                return Ok(());
            }
            Some(b'{') => Form::Nested,
            Some(b'[') => Form::of_list(text)?,
            _ => Form::Plain,
        };
        match key.first {
            None => (key.first, key.form) = (Some(row), form),
            Some(first) if (key.form == Form::Plain) != (form == Form::Plain) => {
                let (kind, other) = (form.words(text), key.form.words("["));
                self.fault = Some(fail(key, Fault::Mixed { kind, row: first, other }));
                return Err(serde_json::Error::custom("a value of another kind"));
            }
            // A list is a nested value too.
            Some(_) if form == Form::Nested => key.form = form,
            Some(_) => {}
        }
        match text.as_bytes().first() {
            Some(b'"') => {
                key.words += 1;
                // Without escapes the text is what stands between the quotes.
                match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).filter(|t| !t.contains('\\')) {
                    Some(plain) => key.raw.push(plain),
                    None => key.raw.push(&serde_json::from_str::<String>(text)?),
                }
            }
            Some(b't' | b'f') => {
                key.words += 1;
                key.raw.push(text);
            }
            Some(b'[' | b'{') => key.raw.push(text),
            _ => {
                key.numbers += 1;
                key.raw.push(text);
            }
        }
        Ok(())
    }
}

impl Form {
    /// A list of plain values, or one that holds lists or objects.
    fn of_list(text: &str) -> Result<Self, serde_json::Error> {
        let items: Vec<&RawValue> = serde_json::from_str(text)?;
        let nested = items.iter().any(|item| item.get().starts_with(['[', '{']));
        Ok(if nested { Form::Nested } else { Form::List })
    }

    fn words(self, text: &str) -> &'static str {
        match self {
            Form::Plain => "a plain value",
            Form::Nested if text.starts_with('{') => "an object",
            Form::List | Form::Nested => "a list",
        }
    }
}

/// The items of a JSON list of plain values, none for null.
pub(super) fn items(text: &str) -> Vec<Option<String>> {
    let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    let item = |item: &RawValue| match item.get() {
        "null" => None,
        word if word.starts_with('"') => serde_json::from_str(word).ok(),
        plain => Some(level(plain).into_owned()),
    };
    items.into_iter().map(item).collect()
}

/// Reads one line's object into the columns.
impl<'de> DeserializeSeed<'de> for &mut Keys {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for &mut Keys {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a key for each column")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut guess = 0;
        while let Some(at) = map.next_key_seed(KeySeed { keys: self, guess })? {
            let value: &RawValue = map.next_value()?;
            if self.fault.is_some() {
                return Err(A::Error::custom("too many columns"));
            }
            let Some(at) = at else { continue };
            self.push(at, value).map_err(A::Error::custom)?;
            guess = at + 1;
        }
        Ok(())
    }
}

/// Finds the column of a key without copying the key.
struct KeySeed<'a> {
    keys: &'a mut Keys,
    guess: usize,
}

impl<'de> DeserializeSeed<'de> for KeySeed<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Option<usize>, E> {
        Ok(self.keys.find(name, self.guess))
    }
}
