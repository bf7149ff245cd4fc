//! Parquet of every type.

use std::sync::Arc;

use crate::common::*;
use parquet::basic::Compression;
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type, Int96, Int96Type,
};
use parquet::file::properties::{WriterProperties, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use polytask_data::{Dialect, Hint, ReadOptions, Table, Values};

/// A file of one column `x`, of the type `kind`, with a null where a value is none; one row group a slice.
fn file_of<T: DataType>(kind: &str, groups: &[&[Option<T::T>]]) -> Vec<u8> {
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(Default::default())).build();
    file_with::<T>(kind, groups, properties)
}

fn file_with<T: DataType>(kind: &str, groups: &[&[Option<T::T>]], properties: WriterProperties) -> Vec<u8> {
    let (kind, annotation) = kind.split_once(' ').unwrap_or((kind, ""));
    let schema = parse_message_type(&format!("message m {{ OPTIONAL {kind} x {annotation}; }}")).unwrap();
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), Arc::new(properties)).unwrap();
    for values in groups {
        let present: Vec<T::T> = values.iter().flatten().cloned().collect();
        let levels: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
        let mut group = writer.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<T>().write_batch(&present, Some(&levels), None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    writer.close().unwrap();
    file
}

fn read_of<T: DataType>(kind: &str, values: &[T::T]) -> Table {
    let values: Vec<Option<T::T>> = values.iter().cloned().map(Some).chain([None]).collect();
    table("t.parquet", file_of::<T>(kind, &[&values]))
}

fn number_of<T: DataType>(kind: &str, value: T::T) -> f64 {
    let table = read_of::<T>(kind, &[value]);
    assert!(numbers(&table, "x")[1].is_nan());
    numbers(&table, "x")[0]
}

fn text_of<T: DataType>(kind: &str, value: T::T) -> String {
    let table = read_of::<T>(kind, &[value]);
    let texts = texts(&table, "x");
    assert_eq!(texts[1], None);
    texts[0].unwrap().to_owned()
}

fn fixed(bytes: &[u8]) -> FixedLenByteArray {
    FixedLenByteArray::from(ByteArray::from(bytes.to_vec()))
}

#[test]
fn every_number_is_read() {
    assert_eq!(number_of::<Int32Type>("INT32", -7), -7.0);
    assert_eq!(number_of::<Int32Type>("INT32 (INTEGER(8,true))", -7), -7.0);
    assert_eq!(number_of::<Int32Type>("INT32 (INTEGER(32,false))", -1), 4_294_967_295.0);
    assert_eq!(number_of::<Int32Type>("INT32 (UINT_32)", -1), 4_294_967_295.0);
    assert_eq!(number_of::<Int64Type>("INT64", i64::MIN), -9_223_372_036_854_775_808.0);
    assert_eq!(number_of::<Int64Type>("INT64 (INTEGER(64,false))", -1), 18_446_744_073_709_551_615.0);
    assert_eq!(number_of::<FloatType>("FLOAT", 0.5), 0.5);
    assert_eq!(number_of::<DoubleType>("DOUBLE", -1e300), -1e300);
    assert_eq!(number_of::<FixedLenByteArrayType>("FIXED_LEN_BYTE_ARRAY(2) (FLOAT16)", fixed(&[0, 0x3E])), 1.5);
}

#[test]
fn every_decimal_is_read() {
    assert_eq!(number_of::<Int32Type>("INT32 (DECIMAL(9,2))", -1250), -12.5);
    assert_eq!(number_of::<Int64Type>("INT64 (DECIMAL(18,4))", 12_345), 1.2345);
    assert_eq!(number_of::<ByteArrayType>("BYTE_ARRAY (DECIMAL(20,1))", ByteArray::from(vec![0xFF, 0x7F])), -12.9);
    assert_eq!(
        number_of::<FixedLenByteArrayType>("FIXED_LEN_BYTE_ARRAY(3) (DECIMAL(6,0))", fixed(&[1, 0, 0])),
        65_536.0
    );
}

#[test]
fn every_text_is_read() {
    assert_eq!(text_of::<ByteArrayType>("BYTE_ARRAY (UTF8)", "café".into()), "café");
    assert_eq!(text_of::<ByteArrayType>("BYTE_ARRAY (STRING)", "NA".into()), "NA");
    assert_eq!(text_of::<ByteArrayType>("BYTE_ARRAY (ENUM)", "".into()), "");
    assert_eq!(text_of::<ByteArrayType>("BYTE_ARRAY", "plain".into()), "plain");
    assert_eq!(text_of::<BoolType>("BOOLEAN", true), "true");
    let uuid: Vec<u8> = (0..16).collect();
    let text = text_of::<FixedLenByteArrayType>("FIXED_LEN_BYTE_ARRAY(16) (UUID)", fixed(&uuid));
    assert_eq!(text, "00010203-0405-0607-0809-0a0b0c0d0e0f");
}

#[test]
fn every_moment_is_read() {
    assert_eq!(text_of::<Int32Type>("INT32 (DATE)", 12_487), "2004-03-10");
    assert_eq!(text_of::<Int32Type>("INT32 (TIME(MILLIS,true))", 3_723_500), "01:02:03.5");
    assert_eq!(text_of::<Int64Type>("INT64 (TIME(MICROS,true))", 3_723_000_000), "01:02:03");
    let moment = "2004-03-10 18:00:00";
    assert_eq!(text_of::<Int64Type>("INT64 (TIMESTAMP(MILLIS,true))", 1_078_941_600_000), moment);
    assert_eq!(text_of::<Int64Type>("INT64 (TIMESTAMP(MICROS,false))", 1_078_941_600_000_000), moment);
    assert_eq!(text_of::<Int64Type>("INT64 (TIMESTAMP(NANOS,true))", 1_078_941_600_000_000_000), moment);
    assert_eq!(text_of::<Int64Type>("INT64 (TIMESTAMP_MILLIS)", 1_078_941_600_000), moment);
    let mut old = Int96::new();
    // 18 hours in nanoseconds, and the Julian day of 2004-03-10.
    let nanos = 18 * 3600 * 1_000_000_000u64;
    old.set_data(nanos as u32, (nanos >> 32) as u32, 2_440_588 + 12_487);
    assert_eq!(text_of::<Int96Type>("INT96", old), moment);
}

#[test]
fn hints_decide() {
    let read = |file: Vec<u8>, hint| Scratch::new("t.parquet", file).read(&hints(&[("x", hint)])).unwrap();
    let days = read(file_of::<Int32Type>("INT32 (DATE)", &[&[Some(12_487)]]), Hint::Number);
    assert_eq!(numbers(&days, "x"), [12_487.0]);
    let seconds = read(file_of::<Int64Type>("INT64 (TIMESTAMP(MILLIS,true))", &[&[Some(1500)]]), Hint::Number);
    assert_eq!(numbers(&seconds, "x"), [1.5]);
    let flags = read(file_of::<BoolType>("BOOLEAN", &[&[Some(true), Some(false), None]]), Hint::Number);
    assert_eq!(numbers(&flags, "x")[..2], [1.0, 0.0]);
    // Too large for an f64, and so kept apart only as text.
    let long = [Some(9_007_199_254_740_993), Some(9_007_199_254_740_992)];
    let ids = read(file_of::<Int64Type>("INT64", &[&long]), Hint::Text);
    assert_eq!(texts(&ids, "x"), [Some("9007199254740993"), Some("9007199254740992")]);
    let floats = read(file_of::<FloatType>("FLOAT", &[&[Some(0.1), Some(f32::NAN)]]), Hint::Text);
    assert_eq!(texts(&floats, "x"), [Some("0.1"), None]);
    let prices = read(file_of::<Int32Type>("INT32 (DECIMAL(9,2))", &[&[Some(-1250)]]), Hint::Text);
    assert_eq!(texts(&prices, "x"), [Some("-12.50")]);
    let words = file_of::<ByteArrayType>("BYTE_ARRAY (UTF8)", &[&[Some(" 7".into()), Some("NA".into()), None]]);
    assert_eq!(numbers(&read(words, Hint::Number), "x")[0], 7.0);
    let words = file_of::<ByteArrayType>("BYTE_ARRAY (UTF8)", &[&[Some("7".into()), Some("seven".into())]]);
    let error = Scratch::new("t.parquet", words).error(&hints(&[("x", Hint::Number)]));
    assert_eq!(error, "t.parquet row 2: column `x`: `seven` is not a number");
}

#[test]
fn listed_words_are_missing() {
    let file = file_of::<ByteArrayType>("BYTE_ARRAY (UTF8)", &[&[Some("?".into()), Some("a".into())]]);
    let options = dialect(Dialect { missing: Some(vec!["?".into()]), ..Dialect::default() });
    assert_eq!(texts(&Scratch::new("t.parquet", file).read(&options).unwrap(), "x"), [None, Some("a")]);
}

#[test]
fn nan_is_missing_with_a_note_and_infinity_an_error() {
    let table = read_of::<DoubleType>("DOUBLE", &[f64::NAN, 1.0, f64::NAN]);
    assert_eq!(numbers(&table, "x").iter().filter(|value| value.is_nan()).count(), 3);
    assert!(table.notes()[0].ends_with("2 values of column `x` read NaN and count as missing"), "{:?}", table.notes());
    let file = file_of::<DoubleType>("DOUBLE", &[&[Some(1.0)], &[None, Some(f64::NEG_INFINITY)]]);
    assert_eq!(error("t.parquet", file), "t.parquet row 3: column `x`: `-inf` is not a finite number");
}

/// Dictionary and plain pages, old and new page layouts, many row groups, nulls: all the same values.
#[test]
fn layouts_do_not_matter() {
    let values: Vec<Option<ByteArray>> = (0..20_000u32)
        .map(|row| (row % 7 != 3).then(|| format!("level {}", row * row % 911).as_str().into()))
        .collect();
    let groups: Vec<&[Option<ByteArray>]> = values.chunks(7000).collect();
    let mut tables = Vec::new();
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for dictionary in [true, false] {
            for compression in [
                Compression::UNCOMPRESSED,
                Compression::SNAPPY,
                Compression::LZ4_RAW,
                Compression::BROTLI(Default::default()),
            ] {
                let properties = WriterProperties::builder()
                    .set_writer_version(version)
                    .set_dictionary_enabled(dictionary)
                    .set_compression(compression)
                    .set_data_page_row_count_limit(1000)
                    .build();
                tables.push(table("t.parquet", file_with::<ByteArrayType>("BYTE_ARRAY (UTF8)", &groups, properties)));
            }
        }
    }
    let expected: Vec<Option<&str>> = values.iter().map(|v| v.as_ref().map(|v| v.as_utf8().unwrap())).collect();
    for table in &tables {
        assert_eq!(texts(table, "x"), expected);
    }
    assert!(tables[0].place(7000).to_string().ends_with("row 7001"));
}

