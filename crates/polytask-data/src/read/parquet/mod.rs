//! Parquet, through its column reader.

mod leaves;
pub(super) mod meaning;

use std::borrow::Cow;

use bytes::Bytes;
use leaves::{Leaf, Stored};
use meaning::{Meaning, decimal, decimal_value, half, uuid, whole};
use parquet::basic::Type as Physical;
use parquet::data_type::{
    BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type, Int64Type, Int96Type,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;
use rayon::prelude::*;

use crate::column::{Converted, ListBuilder, TextBuilder, Values};
use crate::error::DataError;
use crate::guard::guarded;
use crate::hint::Hint;
use crate::image::{Images, is_image};
use crate::read::infer::Numbers;
use crate::read::limit::Limit;
use crate::read::missing::MissingWords;
use crate::read::number::Cell;
use crate::read::{ReadOptions, moment};
use crate::table::{Table, check_named};

const NANOS: i64 = 1_000_000_000;

/// Rows decoded at a time.
const CHUNK: usize = 4096;

/// Reads the file in `bytes`, its columns side by side.
pub(super) fn read(file: &str, bytes: Vec<u8>, options: &ReadOptions) -> Result<Table, DataError> {
    // The decoder believes some of what a page says of itself, and panics where a damaged one lies.
    let decoded = guarded(|| decode(file, bytes, options));
    decoded.unwrap_or_else(|| Err(corrupt(file, &ParquetError::General("a page contradicts itself".into()))))
}

fn decode(file: &str, bytes: Vec<u8>, options: &ReadOptions) -> Result<Table, DataError> {
    let corrupt = |error: ParquetError| corrupt(file, &error);
    let limit = Limit::new(bytes.len(), options.max_unpacked);
    let reader = SerializedFileReader::new(Bytes::from(bytes)).map_err(corrupt)?;
    let schema = reader.metadata().file_metadata().schema_descr();
    let leaves = leaves::leaves(schema);
    check_named(file, leaves.iter().map(|leaf| leaf.name.as_str()))?;
    let leaves: Vec<Leaf> = leaves.into_iter().filter(|leaf| !options.omit.contains(&leaf.name)).collect();
    if reader.metadata().file_metadata().num_rows() == 0 {
        return Err(DataError::NoRows { file: file.to_owned() });
    }
    limit.check(file, unpacked(&reader, &leaves))?;
    let missing = MissingWords::of_typed(&options.dialect);
    let column = |Leaf { name, stored }: &Leaf| {
        let Some(Stored { index, items }) = *stored else {
            return Err(unsupported(file, name, "nested (a map, a struct, or lists of such)"));
        };
        let (descriptor, hint) = (schema.column(index), options.hints.get(name).copied());
        ColumnFile { file, name, reader: &reader, index, items, descriptor: &descriptor, hint, missing: &missing }
            .read()
    };
    // Collected before it is searched for errors: of several errors the first column's is reported, whoever ends first.
    let read: Vec<Read> = leaves.par_iter().map(column).collect();
    let named = leaves.into_iter().map(|leaf| leaf.name).zip(read);
    Table::of_converted(file, named, None, Vec::new())
}

/// Bytes that the values of a file take, as its index has it, and no less than eight a cell.
fn unpacked(reader: &SerializedFileReader<Bytes>, leaves: &[Leaf]) -> u64 {
    let metadata = reader.metadata();
    let wanted = || leaves.iter().filter_map(|leaf| leaf.stored);
    let size = |stored: Stored| {
        let of = |group: &RowGroupMetaData| {
            group.columns().get(stored.index).map_or(0, |column| column.uncompressed_size().max(0) as u64)
        };
        metadata.row_groups().iter().map(of).fold(0, u64::saturating_add)
    };
    let cells = (metadata.file_metadata().num_rows().max(0) as u64).saturating_mul(8 * wanted().count() as u64);
    wanted().map(size).fold(0, u64::saturating_add).max(cells)
}

fn corrupt(file: &str, error: &ParquetError) -> DataError {
    let message = match error {
        ParquetError::General(message) | ParquetError::EOF(message) | ParquetError::NYI(message) => message.clone(),
        other => other.to_string(),
    };
    DataError::Corrupt { file: file.to_owned(), format: "Parquet", message }
}

fn unsupported(file: &str, column: &str, kind: impl Into<String>) -> DataError {
    DataError::UnsupportedColumn { file: file.to_owned(), column: column.to_owned(), kind: kind.into() }
}

/// One column of the file.
struct ColumnFile<'a> {
    file: &'a str,
    name: &'a str,
    reader: &'a SerializedFileReader<Bytes>,
    index: usize,
    /// Of lists, the definition level of their items.
    items: Option<i16>,
    descriptor: &'a ColumnDescriptor,
    hint: Option<Hint>,
    missing: &'a MissingWords,
}

