//! Arrow IPC, as a stream or as a file (Feather 2).

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{ArrowError, DataType, SchemaRef, TimeUnit};
use bytes::Bytes;

use crate::column::{Column, ListBuilder, TextBuilder, Values};
use crate::error::DataError;
use crate::image::{Images, is_image};
use crate::place::Place;
use crate::read::guard::guarded;
use crate::read::infer::{Cell, MissingWords, nan_note};
use crate::read::{Hint, ReadOptions, moment};
use crate::table::{Table, check_names};

/// What a file begins with, and what a stream begins with.
pub(super) const MAGIC: &[u8] = b"ARROW1\0\0";
pub(super) const STREAM: &[u8] = &[0xFF; 4];

/// Reads all batches. A file is a stream behind its mark, with an index of the batches at the end, which is not needed.
pub(super) fn read(file: &str, bytes: Vec<u8>, options: &ReadOptions) -> Result<Table, DataError> {
    // The decoder checks what it is told, but says so by a panic in places.
    let decoded = guarded(|| decode(file, bytes));
    let (schema, batches) = decoded.unwrap_or_else(|| Err(corrupt(file, "a message contradicts itself".into())))?;
    check_names(file, schema.fields().iter().map(|field| field.name().as_str()))?;
    if batches.iter().all(|batch| batch.num_rows() == 0) {
        return Err(DataError::NoRows { file: file.to_owned() });
    }
    let missing = MissingWords::of_typed(options);
    let (mut columns, mut notes) = (Vec::new(), Vec::new());
    for (i, field) in schema.fields().iter().enumerate() {
        let arrays: Vec<&ArrayRef> = batches.iter().map(|batch| batch.column(i)).collect();
        let name = field.name();
        let hint = options.hints.get(name).copied();
        let column = ColumnStream { file, name, kind: field.data_type(), arrays, hint, missing: &missing };
        let (values, note) = column.read()?;
        columns.push(Column { name: name.clone(), values });
        notes.extend(note);
    }
    Table::from_file(file, columns, None, notes)
}

fn decode(file: &str, bytes: Vec<u8>) -> Result<(SchemaRef, Vec<RecordBatch>), DataError> {
    let failed = |error: ArrowError| corrupt(file, error.to_string());
    let mut buffer = Buffer::from_vec(bytes);
    if buffer.starts_with(MAGIC) {
        buffer.advance(MAGIC.len());
    }
    let (mut decoder, mut batches) = (StreamDecoder::new(), Vec::new());
    let whole = buffer.len();
    // What follows the end of a stream is the index of a file.
    while !buffer.is_empty() && !ended(&buffer, whole) {
        batches.extend(decoder.decode(&mut buffer).map_err(failed)?);
    }
    let ends = decoder.finish();
    match decoder.schema() {
        Some(schema) => ends.map_err(failed).map(|()| (schema, batches)),
        None => Err(corrupt(file, "it has no schema".into())),
    }
}

/// Whether the mark of the end comes next.
fn ended(buffer: &Buffer, whole: usize) -> bool {
    buffer.len() < whole && (buffer.starts_with(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]) || **buffer == [0; 4])
}

fn corrupt(file: &str, message: String) -> DataError {
    DataError::Corrupt { file: file.to_owned(), format: "Arrow", message }
}

/// One column of all batches.
struct ColumnStream<'a> {
    file: &'a str,
    name: &'a str,
    kind: &'a DataType,
    arrays: Vec<&'a ArrayRef>,
    hint: Option<Hint>,
    missing: &'a MissingWords,
}

/// How the values of an array that are not null are read.
struct Reader<'a> {
    cell: Box<dyn Fn(usize) -> Cell + 'a>,
    text: Box<dyn Fn(usize) -> Cow<'a, str> + 'a>,
}

