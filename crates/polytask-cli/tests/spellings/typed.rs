//! Ways to write a table down in formats that have types.

use crate::common::Noise;
use crate::table::{Cell, Column};
use crate::write::{File, one_of};
use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int8Array, Int32Array,
    Int64Array, LargeStringArray, RecordBatch, StringArray, StringViewArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_ipc::{CompressionType, MetadataVersion};
use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type as Whole32, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

const DAY_MICROS: i64 = 86_400_000_000;

/// What is there of a column, as something else.
fn of<T>(column: &Column, value: impl Fn(&Cell) -> T) -> Vec<Option<T>> {
    column.cells.iter().map(|cell| (*cell != Cell::Missing).then(|| value(cell))).collect()
}

fn whole(cell: &Cell) -> i64 {
    if let Cell::Whole(value) = cell { *value } else { unreachable!() }
}

fn word(cell: &Cell) -> &'static str {
    if let Cell::Word(word) = cell { word } else { unreachable!() }
}

fn number(cell: &Cell) -> f64 {
    if let Cell::Number(value) = cell { *value } else { unreachable!() }
}

fn flag(cell: &Cell) -> bool {
    if let Cell::Flag(flag) = cell { *flag } else { unreachable!() }
}

fn day(cell: &Cell) -> i32 {
    if let Cell::Day(day) = cell { *day } else { unreachable!() }
}

/// A value of a column that is there.
fn sample(column: &Column) -> &Cell {
    column.cells.iter().find(|cell| **cell != Cell::Missing).unwrap()
}

/// Whether all of a column are whole numbers that a float holds.
fn is_short(column: &Column) -> bool {
    column.cells.iter().all(|cell| !matches!(cell, Cell::Whole(value) if value.abs() > 100))
}

/// Arrow, as a file or a stream, packed or not.
pub fn arrow(columns: &[Column], noise: &mut Noise) -> File {
    let arrays: Vec<(&str, ArrayRef, bool)> =
        columns.iter().map(|column| (column.name, array(column, noise), true)).collect();
    let batch = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
    let compression = one_of(noise, &[None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)]);
    let options = IpcWriteOptions::try_new(one_of(noise, &[8, 64]), false, MetadataVersion::V5).unwrap();
    let options = options.try_with_compression(compression).unwrap();
    let rows = one_of(noise, &[1000, 25]);
    let parts = (0..batch.num_rows()).step_by(rows).map(|from| batch.slice(from, rows.min(batch.num_rows() - from)));
    match one_of(noise, &["t.arrow", "t.feather", "t.arrows"]) {
        "t.arrows" => {
            let mut writer = StreamWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
            parts.for_each(|part| writer.write(&part).unwrap());
            writer.finish().unwrap();
            ("t.arrows".to_owned(), writer.into_inner().unwrap())
        }
        name => {
            let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
            parts.for_each(|part| writer.write(&part).unwrap());
            writer.finish().unwrap();
            (name.to_owned(), writer.into_inner().unwrap())
        }
    }
}

fn array(column: &Column, noise: &mut Noise) -> ArrayRef {
    match sample(column) {
        Cell::Missing => unreachable!(),
        Cell::Whole(_) if is_short(column) => match one_of(noise, &[0, 1, 2, 3]) {
            0 => Arc::new(of(column, |cell| whole(cell) as f64).into_iter().collect::<Float64Array>()),
            1 => Arc::new(of(column, |cell| whole(cell) as i32).into_iter().collect::<Int32Array>()),
            2 => Arc::new(of(column, |cell| whole(cell) as i8).into_iter().collect::<Int8Array>()),
            _ => {
                let hundredths = of(column, |cell| i128::from(whole(cell)) * 100);
                let array: Decimal128Array = hundredths.into_iter().collect();
                Arc::new(array.with_precision_and_scale(20, 2).unwrap())
            }
        },
        Cell::Whole(_) => match one_of(noise, &[0, 1, 2]) {
            0 => Arc::new(of(column, |cell| whole(cell).cast_unsigned()).into_iter().collect::<UInt64Array>()),
            1 => {
                let array: Decimal128Array = of(column, |cell| i128::from(whole(cell))).into_iter().collect();
                Arc::new(array.with_precision_and_scale(38, 0).unwrap())
            }
            _ => Arc::new(of(column, whole).into_iter().collect::<Int64Array>()),
        },
        Cell::Number(_) => Arc::new(of(column, number).into_iter().collect::<Float64Array>()),
        Cell::Word(_) => match one_of(noise, &[0, 1, 2, 3]) {
            0 => Arc::new(of(column, word).into_iter().collect::<StringArray>()),
            1 => Arc::new(of(column, word).into_iter().collect::<LargeStringArray>()),
            2 => Arc::new(of(column, word).into_iter().collect::<StringViewArray>()),
            _ => Arc::new(of(column, word).into_iter().collect::<DictionaryArray<Int32Type>>()),
        },
        Cell::Flag(_) => Arc::new(of(column, flag).into_iter().collect::<BooleanArray>()),
        Cell::Day(_) => match one_of(noise, &[0, 1, 2]) {
            0 => Arc::new(of(column, day).into_iter().collect::<Date32Array>()),
            zone => {
                let ticks = of(column, |cell| i64::from(day(cell)) * DAY_MICROS);
                let array: TimestampMicrosecondArray = ticks.into_iter().collect();
                Arc::new(if zone == 1 { array.with_timezone("UTC") } else { array })
            }
        },
    }
}

