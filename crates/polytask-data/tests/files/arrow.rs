//! Arrow files as other programs write them.

use std::sync::Arc;

use crate::common::*;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{
    ArrayRef, BooleanArray, Date64Array, Decimal64Array, Decimal128Array, Decimal256Array, DictionaryArray,
    DurationMillisecondArray, FixedSizeListArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
    RunArray, StringArray, StructArray, TimestampMillisecondArray,
};
use arrow_buffer::i256;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
use arrow_ipc::{CompressionType, MetadataVersion};
use polytask_data::{Hint, ReadOptions, Table, Values};

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn file(batch: &RecordBatch, compression: Option<CompressionType>) -> Vec<u8> {
    aligned(batch, compression, 8)
}

/// A file whose parts begin at multiples of so many bytes.
fn aligned(batch: &RecordBatch, compression: Option<CompressionType>, alignment: usize) -> Vec<u8> {
    let options = IpcWriteOptions::try_new(alignment, false, MetadataVersion::V5).unwrap();
    let options = options.try_with_compression(compression).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    writer.write(batch).unwrap();
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

fn read(array: impl arrow_array::Array + 'static) -> Table {
    table("t.feather", file(&batch(vec![("x", Arc::new(array))]), None))
}

#[test]
fn packed_files_are_read() {
    let numbers_of: ArrayRef = Arc::new(Float64Array::from_iter_values((0..5000).map(|row| f64::from(row % 7))));
    let words: ArrayRef = Arc::new(StringArray::from_iter_values((0..5000).map(|row| format!("w{}", row % 3))));
    let batch = batch(vec![("x", numbers_of), ("w", words)]);
    let plain = table("t.arrow", file(&batch, None));
    for compression in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
        let packed = file(&batch, Some(compression));
        let table = table("t.feather", &packed);
        assert_eq!((numbers(&table, "x"), texts(&table, "w")), (numbers(&plain, "x"), texts(&plain, "w")));
        let small = ReadOptions { max_unpacked: Some(50_000), ..ReadOptions::default() };
        let error = Scratch::new("t.feather", packed).error(&small);
        assert!(error.ends_with("unpacks to more than 50000, which is refused"), "{error}");
    }
}

#[test]
fn parts_may_lie_further_apart() {
    let x: ArrayRef = Arc::new(Int32Array::from(vec![3, 1, 2]));
    for alignment in [8, 16, 32, 64] {
        for compression in [None, Some(CompressionType::LZ4_FRAME)] {
            let table = table("t.arrow", aligned(&batch(vec![("x", Arc::clone(&x))]), compression, alignment));
            assert_eq!(numbers(&table, "x"), [3.0, 1.0, 2.0], "{alignment}");
        }
    }
    // A file of no batch has no rows, wherever its schema lies.
    let none = batch(vec![("x", x)]).slice(0, 0);
    assert_eq!(error("t.arrow", aligned(&none, None, 64)), "t.arrow names its columns but has no rows");
}

#[test]
fn every_type_is_read() {
    let whole = |table: &Table| numbers(table, "x").to_vec();
    assert_eq!(whole(&read(Decimal128Array::from(vec![-1250]).with_precision_and_scale(9, 2).unwrap())), [-12.5]);
    let wide = Decimal256Array::from(vec![i256::from_i128(-1250)]).with_precision_and_scale(60, 2).unwrap();
    assert_eq!(whole(&read(wide)), [-12.5]);
    assert_eq!(whole(&read(Decimal64Array::from(vec![5]).with_precision_and_scale(9, 3).unwrap())), [0.005]);
    assert_eq!(whole(&read(DurationMillisecondArray::from(vec![1500]))), [1500.0]);
    assert_eq!(texts(&read(Date64Array::from(vec![86_400_000 * 12_487])), "x"), [Some("2004-03-10")]);
    let zone = TimestampMillisecondArray::from(vec![1_078_941_600_000]).with_timezone("Europe/Berlin");
    assert_eq!(texts(&read(zone), "x"), [Some("2004-03-10 18:00:00")]);
    let keys = Int32Array::from(vec![Some(1), None, Some(0)]);
    let dictionary = DictionaryArray::<Int32Type>::new(keys, Arc::new(Int64Array::from(vec![10, 20])));
    assert_eq!(whole(&read(dictionary))[..1], [20.0]);
    let keys = || Int32Array::from(vec![0, 1]);
    let words = DictionaryArray::<Int32Type>::new(keys(), Arc::new(StringArray::from(vec![Some("a"), None])));
    assert_eq!(texts(&read(words), "x"), [Some("a"), None]);
    let numbers_of = DictionaryArray::<Int32Type>::new(keys(), Arc::new(Int64Array::from(vec![Some(4), None])));
    assert!(whole(&read(numbers_of))[1].is_nan());
    assert_eq!(texts(&read(BooleanArray::from(vec![true])), "x"), [Some("true")]);
}

#[test]
fn lists_of_plain_values_are_read() {
    let shown = |table: &Table| (0..table.rows()).map(|row| table.find("x").unwrap().shown(row)).collect::<Vec<_>>();
    let lists = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(1), Some(22)]), None, Some(vec![])]);
    assert_eq!(shown(&read(lists)), [Some("1 22".to_owned()), None, Some(String::new())]);
    let pairs = FixedSizeListArray::from_iter_primitive::<Int64Type, _, _>(
        [Some(vec![Some(1), None]), Some(vec![Some(3), Some(4)])],
        2,
    );
    let table = read(pairs);
    assert_eq!(shown(&table), [Some("1 ".to_owned()), Some("3 4".to_owned())]);
    assert!(matches!(table.find("x").unwrap().values, Values::List(_)));
}

#[test]
fn a_column_that_fits_no_table_stops_those_who_need_it() {
    let inner: ArrayRef = Arc::new(Int32Array::from(vec![1, 2]));
    let nested: ArrayRef = Arc::new(StructArray::try_from(vec![("u", inner)]).unwrap());
    let infinite: ArrayRef = Arc::new(Float64Array::from(vec![1.0, f64::INFINITY]));
    let good: ArrayRef = Arc::new(Int64Array::from(vec![9_007_199_254_740_993, 3]));
    let batch = batch(vec![("s", nested), ("i", infinite), ("x", good)]);
    let mut stream = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    stream.write(&batch).unwrap();
    let scratch = Scratch::new("t.arrow", stream.into_inner().unwrap());
    let table = scratch.read(&hints(&[("x", Hint::Text)])).unwrap();
    assert_eq!(texts(&table, "x"), [Some("9007199254740993"), Some("3")]);
    assert_eq!((names(&table), table.faults().count()), (vec!["i", "x"], 2));
    assert!(table.find("s").is_err() && table.find("i").is_err());
}

#[test]
fn runs_of_one_value_are_rows() {
    let ends = Int32Array::from(vec![2, 3, 6]);
    let numbered = RunArray::try_new(&ends, &Float64Array::from(vec![Some(1.5), None, Some(4.0)])).unwrap();
    let x = read(numbered.clone());
    let x = numbers(&x, "x");
    assert!(x[..2] == [1.5; 2] && x[2].is_nan() && x[3..] == [4.0; 3], "{x:?}");
    let words = read(RunArray::try_new(&ends, &StringArray::from(vec![Some("a"), Some("b"), None])).unwrap());
    assert_eq!(texts(&words, "x"), [Some("a"), Some("a"), Some("b"), None, None, None]);
}
