//! A JSON file that is one object: the layouts that pandas and others write a table in.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A table as it stands in an object.
pub(super) enum Document<'a> {
    /// An object a row: those of `{"schema": .., "data": [{..}, ..]}` (pandas' "table"), or of the one list of objects that
    /// stands among plain values.
    Records {
        rows: Vec<&'a RawValue>,
        /// A key that is an index of rows, no column.
        index: Option<String>,
        /// What to say of what stands beside the rows and was left out.
        note: Option<&'static str>,
    },
    /// A name and a value a row of each column: `{"a": {"0": .., "1": ..}, ..}`, `{"0": {"a": .., "b": ..}, ..}`,
    /// `{"columns": [..], "index": [..], "data": [[..], ..]}` or `{"a": [..], ..}`.
    Columns {
        columns: Vec<(String, Vec<Option<&'a RawValue>>)>,
        /// What to say of what was left out or guessed.
        note: Option<&'static str>,
    },
    /// One row.
    Row,
}

/// An object's keys and values in their order, twins included.
struct Pairs<'a>(Vec<(String, &'a RawValue)>);

type Fault = String;

/// What the object `text` holds; a text says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Document<'_>, Fault> {
    let Pairs(pairs) = parse(text, "the object")?;
    let value = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| *value);
    let lists = pairs.iter().all(|(_, value)| is_list(value));
    if let (Some(columns), Some(data)) = (value("columns"), value("data")) {
        let known =
            pairs.iter().all(|(key, _)| ["columns", "index", "data", "index_names", "column_names"].contains(&&**key));
        if known && is_list(columns) && is_list(data) {
            return split(columns, value("index"), data);
        }
    }
    if let (Some(schema), Some(data)) = (value("schema"), value("data"))
        && let (true, Some(rows)) = (pairs.len() == 2, objects(data))
    {
        return Ok(Document::Records { rows, index: index(schema), note: None });
    }
    let mut tables = pairs.iter().filter_map(|(_, value)| objects(value));
    let plain = pairs.iter().filter(|(_, value)| !value.get().starts_with(['[', '{'])).count();
    if let (Some(rows), None) = (tables.next(), tables.next())
        && plain + 1 == pairs.len()
    {
        let note = (plain > 0).then_some(BESIDE);
        return Ok(Document::Records { rows, index: None, note });
    }
    if pairs.is_empty() {
        return Ok(Document::Row);
    }
    if lists {
        return by_list(&pairs);
    }
    if pairs.iter().all(|(_, value)| value.get().starts_with('{')) {
        return by_object(pairs);
    }
    Ok(Document::Row)
}

fn is_list(value: &RawValue) -> bool {
    value.get().starts_with('[')
}

/// The objects of a list of them that is not empty.
fn objects(value: &RawValue) -> Option<Vec<&RawValue>> {
    if !is_list(value) {
        return None;
    }
    let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
    (!items.is_empty() && items.iter().all(|item| item.get().starts_with('{'))).then_some(items)
}

/// The key of the index in the schema of pandas, where it has no name of its own and so numbers the rows.
fn index(schema: &RawValue) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Schema {
        #[serde(default, rename = "primaryKey")]
        primary_key: Vec<String>,
    }
    let keys = serde_json::from_str::<Schema>(schema.get()).map(|schema| schema.primary_key).unwrap_or_default();
    keys.into_iter().find(|key| key == "index")
}

const BESIDE: &str = "its one list of objects was read as the rows, and what stands beside that list was left out";
const UNNUMBERED: &str = "its index was left out; to keep it as a column, write the table after reset_index()";

/// `{"columns": ["a", "b"], "index": [0, 1], "data": [[1, 2], [3, 4]]}`.
fn split<'a>(columns: &'a RawValue, index: Option<&'a RawValue>, data: &'a RawValue) -> Result<Document<'a>, Fault> {
    let names: Vec<&RawValue> = parse(columns.get(), "`columns`")?;
    if names.iter().any(|name| name.get().starts_with(['[', '{'])) {
        return Err("`columns` has names of several parts; join them into one before the table is written".into());
    }
    let rows: Vec<&RawValue> = parse(data.get(), "`data`")?;
    let mut columns: Vec<_> = names.iter().map(|name| (plain(name), Vec::with_capacity(rows.len()))).collect();
    for (row, cells) in rows.iter().enumerate() {
        let cells: Vec<&RawValue> = parse(cells.get(), &format!("row {} of `data`", row + 1))?;
        if cells.len() != columns.len() {
            let (row, found, all) = (row + 1, cells.len(), columns.len());
            return Err(format!("row {row} of `data` has {found} values, and `columns` {all} names"));
        }
        columns.iter_mut().zip(cells).for_each(|((_, values), cell)| values.push(Some(cell)));
    }
    let index: Vec<&RawValue> = index.map_or(Ok(Vec::new()), |index| parse(index.get(), "`index`"))?;
    let note = (!numbered(index.iter().map(|value| value.get()))).then_some(UNNUMBERED);
    Ok(Document::Columns { columns, note })
}