/// A file whose stored columns all have these definition and repetition levels, and values where they are deepest.
fn file_of_levels<T: DataType>(schema: &str, levels: [&[i16]; 2], values: &[T::T]) -> Vec<u8> {
    let schema = parse_message_type(schema).unwrap();
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    while let Some(mut column) = group.next_column().unwrap() {
        column.typed::<T>().write_batch(values, Some(levels[0]), Some(levels[1])).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    file
}

fn lists(table: &Table, name: &str) -> Vec<Option<Vec<Option<String>>>> {
    let Values::List(list) = &table.find(name).unwrap().values else { panic!("no lists") };
    let row = |row| Some(list.get(row)?.map(|item| item.map(str::to_owned)).collect());
    (0..table.rows()).map(row).collect()
}

#[test]
fn lists_are_those_of_json_lines() {
    let schema =
        "message m { OPTIONAL group x (LIST) { REPEATED group list { OPTIONAL BYTE_ARRAY element (UTF8); } } }";
    let words =
        file_of_levels::<ByteArrayType>(schema, [&[3, 2, 0, 1, 3], &[0, 1, 0, 0, 0]], &["a b".into(), "c".into()]);
    let json = "{\"x\": [\"a b\", null]}\n{\"x\": null}\n{\"x\": []}\n{\"x\": [\"c\"]}\n";
    assert_eq!(lists(&table("t.parquet", words), "x"), lists(&table("t.jsonl", json), "x"));
    let one = |item: &str| Some(item.to_owned());
    let expected = [Some(vec![one("1"), one("-2")]), Some(vec![]), Some(vec![one("3")])];
    let levels: [&[i16]; 2] = [&[1, 1, 0, 1], &[0, 1, 0, 0]];
    let repeated = file_of_levels::<Int32Type>("message m { REPEATED INT32 x; }", levels, &[1, -2, 3]);
    assert_eq!(lists(&table("t.parquet", repeated), "x"), expected);
    let old = "message m { OPTIONAL group x (LIST) { REPEATED INT64 array; } }";
    let old = file_of_levels::<Int64Type>(old, [&[2, 2, 1, 2], &[0, 1, 0, 0]], &[1, -2, 3]);
    assert_eq!(lists(&table("t.parquet", old), "x"), expected);
    let floats = "message m { REQUIRED group x (LIST) { REPEATED group list { REQUIRED DOUBLE element; } } }";
    let floats = file_of_levels::<DoubleType>(floats, [&[1, 1, 0, 1], &[0, 1, 0, 0]], &[3.0, f64::NAN, 0.5]);
    let expected = [Some(vec![one("3"), None]), Some(vec![]), Some(vec![one("0.5")])];
    assert_eq!(lists(&table("t.parquet", floats), "x"), expected);
}

#[test]
fn columns_that_fit_no_table_stop_those_who_need_them() {
    let fits = "a table holds numbers, texts and booleans";
    let nested = "nested (a map, a struct, or lists of such)";
    for field in [
        "REQUIRED group m { REQUIRED INT32 u; REQUIRED INT32 v; }",
        "REPEATED group m { REQUIRED INT32 u; REQUIRED INT32 v; }",
    ] {
        let file =
            file_of_levels::<Int32Type>(&format!("message m {{ REQUIRED INT32 a; {field} }}"), [&[1], &[0]], &[7]);
        let scratch = Scratch::new("t.parquet", file);
        let table = scratch.read(&ReadOptions::default()).unwrap();
        assert_eq!((names(&table), numbers(&table, "a")), (vec!["a"], [7.0].as_slice()));
        let error = table.find("m").map(|_| ()).unwrap_err();
        assert!(error.to_string().ends_with(&format!("t.parquet: column `m` is {nested}; {fits}")), "{error}");
        assert_eq!(table.faults().map(|(name, _)| name).collect::<Vec<_>>(), ["m"]);
        assert!(table.require(["a", "m"].into_iter()).is_err() && table.require(["a", "z"].into_iter()).is_ok());
        let options = ReadOptions { omit: ["m".to_owned()].into(), ..ReadOptions::default() };
        assert_eq!(scratch.read(&options).unwrap().faults().count(), 0);
    }
    let span = error(
        "t.parquet",
        file_of::<FixedLenByteArrayType>("FIXED_LEN_BYTE_ARRAY(12) (INTERVAL)", &[&[Some(fixed(&[0; 12]))]]),
    );
    assert!(span.starts_with("t.parquet: column `x` is ") && span.ends_with(fits), "{span}");
    let bytes = error("t.parquet", file_of::<ByteArrayType>("BYTE_ARRAY", &[&[Some(ByteArray::from(vec![0xFF]))]]));
    assert!(bytes.starts_with("t.parquet: column `x` is of bytes that are no text"), "{bytes}");
    let empty = |schema: &str| {
        let schema = parse_message_type(schema).unwrap();
        let mut file = Vec::new();
        SerializedFileWriter::new(&mut file, Arc::new(schema), Default::default()).unwrap().close().unwrap();
        error("t.parquet", file)
    };
    assert_eq!(empty("message m { REQUIRED INT32 a; }"), "t.parquet names its columns but has no rows");
    let twice = "message m { REQUIRED INT32 a; REQUIRED INT32 a; }";
    let twice = error("t.parquet", file_of_levels::<Int32Type>(twice, [&[1], &[0]], &[7]));
    assert_eq!(twice, "t.parquet: two columns are called `a` (numbers 1 and 2)");
}

#[test]
fn files_that_unpack_to_too_much_are_refused() {
    let rows = vec![Some(1); 300_000];
    let file = file_of::<Int32Type>("INT32", &[&rows]);
    let small = ReadOptions { max_unpacked: Some(1 << 20), ..ReadOptions::default() };
    let error = Scratch::new("t.parquet", &file).error(&small);
    assert!(error.ends_with("unpacks to more than 1048576, which is refused"), "{error}");
    assert_eq!(table("t.parquet", file).rows(), 300_000);
}

#[test]
fn a_file_packed_once_more_is_read() {
    let file = file_of::<Int32Type>("INT32", &[&[Some(5)]]);
    assert_eq!(numbers(&table("t.parquet.gz", gzip(&file)), "x"), [5.0]);
}

#[test]
fn damaged_files_are_errors_and_no_more() {
    let values: Vec<Option<ByteArray>> =
        (0..60).map(|row| (row % 5 != 0).then(|| ["a", "bc", ""][row % 3].into())).collect();
    let file = file_of::<ByteArrayType>("BYTE_ARRAY (UTF8)", &[&values]);
    assert_eq!(table("t.parquet", &file).rows(), 60);
    for cut in 4..file.len() {
        let error = error("t.parquet", &file[..cut]);
        assert!(error.starts_with("t.parquet is damaged: Parquet: "), "{error}");
    }
    assert!(error("t.parquet", b"a,b\n1,2\n").starts_with("t.parquet is damaged: Parquet: "));
    for at in 4..file.len() {
        for flip in [0x01, 0x10, 0x80, 0xFF] {
            let mut file = file.clone();
            file[at] ^= flip;
            // A flipped byte may well be a value: only that it comes back.
            let _ = Scratch::new("t.parquet", file).read(&ReadOptions::default());
        }
    }
}
