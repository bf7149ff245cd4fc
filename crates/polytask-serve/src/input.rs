//! From the body of a request to what the model reads.

use crate::options::Options;
use crate::problem::{Kind, Problem};
use crate::wishes::{NAMES, Unknown, Wishes};
use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};
use bytes::Bytes;
use indexmap::IndexMap;
use polytask::Dataset;
use polytask::model::Model;
use polytask_data::image::FORMATS;
use polytask_data::{
    BytesFormat, Column, DataError, Images, Only, ReadOptions, Table, Values, read_bytes, read_objects,
};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::BTreeSet;
use std::fmt;
use std::io::Cursor;
use std::sync::Arc;

/// What stands for the name of a file in messages.
const BODY: &str = "body";

/// Bytes of unpacked images that one request may come to.
const IMAGE_BYTES: usize = 256 << 20;

/// What a request brought.
#[derive(Default)]
pub enum Input {
    /// Taken.
    #[default]
    None,
    /// `{"rows": [{...}, ...]}`, or the list alone.
    Json(Bytes),
    /// A table in one of the formats of files.
    Table(BytesFormat, Bytes),
    /// The fields of a form, in order.
    Form(Vec<Field>),
}

impl Input {
    /// Bytes of the body, about.
    pub fn len(&self) -> usize {
        match self {
            Input::None => 0,
            Input::Json(body) | Input::Table(_, body) => body.len(),
            Input::Form(fields) => fields.iter().map(|field| field.value.len()).sum(),
        }
    }

    /// Whether all rows have the same columns.
    fn is_table(&self) -> bool {
        matches!(self, Input::Table(BytesFormat::Delimited | BytesFormat::Arrow, _))
    }

    /// Whether explanations may be asked for in the body: it has the word.
    pub fn may_explain(&self) -> bool {
        let word = b"\"explain\"";
        matches!(self, Input::Json(body) if body.windows(word.len()).any(|here| here == word))
    }
}

/// A field of a form: the value of a column in the next row that has none.
pub struct Field {
    pub column: String,
    /// Whether it came as a file.
    pub file: bool,
    pub value: Bytes,
}

/// How rows are read for a model.
pub struct Reader {
    /// Where a column that the model does not know is refused.
    strict: ReadOptions,
    /// Where it is passed over.
    lenient: ReadOptions,
    /// The columns that the model knows.
    known: BTreeSet<String>,
    images: Vec<String>,
    limits: Limits,
}

/// How much a request may bring.
#[derive(Clone, Copy)]
struct Limits {
    rows: usize,
    cells: usize,
    pixels: u64,
    tokens: usize,
}

impl Reader {
    pub fn new(model: &Model, set: &Options) -> Self {
        let mut options = model.read_options();
        // Labels are not read, so it does not matter what stands in their columns.
        for task in &model.tasks {
            options.hints.remove(&task.column);
            if task.over.is_none() && model.encoder.inputs.iter().all(|input| input.column != task.column) {
                options.omit.insert(task.column.clone());
            }
        }
        let inputs = model.encoder.inputs.iter().map(|input| input.column.clone());
        let mut known: BTreeSet<String> = inputs.chain(model.tasks.iter().map(|task| task.column.clone())).collect();
        if model.encoder.text_columns().len() == 1 {
            known.insert("text".to_owned());
        }
        let images = model.encoder.image_columns().map(|(column, _)| column.to_owned()).collect();
        let bytes: usize =
            model.encoder.image_columns().map(|(_, image)| image.height * image.width * image.channels).sum();
        let rows = IMAGE_BYTES.checked_div(bytes).map_or(set.max_rows, |rows| set.max_rows.min(rows.max(1)));
        let limits = Limits { rows, cells: set.max_cells, pixels: set.max_pixels, tokens: set.max_tokens };
        options.max_cells = Some(limits.cells);
        // A key that the model does not know is told by its name, before there is a cell of it.
        let only = |strict| Some(Arc::new(Only { columns: known.clone(), strict }));
        let [strict, lenient] = [true, false].map(|strict| ReadOptions { only: only(strict), ..options.clone() });
        Reader { strict, lenient, known, images, limits }
    }

    /// Rows of a request at most.
    pub fn max_rows(&self) -> usize {
        self.limits.rows
    }

