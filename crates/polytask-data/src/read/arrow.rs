//! Arrow IPC, as a stream or as a file (Feather 2).

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use arrow_array::cast::AsArray;
use arrow_array::types::*;
use arrow_array::{Array, ArrayRef, RecordBatch, RunArray};
use arrow_buffer::Buffer;
use arrow_ipc::reader::StreamDecoder;
use arrow_schema::{ArrowError, DataType, SchemaRef, TimeUnit};
use bytes::Bytes;

use crate::column::{Converted, ListBuilder, TextBuilder, Values};
use crate::error::DataError;
use crate::guard::guarded;
use crate::hint::Hint;
use crate::image::{Images, is_image};
use crate::read::infer::Numbers;
use crate::read::limit::Limit;
use crate::read::missing::MissingWords;
use crate::read::number::Cell;
use crate::read::parquet::meaning::{decimal, decimal_value};
use crate::read::{ReadOptions, moment};
use crate::table::{Table, check_named};

/// What a file begins with, and what a stream begins with.
pub(super) const MAGIC: &[u8] = b"ARROW1\0\0";
pub(super) const STREAM: &[u8] = &[0xFF; 4];

/// Reads all batches. A file is a stream behind its mark, with an index of the batches at the end, which is not needed.
pub(super) fn read(file: &str, bytes: Vec<u8>, options: &ReadOptions) -> Result<Table, DataError> {
    Limit::new(bytes.len(), options.max_unpacked).check(file, unpacked(&bytes))?;
    // The decoder checks what it is told, but says so by a panic in places.
    let decoded = guarded(|| decode(file, bytes));
    let (schema, batches) = decoded.unwrap_or_else(|| Err(corrupt(file, "a message contradicts itself".into())))?;
    let fields = schema.fields().iter().enumerate();
    let columns = fields.map(|(i, field)| {
        let chunks = batches.iter().map(|batch| batch.column(i).clone()).collect();
        (field.name().clone(), chunks)
    });
    read_arrays(file, &columns.collect::<Vec<_>>(), options)
}

/// Reads columns that are held in memory, each in as many chunks as it likes; `name` stands for the file in messages.
///
/// Numbers, booleans, texts, dates, times and dictionaries of them become a value a row; lists of them a list a row; binary
/// columns images.
///
/// # Errors
/// Those of [`read`](super::read) but for the file itself: no rows, columns of different lengths or of one name, types that
/// no table has.
pub fn read_arrays(name: &str, columns: &[(String, Vec<ArrayRef>)], options: &ReadOptions) -> Result<Table, DataError> {
    check_named(name, columns.iter().map(|(column, _)| column.as_str()))?;
    if columns.iter().flat_map(|(_, chunks)| chunks).all(|chunk| chunk.is_empty()) {
        return Err(DataError::NoRows { file: name.to_owned() });
    }
    let missing = MissingWords::of_typed(&options.dialect);
    let wanted = columns.iter().filter(|(column, _)| !options.omit.contains(column));
    let read = wanted.map(|(column, chunks)| {
        let kind = chunks.first().map_or(&DataType::Null, |chunk| chunk.data_type());
        let hint = options.hints.get(column).copied();
        let arrays = chunks.iter().collect();
        (column.clone(), ColumnStream { file: name, name: column, kind, arrays, hint, missing: &missing }.read())
    });
    Table::of_converted(name, read, None, Vec::new())
}

/// Bytes that packed buffers say they unpack to, and no less than eight a cell. What does not hold together is left to the
/// decoder.
fn unpacked(bytes: &[u8]) -> u64 {
    let mut rest = bytes.get(head(bytes)..).unwrap_or_default();
    let mut total: u64 = 0;
    while let Some((message, body, after)) = message(rest) {
        let dictionary = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
        if let Some(batch) = message.header_as_record_batch().or(dictionary) {
            let cells =
                batch.nodes().map_or(0, |nodes| nodes.len() as u64).saturating_mul(batch.length().max(0) as u64);
            let buffers = batch.buffers().filter(|_| batch.compression().is_some()).into_iter().flatten();
            let told = buffers.filter_map(|buffer| {
                let length = body.get(usize::try_from(buffer.offset()).ok()?..)?.first_chunk::<8>()?;
                u64::try_from(i64::from_le_bytes(*length)).ok()
            });
            let told = told.fold(0, u64::saturating_add);
            total = total.saturating_add(told.max(cells.saturating_mul(8)));
        }
        rest = after;
    }
    total
}

/// Where the stream of a file begins: behind its mark, and the zeros that bring it to the next multiple of 8 or 64 bytes.
fn head(bytes: &[u8]) -> usize {
    let Some(rest) = bytes.strip_prefix(MAGIC) else { return 0 };
    let padding = rest.as_chunks::<8>().0.iter().take_while(|word| **word == [0; 8]).count();
    MAGIC.len() + 8 * padding
}