type Read = Result<Converted, DataError>;

impl ColumnFile<'_> {
    fn read(&self) -> Read {
        fn text(bytes: &[u8]) -> Option<&str> {
            std::str::from_utf8(bytes).ok()
        }
        match (self.descriptor.physical_type(), Meaning::of(self.descriptor)) {
            (Physical::BOOLEAN, _) => self.gather::<BoolType>(
                Hint::Text,
                |v| Some(Cow::Borrowed(if *v { "true" } else { "false" })),
                |v| Cell::Number(f64::from(u8::from(*v))),
            ),
            (Physical::INT32, Meaning::Plain) => self.numbers::<Int32Type>(i32::to_string, |v| f64::from(*v)),
            (Physical::INT32, Meaning::Unsigned) => {
                self.numbers::<Int32Type>(|v| v.cast_unsigned().to_string(), |v| f64::from(v.cast_unsigned()))
            }
            (Physical::INT32, Meaning::Date) => {
                self.moments::<Int32Type>(|v| moment::date(i64::from(*v)), |v| f64::from(*v))
            }
            (Physical::INT32, Meaning::Time(unit)) => {
                self.moments::<Int32Type>(|v| moment::time(i64::from(*v), unit), |v| f64::from(*v) / unit as f64)
            }
            (Physical::INT32, Meaning::Decimal(scale)) => self.decimals::<Int32Type>(scale, |v| Some(i128::from(*v))),
            (Physical::INT64, Meaning::Plain) => self.numbers::<Int64Type>(i64::to_string, |v| *v as f64),
            (Physical::INT64, Meaning::Unsigned) => {
                self.numbers::<Int64Type>(|v| v.cast_unsigned().to_string(), |v| v.cast_unsigned() as f64)
            }
            (Physical::INT64, Meaning::Time(unit)) => {
                self.moments::<Int64Type>(|v| moment::time(*v, unit), |v| *v as f64 / unit as f64)
            }
            (Physical::INT64, Meaning::Timestamp(unit)) => {
                self.moments::<Int64Type>(|v| moment::timestamp(*v, unit), |v| *v as f64 / unit as f64)
            }
            (Physical::INT64, Meaning::Decimal(scale)) => self.decimals::<Int64Type>(scale, |v| Some(i128::from(*v))),
            (Physical::INT96, _) => self.moments::<Int96Type>(
                |v| moment::timestamp(v.to_nanos(), NANOS),
                |v| v.to_nanos() as f64 / NANOS as f64,
            ),
            (Physical::FLOAT, _) => self.numbers::<FloatType>(f32::to_string, |v| f64::from(*v)),
            (Physical::DOUBLE, _) => self.numbers::<DoubleType>(f64::to_string, |v| *v),
            (Physical::BYTE_ARRAY, meaning @ (Meaning::Text | Meaning::Plain)) => {
                if meaning == Meaning::Plain
                    && self.items.is_none()
                    && let Some(images) = self.images()?
                {
                    return Ok(Converted::of(Values::Images(images)));
                }
                self.gather::<ByteArrayType>(
                    Hint::Text,
                    |v| text(v.data()).map(Cow::Borrowed),
                    |v| text(v.data()).map_or(Cell::Word, |text| Cell::parse(text, self.missing)),
                )
            }
            (Physical::BYTE_ARRAY, Meaning::Decimal(scale)) => {
                self.decimals::<ByteArrayType>(scale, |v| whole(v.data()))
            }
            (Physical::FIXED_LEN_BYTE_ARRAY, Meaning::Decimal(scale)) => {
                self.decimals::<FixedLenByteArrayType>(scale, |v| whole(v.data()))
            }
            (Physical::FIXED_LEN_BYTE_ARRAY, Meaning::Float16) => {
                self.numbers::<FixedLenByteArrayType>(|v| half(v.data()).to_string(), |v| half(v.data()))
            }
            (Physical::FIXED_LEN_BYTE_ARRAY, Meaning::Uuid) => {
                self.gather::<FixedLenByteArrayType>(Hint::Text, |v| Some(Cow::Owned(uuid(v.data()))), |_| Cell::Word)
            }
            (physical, meaning) => Err(self.unsupported(match self.descriptor.logical_type_ref() {
                Some(kind) => format!("{kind:?} stored as {physical}"),
                None => format!("{meaning:?} stored as {physical}").to_lowercase(),
            })),
        }
    }

    /// A column of numbers, with its values in writing for a column declared as text.
    fn numbers<T: DataType>(&self, text: impl Fn(&T::T) -> String, number: impl Fn(&T::T) -> f64) -> Read {
        self.gather::<T>(Hint::Number, |v| Some(Cow::Owned(text(v))), |v| Cell::of(number(v)))
    }

    /// A column of dates or times.
    fn moments<T: DataType>(&self, text: impl Fn(&T::T) -> String, number: impl Fn(&T::T) -> f64) -> Read {
        self.gather::<T>(Hint::Text, |v| Some(Cow::Owned(text(v))), |v| Cell::of(number(v)))
    }

    /// A column of decimals; `whole` is the value times 10^scale.
    fn decimals<T: DataType>(&self, scale: i32, whole: impl Fn(&T::T) -> Option<i128>) -> Read {
        self.gather::<T>(
            Hint::Number,
            |v| whole(v).map(|whole| Cow::Owned(decimal(whole, scale))),
            |v| whole(v).map_or(Cell::Word, |whole| Cell::of(decimal_value(whole, scale))),
        )
    }

    /// Reads every row as what the column is declared or else `natural`ly is. `text` is none for bytes that are no
    /// text.
    fn gather<T: DataType>(
        &self,
        natural: Hint,
        text: impl for<'v> Fn(&'v T::T) -> Option<Cow<'v, str>>,
        number: impl Fn(&T::T) -> Cell,
    ) -> Read {
        let name = self.name;
        let unreadable = || self.unsupported("of bytes that are no text, or of too many digits");
        // A float that is no number is as missing in writing.
        let there = |v: &T::T| natural == Hint::Text || number(v) != Cell::NotANumber;
        if let Some(items) = self.items {
            return self
                .lists::<T>(items, |v| if there(v) { text(v).ok_or_else(unreadable).map(Some) } else { Ok(None) });
        }
        match self.hint.unwrap_or(natural) {
            Hint::Text | Hint::Image => {
                let mut builder = TextBuilder::default();
                self.each::<T>(|value| {
                    let value = value.filter(|v| there(v)).map(|v| text(v).ok_or_else(unreadable)).transpose()?;
                    builder.push(value.as_deref().filter(|text| !self.missing.hides(text)));
                    Ok(())
                })?;
                Ok(Converted::of(Values::Text(builder.finish())))
            }
            Hint::Number => {
                let mut numbers = Numbers::new(self.file, name);
                self.each::<T>(|value| {
                    let cell = value.map_or(Cell::Missing, &number);
                    numbers.push(cell, || value.and_then(&text).map(Cow::into_owned).unwrap_or_default());
                    Ok(())
                })?;
                Ok(numbers.finish())
            }
        }
    }

    /// Reads lists of values.
    fn lists<T: DataType>(
        &self,
        items: i16,
        text: impl for<'v> Fn(&'v T::T) -> Result<Option<Cow<'v, str>>, DataError>,
    ) -> Read {
        let deepest = self.descriptor.max_def_level();
        let mut builder = ListBuilder::default();
        let mut open = false;
        self.chunks::<T>(|levels, repeated, values| {
            let mut values = values.iter();
            for (level, repeated) in levels.iter().zip(repeated) {
                if *repeated == 0 && std::mem::take(&mut open) {
                    builder.end();
                }
                match *level {
                    level if level >= items => {
                        let value = if level == deepest { values.next() } else { None };
                        builder.item(value.map(&text).transpose()?.flatten().as_deref());
                        open = true;
                    }
                    level if level + 1 == items => builder.end(),
                    _ => builder.absent(),
                }
            }
            Ok(())
        })?;
        if open {
            builder.end();
        }
        Ok(Converted::of(Values::List(builder.finish())))
    }

    /// Bytes that are image files: some begin like one, or the column is declared to hold such and some are no text.
    fn images(&self) -> Result<Option<Images>, DataError> {
        let declared = self.hint == Some(Hint::Image);
        if !declared && self.hint.is_some() {
            return Ok(None);
        }
        let (mut files, mut found) = (Vec::new(), false);
        self.each::<ByteArrayType>(|value| {
            let bytes = value.map(|value| Bytes::copy_from_slice(value.data()));
            found |= bytes.as_ref().is_some_and(|b| is_image(b) || (declared && std::str::from_utf8(b).is_err()));
            files.push(bytes);
            Ok(())
        })?;
        Ok(found.then_some(Images::Files(files)))
    }

    /// Calls `take` with every row's value, none where it is null.
    fn each<T: DataType>(&self, mut take: impl FnMut(Option<&T::T>) -> Result<(), DataError>) -> Result<(), DataError> {
        let deepest = self.descriptor.max_def_level();
        self.chunks::<T>(|levels, _, values| {
            let mut values = values.iter();
            if deepest == 0 {
                return values.try_for_each(|value| take(Some(value)));
            }
            levels.iter().try_for_each(|level| take(if *level == deepest { values.next() } else { None }))
        })
    }

    /// Calls `take` with definition levels, repetition levels and values of ever more rows.
    fn chunks<T: DataType>(
        &self,
        mut take: impl FnMut(&[i16], &[i16], &[T::T]) -> Result<(), DataError>,
    ) -> Result<(), DataError> {
        let corrupt = |error: ParquetError| corrupt(self.file, &error);
        let (mut values, mut present, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        let mut rows = 0;
        for group in 0..self.reader.num_row_groups() {
            let group = self.reader.get_row_group(group).map_err(corrupt)?;
            let column = group.get_column_reader(self.index).map_err(corrupt)?;
            let mut column = T::get_column_reader(column)
                .ok_or_else(|| corrupt(ParquetError::General("the column changes its type".into())))?;
            loop {
                values.clear();
                present.clear();
                repeated.clear();
                let levels = self.items.map(|_| &mut repeated);
                let (records, ..) =
                    column.read_records(CHUNK, Some(&mut present), levels, &mut values).map_err(corrupt)?;
                if records == 0 {
                    break;
                }
                rows += records as i64;
                take(&present, &repeated, &values)?;
            }
        }
        if rows != self.reader.metadata().file_metadata().num_rows() {
            let name = self.name;
            return Err(corrupt(ParquetError::General(format!(
                "column `{name}` has {rows} rows, not as many as told"
            ))));
        }
        Ok(())
    }

    fn unsupported(&self, kind: impl Into<String>) -> DataError {
        unsupported(self.file, self.name, kind)
    }
}