    /// The table of a request, what the model reads of it, and what is wanted of it by the query and the body.
    pub fn read(&self, input: Input, mut wishes: Wishes, model: &Model) -> Result<(Table, Dataset, Wishes), Problem> {
        // A table has what it has; a key that is misspelt in one of many objects would be lost.
        let is_table = input.is_table();
        let lenient = |wishes: &Wishes| wishes.unknown.map_or(is_table, |unknown| unknown == Unknown::Ignore);
        let options = |wishes: &Wishes| if lenient(wishes) { &self.lenient } else { &self.strict };
        let table = match input {
            Input::None => return Err(Problem::new(Kind::Malformed, "the body is empty")),
            Input::Json(body) => {
                let rows = self.json(&body)?;
                wishes = wishes.and(Wishes::of_keys(&rows.keys)?)?;
                read_objects(BODY, &rows.all, options(&wishes)).map_err(|error| self.told(error))?
            }
            Input::Table(format, body) => self.table(format, body, options(&wishes))?,
            Input::Form(fields) => self.form(fields, options(&wishes))?,
        };
        if table.rows() > self.limits.rows {
            return Err(self.too_many());
        }
        if table.rows().saturating_mul(table.columns().len()) > self.limits.cells {
            return Err(self.too_many_cells());
        }
        if !lenient(&wishes) {
            self.check_columns(&table)?;
        }
        let table = if self.images.is_empty() { table } else { self.unpack(table)? };
        self.check_pixels(&table)?;
        let data = model.read(&table)?;
        let tokens: usize =
            data.features.texts.iter().filter_map(|text| text.offsets.last()).map(|n| *n as usize).sum();
        if tokens > self.limits.tokens {
            let detail = format!("the texts have {tokens} tokens, more than {}", self.limits.tokens);
            return Err(Problem::new(Kind::TooManyTokens, detail).hint("send them in several requests"));
        }
        Ok((table, data, wishes))
    }

    fn table(&self, format: BytesFormat, body: Bytes, options: &ReadOptions) -> Result<Table, Problem> {
        // A line is a row at most: what is too long is not read first.
        let lines = || body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).count();
        if format == BytesFormat::JsonLines && lines() > self.limits.rows {
            return Err(self.too_many());
        }
        read_bytes(BODY, body.into(), format, options).map_err(|error| self.told(error))
    }

    /// What is wrong with rows, in the words of this model.
    fn told(&self, error: DataError) -> Problem {
        match error {
            DataError::StrayColumn { column, .. } => self.stray(&column),
            DataError::Sparse { .. } => self.too_many_cells(),
            error => error.into(),
        }
    }

    fn too_many_cells(&self) -> Problem {
        let detail = format!("the body has more than {} values, rows times columns", self.limits.cells);
        Problem::new(Kind::TooManyCells, detail).hint("send the rows in several requests")
    }

    /// Refuses images that are together larger than allowed, by their headers alone.
    fn check_pixels(&self, table: &Table) -> Result<(), Problem> {
        let mut pixels: u64 = 0;
        for column in table.columns() {
            let Values::Images(Images::Files(files)) = &column.values else { continue };
            for file in files.iter().flatten() {
                // What is no image is told by whoever unpacks it.
                let Ok(look) = polytask_data::image::look(Cursor::new(file), u64::MAX / 64) else { continue };
                pixels = pixels.saturating_add((look.height as u64).saturating_mul(look.width as u64));
            }
        }
        if pixels <= self.limits.pixels {
            return Ok(());
        }
        let detail = format!("the images have {pixels} pixels, more than {}", self.limits.pixels);
        Err(Problem::new(Kind::TooManyPixels, detail).hint("send them smaller, or in several requests"))
    }

    fn too_many(&self) -> Problem {
        Problem::new(Kind::TooManyRows, format!("the body has more than {} rows", self.limits.rows))
            .hint("send them in several requests")
    }

    fn json<'a>(&self, body: &'a [u8]) -> Result<Rows<'a>, Problem> {
        let malformed = |error: serde_json::Error| {
            Problem::new(Kind::Malformed, format!("{BODY}: not valid JSON: {error}"))
                .hint("send {\"rows\": [{...}, ...]} with an object a row, or the list alone")
        };
        let mut rows = Rows { all: Vec::new(), keys: Vec::new(), most: self.limits.rows };
        let mut json = serde_json::Deserializer::from_slice(body);
        rows.deserialize(&mut json).and_then(|()| json.end()).map_err(malformed)?;
        if rows.all.len() > self.limits.rows {
            return Err(self.too_many());
        }
        Ok(rows)
    }

    /// A column a name, a row for each of its fields.
    fn form(&self, fields: Vec<Field>, options: &ReadOptions) -> Result<Table, Problem> {
        let mut names: IndexMap<&str, Vec<&Field>> = IndexMap::new();
        for field in &fields {
            names.entry(&field.column).or_default().push(field);
        }
        if names.is_empty() {
            return Err(Problem::new(Kind::Malformed, "the form has no field"));
        }
        let mut images = Vec::new();
        let mut texts = Vec::new();
        for (name, own) in names {
            if own.iter().any(|field| field.file) {
                // A file of no bytes is refused like any other that is no image; no file is no field of the form.
                let file = |field: &&Field| field.file.then(|| field.value.clone());
                let values = Values::Images(Images::Files(own.iter().map(file).collect()));
                images.push(Column { name: name.to_owned(), values });
            } else {
                let text = |field: &&Field| std::str::from_utf8(&field.value).map(str::to_owned);
                let values = own.iter().map(text).collect::<Result<Vec<_>, _>>();
                let bad = |_| Problem::new(Kind::Malformed, format!("the field `{name}` is not UTF-8"));
                texts.push((name.to_owned(), values.map_err(bad)?));
            }
        }
        let counts = texts.iter().map(|(name, values)| (name, values.len()));
        let mut counts = counts.chain(images.iter().map(|column| (&column.name, column.len())));
        if let Some((first, rows)) = counts.next()
            && let Some((other, count)) = counts.find(|(_, count)| *count != rows)
        {
            let detail = format!("the form has {rows} of `{first}` and {count} of `{other}`");
            return Err(
                Problem::new(Kind::Unfit, detail).hint("send every field once a row; an empty field has no value")
            );
        }
        let mut columns = texts_of(&texts, options)?;
        columns.extend(images);
        Ok(Table::from_columns(columns)?)
    }

    fn check_columns(&self, table: &Table) -> Result<(), Problem> {
        let Some(stray) = table.columns().iter().find(|column| !self.known.contains(&column.name)) else {
            return Ok(());
        };
        Err(self.stray(&stray.name))
    }

    fn stray(&self, column: &str) -> Problem {
        let known: Vec<String> = self.known.iter().map(|name| format!("`{name}`")).collect();
        Problem::new(Kind::Unfit, format!("the model knows no column `{column}`"))
            .hint(format!("it knows {}; take the column out, or add ?unknown=ignore", known.join(", ")))
    }

    /// Images written in base64 become files in memory. Paths are never followed: a client must not read the server's files.
    fn unpack(&self, table: Table) -> Result<Table, Problem> {
        let mut columns = table.columns().to_vec();
        for column in columns.iter_mut().filter(|column| self.images.contains(&column.name)) {
            let Values::Text(text) = &column.values else { continue };
            let decode = |row: usize| {
                let Some(value) = text.get(row) else { return Ok(None) };
                let data = match value.split_once(";base64,") {
                    Some((head, data)) if head.starts_with("data:") => data,
                    _ => value,
                };
                let bad = |_| {
                    let detail = format!("{}: the image in `{}` is not base64", table.place(row), column.name);
                    Problem::new(Kind::Unfit, detail)
                        .hint(format!("send the bytes of a {FORMATS} file in base64, or as a file of a form"))
                };
                BASE64.decode(data.trim()).map(|bytes| Some(Bytes::from(bytes))).map_err(bad)
            };
            let files = (0..table.rows()).map(decode).collect::<Result<_, _>>()?;
            column.values = Values::Images(Images::Files(files));
        }
        Ok(Table::from_columns(columns)?)
    }
}