/// The first message of a stream, its body, and what follows.
fn message(bytes: &[u8]) -> Option<(arrow_ipc::Message<'_>, &[u8], &[u8])> {
    let bytes = bytes.strip_prefix(STREAM).unwrap_or(bytes);
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(i32::from_le_bytes(*length)).ok().filter(|length| *length > 0)?;
    let (header, rest) = rest.split_at_checked(length)?;
    let message = arrow_ipc::root_as_message(header).ok()?;
    let (body, rest) = rest.split_at_checked(usize::try_from(message.bodyLength()).ok()?)?;
    Some((message, body, rest))
}

fn decode(file: &str, bytes: Vec<u8>) -> Result<(SchemaRef, Vec<RecordBatch>), DataError> {
    let failed = |error: ArrowError| corrupt(file, error.to_string());
    let mut buffer = Buffer::from_vec(bytes);
    buffer.advance(head(&buffer));
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
    fn read(&self) -> Result<Converted, DataError> {
        if self.arrays.iter().all(|array| lists(array.as_ref()).is_some()) && !self.arrays.is_empty() {
            return self.lists();
        }
        if let DataType::Binary | DataType::LargeBinary | DataType::BinaryView = self.kind {
            return self.images();
        }
        let readers = self.arrays.iter().map(|array| Some((*array, reader(array.as_ref(), self.missing)?)));
        let Some(readers) = readers.collect::<Option<Vec<_>>>() else {
            return Err(self.unsupported(self.kind.to_string()));
        };
        // Of a dictionary an entry may be null, and so all rows that have it.
        let rows = readers.iter().flat_map(|(array, reader)| {
            let nulls = array.logical_nulls();
            (0..array.len()).map(move |row| {
                let there = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
                there.then_some((reader, row))
            })
        });
        let natural = natural(self.kind);
        Ok(match self.hint.unwrap_or(natural) {
            Hint::Number => {
                let mut numbers = Numbers::new(self.file, self.name);
                for row in rows {
                    let cell = row.map_or(Cell::Missing, |(reader, row)| (reader.cell)(row));
                    numbers.push(cell, || row.map(|(reader, row)| (reader.text)(row).into_owned()).unwrap_or_default());
                }
                numbers.finish()
            }
            Hint::Text | Hint::Image => {
                let mut builder = TextBuilder::default();
                for row in rows {
                    let text = row.and_then(|(reader, row)| reader.there(row, natural));
                    builder.push(text.as_deref().filter(|text| !self.missing.hides(text)));
                }
                Converted::of(Values::Text(builder.finish()))
            }
        })
    }

    fn unsupported(&self, kind: String) -> DataError {
        DataError::UnsupportedColumn { file: self.file.to_owned(), column: self.name.to_owned(), kind }
    }

    fn lists(&self) -> Result<Converted, DataError> {
        let mut builder = ListBuilder::default();
        for array in &self.arrays {
            let Some((items, place)) = lists(array.as_ref()) else { continue };
            let natural = natural(items.data_type());
            let Some(reader) = reader(items.as_ref(), self.missing) else {
                return Err(self.unsupported(self.kind.to_string()));
            };
            let nulls = items.logical_nulls();
            for row in 0..array.len() {
                if array.is_null(row) {
                    builder.absent();
                    continue;
                }
                for item in place(row) {
                    let valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(item));
                    let there = valid.then(|| reader.there(item, natural)).flatten();
                    builder.item(there.as_deref());
                }
                builder.end();
            }
        }
        Ok(Converted::of(Values::List(builder.finish())))
    }

    /// Bytes are image files, where one begins like such, or the column is declared to hold them.
    fn images(&self) -> Result<Converted, DataError> {
        let mut files = Vec::new();
        for array in &self.arrays {
            files.extend((0..array.len()).map(|row| {
                let bytes = match array.data_type() {
                    _ if array.is_null(row) => return None,
                    DataType::Binary => array.as_binary::<i32>().value(row),
                    DataType::BinaryView => array.as_binary_view().value(row),
                    _ => array.as_binary::<i64>().value(row),
                };
                Some(Bytes::copy_from_slice(bytes))
            }));
        }
        if self.hint == Some(Hint::Image) || files.iter().flatten().any(|bytes| is_image(bytes)) {
            return Ok(Converted::of(Values::Images(Images::Files(files))));
        }
        Err(self.unsupported("bytes that are no images".into()))
    }
}

impl<'a> Reader<'a> {
    /// A value in writing; none of a float that is no number.
    fn there(&self, row: usize, natural: Hint) -> Option<Cow<'a, str>> {
        (natural == Hint::Text || (self.cell)(row) != Cell::NotANumber).then(|| (self.text)(row))
    }
}

/// Where the items of a row are.
type Places<'a> = Box<dyn Fn(usize) -> Range<usize> + 'a>;

/// The items of an array of lists, and where those of a row are; none of other arrays.
fn lists(array: &dyn Array) -> Option<(&ArrayRef, Places<'_>)> {
    match array.data_type() {
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let ends = list.value_offsets();
            Some((list.values(), Box::new(move |row| ends[row] as usize..ends[row + 1] as usize)))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let ends = list.value_offsets();
            Some((list.values(), Box::new(move |row| ends[row] as usize..ends[row + 1] as usize)))
        }
        DataType::FixedSizeList(..) => {
            let list = array.as_fixed_size_list();
            let length = list.value_length() as usize;
            Some((list.values(), Box::new(move |row| row * length..(row + 1) * length)))
        }
        _ => None,
    }
}