impl ColumnStream<'_> {
    fn read(&self) -> Result<(Values, Option<String>), DataError> {
        if let DataType::List(item) | DataType::LargeList(item) = self.kind
            && is_text(item.data_type())
        {
            return Ok((self.lists(), None));
        }
        if let DataType::Binary | DataType::LargeBinary = self.kind {
            return self.images();
        }
        let readers = self.arrays.iter().map(|array| Some((*array, reader(array.as_ref(), self.missing)?)));
        let Some(readers) = readers.collect::<Option<Vec<_>>>() else {
            return Err(self.unsupported(self.kind.to_string()));
        };
        let rows = readers.iter().flat_map(|(array, reader)| {
            (0..array.len())
                .map(move |row| (!array.is_null(row) && *self.kind != DataType::Null).then_some((reader, row)))
        });
        let natural = if self.kind.is_numeric() || *self.kind == DataType::Null { Hint::Number } else { Hint::Text };
        match self.hint.unwrap_or(natural) {
            Hint::Number => self.numbers(rows),
            Hint::Text | Hint::Image => {
                let mut builder = TextBuilder::default();
                for row in rows {
                    // A float that is no number is as missing in writing.
                    let there = row.filter(|(r, row)| natural == Hint::Text || (r.cell)(*row) != Cell::NotANumber);
                    let text = there.map(|(reader, row)| (reader.text)(row));
                    builder.push(text.as_deref().filter(|text| !self.missing.hides(text)));
                }
                Ok((Values::Text(builder.finish()), None))
            }
        }
    }

    fn numbers<'r, 'a: 'r>(
        &self,
        rows: impl Iterator<Item = Option<(&'r Reader<'a>, usize)>>,
    ) -> Result<(Values, Option<String>), DataError> {
        let (mut numbers, mut nans) = (Vec::new(), 0);
        for row in rows {
            let cell = row.map_or(Cell::Missing, |(reader, row)| (reader.cell)(row));
            if let (Cell::Word | Cell::Infinite, Some((reader, row))) = (cell, row) {
                let place = Place::row(self.file, numbers.len() as u64 + 1);
                let (column, value) = (self.name.to_owned(), (reader.text)(row).into_owned());
                return Err(match cell {
                    Cell::Infinite => DataError::NotFinite { place, column, value },
                    _ => DataError::NotNumber { place, column, value, declared: true },
                });
            }
            nans += usize::from(cell == Cell::NotANumber);
            numbers.push(if let Cell::Number(number) = cell { number } else { f64::NAN });
        }
        let note = (nans > 0).then(|| nan_note(self.file, self.name, nans));
        Ok((Values::Number(numbers), note))
    }

    fn unsupported(&self, kind: String) -> DataError {
        DataError::UnsupportedColumn { file: self.file.to_owned(), column: self.name.to_owned(), kind }
    }

    fn lists(&self) -> Values {
        let mut builder = ListBuilder::default();
        for array in &self.arrays {
            for row in 0..array.len() {
                let list = match array.data_type() {
                    _ if array.is_null(row) => None,
                    DataType::List(_) => Some(array.as_list::<i32>().value(row)),
                    _ => Some(array.as_list::<i64>().value(row)),
                };
                let Some(list) = list else {
                    builder.absent();
                    continue;
                };
                (0..list.len()).for_each(|item| builder.item(text(list.as_ref(), item)));
                builder.end();
            }
        }
        Values::List(builder.finish())
    }

    /// Bytes are image files, where one begins like such, or the column is declared to hold them.
    fn images(&self) -> Result<(Values, Option<String>), DataError> {
        let mut files = Vec::new();
        for array in &self.arrays {
            files.extend((0..array.len()).map(|row| {
                let bytes = match array.data_type() {
                    _ if array.is_null(row) => return None,
                    DataType::Binary => array.as_binary::<i32>().value(row),
                    _ => array.as_binary::<i64>().value(row),
                };
                Some(Bytes::copy_from_slice(bytes))
            }));
        }
        if self.hint == Some(Hint::Image) || files.iter().flatten().any(|bytes| is_image(bytes)) {
            return Ok((Values::Images(Images::Files(files)), None));
        }
        Err(self.unsupported("bytes that are no images".into()))
    }
}

fn is_text(kind: &DataType) -> bool {
    matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
}

/// A value of an array of texts.
fn text(array: &dyn Array, row: usize) -> Option<&str> {
    match array.data_type() {
        _ if array.is_null(row) => None,
        DataType::Utf8 => Some(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => Some(array.as_string::<i64>().value(row)),
        DataType::Utf8View => Some(array.as_string_view().value(row)),
        _ => None,
    }
}

/// How the values of an array are read; none where a table has nothing like them.
fn reader<'a>(array: &'a dyn Array, missing: &'a MissingWords) -> Option<Reader<'a>> {
    /// Numbers, shown as they are.
    macro_rules! number {
        ($kind:ty) => {{
            let values = array.as_primitive::<$kind>();
            Reader {
                cell: Box::new(|row| Cell::of(values.value(row) as f64)),
                text: Box::new(|row| Cow::Owned(values.value(row).to_string())),
            }
        }};
    }
    /// Dates and times: a count of ticks, of which so many make a day or a second.
    macro_rules! moment {
        ($kind:ty, $ticks:expr, $show:expr) => {{
            let values = array.as_primitive::<$kind>();
            Reader {
                cell: Box::new(|row| Cell::of(values.value(row) as f64 / $ticks as f64)),
                text: Box::new(|row| Cow::Owned($show(i64::from(values.value(row))))),
            }
        }};
    }
    /// Of a unit of time.
    macro_rules! timestamp {
        ($kind:ty, $ticks:expr) => {
            moment!($kind, $ticks, |ticks| moment::timestamp(ticks, $ticks))
        };
    }
    Some(match array.data_type() {
        DataType::Null => Reader { cell: Box::new(|_| Cell::Missing), text: Box::new(|_| Cow::Borrowed("")) },
        DataType::Boolean => {
            let values = array.as_boolean();
            Reader {
                cell: Box::new(|row| Cell::Number(f64::from(u8::from(values.value(row))))),
                text: Box::new(|row| Cow::Borrowed(if values.value(row) { "true" } else { "false" })),
            }
        }
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Date32 => moment!(Date32Type, 1, moment::date),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => timestamp!(TimestampSecondType, 1),
            TimeUnit::Millisecond => timestamp!(TimestampMillisecondType, 1_000),
            TimeUnit::Microsecond => timestamp!(TimestampMicrosecondType, 1_000_000),
            TimeUnit::Nanosecond => timestamp!(TimestampNanosecondType, 1_000_000_000),
        },
        // Categories of data frames.
        DataType::Dictionary(_, values) if is_text(values) => {
            let dictionary = array.as_any_dictionary();
            let (keys, values) = (dictionary.normalized_keys(), dictionary.values().as_ref());
            let written = move |row: usize| keys.get(row).and_then(|key| text(values, *key)).unwrap_or_default();
            let shown = written.clone();
            Reader {
                cell: Box::new(move |row| Cell::parse(written(row), missing)),
                text: Box::new(move |row| Cow::Borrowed(shown(row))),
            }
        }
        kind if is_text(kind) => Reader {
            cell: Box::new(|row| Cell::parse(text(array, row).unwrap_or_default(), missing)),
            text: Box::new(|row| Cow::Borrowed(text(array, row).unwrap_or_default())),
        },
        _ => return None,
    })
}