/// Columns of written values, read as those of a CSV file are.
fn texts_of(texts: &[(String, Vec<String>)], options: &ReadOptions) -> Result<Vec<Column>, Problem> {
    let Some((_, first)) = texts.first() else { return Ok(Vec::new()) };
    let quoted = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
    let line = |values: Vec<String>| values.join(",") + "\n";
    let mut csv = line(texts.iter().map(|(name, _)| quoted(name)).collect());
    for row in 0..first.len() {
        csv += &line(texts.iter().map(|(_, values)| quoted(&values[row])).collect());
    }
    let mut options = options.clone();
    options.dialect.delimiter = Some(b',');
    Ok(read_bytes(BODY, csv.into_bytes(), BytesFormat::Delimited, &options)?.into_columns()?)
}

/// With padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The objects of a list, or of a list under the key `rows`; at most one more than allowed.
struct Rows<'a> {
    all: Vec<&'a RawValue>,
    /// The keys beside `rows`.
    keys: Vec<(String, &'a RawValue)>,
    most: usize,
}

impl<'de> DeserializeSeed<'de> for &mut Rows<'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(Either { rows: self, bare: true })
    }
}

/// A list of objects, or if it is `bare` an object that has one.
struct Either<'r, 'a> {
    rows: &'r mut Rows<'a>,
    bare: bool,
}

impl<'de> DeserializeSeed<'de> for Either<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Either<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.bare { "an object with the key `rows`, or a list of objects" } else { "a list of objects" })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(row) = list.next_element()? {
            // The rest is read to its end, but not kept.
            if self.rows.all.len() <= self.rows.most {
                self.rows.all.push(row);
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut found = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "rows" if !found => {
                    map.next_value_seed(Either { rows: &mut *self.rows, bare: false })?;
                    found = true;
                }
                wish if NAMES.contains(&wish) && self.rows.keys.iter().all(|(known, _)| known != wish) => {
                    let value = map.next_value()?;
                    self.rows.keys.push((key, value));
                }
                known if known == "rows" || NAMES.contains(&known) => {
                    return Err(A::Error::custom(format!("the key `{known}` appears twice")));
                }
                _ => {
                    let names = NAMES.map(|name| format!("`{name}`")).join(", ");
                    return Err(A::Error::custom(format!(
                        "unknown key `{key}`, expected `rows` and beside it {names}"
                    )));
                }
            }
        }
        if found { Ok(()) } else { Err(A::Error::custom("the key `rows` is missing")) }
    }
}