/// Parquet of several row groups, packed or not.
pub fn parquet(columns: &[Column], noise: &mut Noise) -> File {
    let types: Vec<&str> = columns.iter().map(|column| kind(column, noise)).collect();
    let fields: String = columns.iter().zip(&types).fold(String::new(), |all, (column, kind)| {
        let (kind, meaning) = kind.split_once(' ').unwrap_or((kind, ""));
        all + &format!("OPTIONAL {kind} {} {meaning}; ", column.name)
    });
    let schema = parse_message_type(&format!("message m {{ {fields} }}")).unwrap();
    let compression = one_of(
        noise,
        &[
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::ZSTD(Default::default()),
            Compression::LZ4_RAW,
            Compression::GZIP(Default::default()),
            Compression::BROTLI(Default::default()),
        ],
    );
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_dictionary_enabled(noise.next() < 0.5)
        .set_data_page_row_count_limit(20)
        .build();
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), Arc::new(properties)).unwrap();
    let (all, rows) = (columns[0].cells.len(), one_of(noise, &[1000, 25]));
    for from in (0..all).step_by(rows) {
        let mut group = writer.next_row_group().unwrap();
        for (column, kind) in columns.iter().zip(&types) {
            let cells = column.cells[from..all.min(from + rows)].to_vec();
            stored(&Column { name: column.name, cells }, kind, &mut group);
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    ("t.parquet".to_owned(), file)
}

/// The type of a column.
fn kind(column: &Column, noise: &mut Noise) -> &'static str {
    match sample(column) {
        Cell::Missing => unreachable!(),
        Cell::Whole(_) if is_short(column) => one_of(noise, &["DOUBLE", "INT32", "INT64", "INT32 (INTEGER(8,true))"]),
        Cell::Whole(_) => one_of(noise, &["INT64", "INT64 (INTEGER(64,false))", "INT64 (DECIMAL(18,0))"]),
        Cell::Number(_) => "DOUBLE",
        Cell::Word(_) => "BYTE_ARRAY (UTF8)",
        Cell::Flag(_) => "BOOLEAN",
        Cell::Day(_) => one_of(noise, &["INT32 (DATE)", "INT64 (TIMESTAMP(MICROS,true))"]),
    }
}

fn stored(column: &Column, kind: &str, group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>) {
    let float = |cell: &Cell| if let Cell::Whole(value) = cell { *value as f64 } else { number(cell) };
    match kind.split(' ').next().unwrap() {
        "DOUBLE" => put::<DoubleType>(of(column, float), group),
        "BYTE_ARRAY" => put::<ByteArrayType>(of(column, |cell| ByteArray::from(word(cell))), group),
        "BOOLEAN" => put::<BoolType>(of(column, flag), group),
        "INT32" if kind.contains("DATE") => put::<Whole32>(of(column, day), group),
        "INT32" => put::<Whole32>(of(column, |cell| whole(cell) as i32), group),
        _ if kind.contains("TIME") => put::<Int64Type>(of(column, |cell| i64::from(day(cell)) * DAY_MICROS), group),
        _ => put::<Int64Type>(of(column, whole), group),
    }
}

fn put<T: DataType>(cells: Vec<Option<T::T>>, group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>) {
    let present: Vec<T::T> = cells.iter().flatten().cloned().collect();
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(&present, Some(&levels), None).unwrap();
    column.close().unwrap();
}