/// `{"a": [1, 3], "b": [2, 4]}`; lists of different lengths are one row's.
fn by_list<'a>(pairs: &[(String, &'a RawValue)]) -> Result<Document<'a>, Fault> {
    let mut columns = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let values: Vec<&RawValue> = parse(value.get(), name)?;
        columns.push((name.clone(), values.into_iter().map(Some).collect::<Vec<_>>()));
    }
    if columns.windows(2).any(|pair| matches!(pair, [(_, a), (_, b)] if a.len() != b.len())) {
        return Ok(Document::Row);
    }
    let note = Some("its lists were read as columns; an object that is one row stands in a file named .jsonl");
    Ok(Document::Columns { columns, note })
}

/// `{"a": {"0": 1, "1": 3}, ..}`, or the same by rows where the outer keys are numbers and the inner ones are not.
fn by_object(pairs: Vec<(String, &RawValue)>) -> Result<Document<'_>, Fault> {
    let mut inner = Vec::with_capacity(pairs.len());
    for (name, value) in &pairs {
        let Pairs(values) = parse(value.get(), name)?;
        inner.push(values);
    }
    let first = inner.first().map_or(&[][..], |values| values);
    let by_row = are_numbers(pairs.iter().map(|(name, _)| name)) && !are_numbers(first.iter().map(|(name, _)| name));
    let outer = pairs.into_iter().map(|(name, _)| name);
    if by_row {
        let note = (!numbered(outer.clone())).then_some(UNNUMBERED);
        let mut columns = Table::default();
        for (row, values) in inner.into_iter().enumerate() {
            for (name, value) in values {
                columns.put(name, row, value)?;
            }
        }
        return Ok(Document::Columns { columns: columns.columns, note });
    }
    let mut rows = Table::default();
    for (column, values) in inner.into_iter().enumerate() {
        for (name, value) in values {
            rows.put(name, column, value)?;
        }
    }
    let note = (!numbered(rows.columns.iter().map(|(name, _)| name))).then_some(UNNUMBERED);
    // Turned: what was gathered by row is wanted by column.
    let columns = outer
        .enumerate()
        .map(|(at, name)| (name, rows.columns.iter().map(|(_, values)| values.get(at).copied().flatten()).collect()));
    Ok(Document::Columns { columns: columns.collect(), note })
}

/// Names with values by place, in the order in which the names come.
#[derive(Default)]
struct Table<'a> {
    columns: Vec<(String, Vec<Option<&'a RawValue>>)>,
    places: HashMap<String, usize>,
    next: usize,
}

impl<'a> Table<'a> {
    fn put(&mut self, name: String, at: usize, value: &'a RawValue) -> Result<(), Fault> {
        // Most often names come in the order of the first time.
        let guess = self.columns.get(self.next).filter(|(known, _)| *known == name).map(|_| self.next);
        let place = match guess.or_else(|| self.places.get(&name).copied()) {
            Some(place) => place,
            None => {
                self.places.insert(name.clone(), self.columns.len());
                self.columns.push((name, Vec::new()));
                self.columns.len() - 1
            }
        };
        self.next = if place + 1 < self.columns.len() { place + 1 } else { 0 };
        let Some((name, values)) = self.columns.get_mut(place) else { return Ok(()) };
        if values.len() > at {
            return Err(format!("the key `{name}` appears twice in an object"));
        }
        values.resize(at, None);
        values.push(Some(value));
        Ok(())
    }
}

/// Whether rows are numbered from 0, or not at all.
fn numbered(names: impl IntoIterator<Item = impl AsRef<str>>) -> bool {
    names.into_iter().enumerate().all(|(at, name)| name.as_ref().parse() == Ok(at))
}

fn are_numbers(names: impl IntoIterator<Item = impl AsRef<str>>) -> bool {
    names.into_iter().all(|name| name.as_ref().parse::<i64>().is_ok())
}

/// A plain value as a name.
fn plain(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str, what: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|error| format!("{what}: {}", super::jsonl::words(&error)))
}

impl<'de: 'a, 'a> Deserialize<'de> for Pairs<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }
        deserializer.deserialize_map(All).map(Pairs)
    }
}