/// What values of a type are, where nothing is declared.
fn natural(kind: &DataType) -> Hint {
    match kind {
        DataType::Dictionary(_, values) => natural(values),
        DataType::RunEndEncoded(_, values) => natural(values.data_type()),
        DataType::Null | DataType::Duration(_) => Hint::Number,
        kind if kind.is_numeric() => Hint::Number,
        _ => Hint::Text,
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

/// The values of an array of runs, and which of them each row has.
fn runs(array: &dyn Array) -> Option<(&ArrayRef, Vec<usize>)> {
    macro_rules! of {
        ($kind:ty) => {{
            let runs = array.as_any().downcast_ref::<RunArray<$kind>>()?;
            (runs.values(), (0..runs.len()).map(|row| runs.get_physical_index(row)).collect())
        }};
    }
    Some(match array.data_type() {
        DataType::RunEndEncoded(ends, _) if *ends.data_type() == DataType::Int16 => of!(Int16Type),
        DataType::RunEndEncoded(ends, _) if *ends.data_type() == DataType::Int32 => of!(Int32Type),
        _ => of!(Int64Type),
    })
}

/// How values are read of which each row names one by its place.
fn elsewhere<'a>(values: &'a dyn Array, places: Rc<[usize]>, missing: &'a MissingWords) -> Option<Reader<'a>> {
    let (cells, texts) = (reader(values, missing)?, reader(values, missing)?);
    let shown = Rc::clone(&places);
    let there = move |key: Option<&usize>| key.copied().filter(|key| *key < values.len() && !values.is_null(*key));
    Some(Reader {
        cell: Box::new(move |row| there(places.get(row)).map_or(Cell::Missing, |key| (cells.cell)(key))),
        text: Box::new(move |row| there(shown.get(row)).map_or(Cow::Borrowed(""), |key| (texts.text)(key))),
    })
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
    /// Whole numbers with a point in them.
    macro_rules! decimal {
        ($kind:ty, $scale:expr) => {{
            let (values, scale) = (array.as_primitive::<$kind>(), i32::from(*$scale));
            Reader {
                cell: Box::new(move |row| Cell::of(decimal_value(values.value(row), scale))),
                text: Box::new(move |row| Cow::Owned(decimal(values.value(row), scale))),
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
        DataType::Float16 => {
            let values = array.as_primitive::<Float16Type>();
            Reader {
                cell: Box::new(|row| Cell::of(values.value(row).to_f64())),
                text: Box::new(|row| Cow::Owned(values.value(row).to_string())),
            }
        }
        DataType::Decimal32(_, scale) => decimal!(Decimal32Type, scale),
        DataType::Decimal64(_, scale) => decimal!(Decimal64Type, scale),
        DataType::Decimal128(_, scale) => decimal!(Decimal128Type, scale),
        DataType::Decimal256(_, scale) => decimal!(Decimal256Type, scale),
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => number!(DurationSecondType),
            TimeUnit::Millisecond => number!(DurationMillisecondType),
            TimeUnit::Microsecond => number!(DurationMicrosecondType),
            TimeUnit::Nanosecond => number!(DurationNanosecondType),
        },
        DataType::Date64 => moment!(Date64Type, 86_400_000, |ticks: i64| moment::date(ticks.div_euclid(86_400_000))),
        DataType::Time32(TimeUnit::Second) => moment!(Time32SecondType, 1, |ticks| moment::time(ticks, 1)),
        DataType::Time32(_) => moment!(Time32MillisecondType, 1_000, |ticks| moment::time(ticks, 1_000)),
        DataType::Time64(TimeUnit::Microsecond) => {
            moment!(Time64MicrosecondType, 1_000_000, |ticks| moment::time(ticks, 1_000_000))
        }
        DataType::Time64(_) => moment!(Time64NanosecondType, 1_000_000_000, |ticks| moment::time(ticks, 1_000_000_000)),
        DataType::Date32 => moment!(Date32Type, 1, moment::date),
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => timestamp!(TimestampSecondType, 1),
            TimeUnit::Millisecond => timestamp!(TimestampMillisecondType, 1_000),
            TimeUnit::Microsecond => timestamp!(TimestampMicrosecondType, 1_000_000),
            TimeUnit::Nanosecond => timestamp!(TimestampNanosecondType, 1_000_000_000),
        },
        // Categories of data frames.
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            elsewhere(dictionary.values().as_ref(), dictionary.normalized_keys().into(), missing)?
        }
        // Values that stand once for many rows that follow each other.
        DataType::RunEndEncoded(..) => {
            let (values, places) = runs(array)?;
            elsewhere(values.as_ref(), places.into(), missing)?
        }
        kind if is_text(kind) => Reader {
            cell: Box::new(|row| Cell::parse(text(array, row).unwrap_or_default(), missing)),
            text: Box::new(|row| Cow::Borrowed(text(array, row).unwrap_or_default())),
        },
        _ => return None,
    })
}
