//! Sentences and their tags, and how they are written.

use crate::common::Noise;
use crate::write::{File, one_of, packed};
use arrow_array::builder::{LargeListBuilder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};
use arrow_ipc::{CompressionType, MetadataVersion};
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::sync::Arc;

/// One list a row, none where it is missing.
type Lists = Vec<Option<Vec<&'static str>>>;
/// A column.
type Named = (&'static str, Lists);

/// `tokens`, their `tags`, and `topics`, several or none a row, missing in a few.
pub fn columns(rows: usize) -> Vec<Named> {
    let mut noise = Noise(23);
    let words = ["go", "to", "Oslo", "São Paulo", "🙂", "\"now\"", "26,000"];
    let tokens: Lists =
        (0..rows).map(|row| Some((0..2 + row % 4).map(|_| one_of(&mut noise, &words)).collect())).collect();
    let tag = |word: &&str| if ["Oslo", "São Paulo"].contains(word) { "B-city" } else { "O" };
    let tags = tokens.iter().map(|words| words.as_ref().map(|words| words.iter().map(tag).collect())).collect();
    let all: [Option<&[&str]>; 4] = [None, Some(&[]), Some(&["a"]), Some(&["b, c", "a"])];
    let topics = (0..rows).map(|_| one_of(&mut noise, &all).map(<[_]>::to_vec));
    vec![("tokens", tokens), ("tags", tags), ("topics", topics.collect())]
}

/// JSON, an object a line or in one list.
pub fn json(columns: &[Named], noise: &mut Noise) -> File {
    let between = one_of(noise, &[",", ", "]);
    let list = |items: &Vec<&str>| {
        let items: Vec<String> = items.iter().map(|item| serde_json::to_string(item).unwrap()).collect();
        format!("[{}]", items.join(between))
    };
    let row = |row: usize| {
        let cells = columns
            .iter()
            .map(|(name, lists)| format!("\"{name}\":{}", lists[row].as_ref().map_or("null".to_owned(), &list)));
        format!("{{{}}}", cells.collect::<Vec<_>>().join(between))
    };
    let rows: Vec<String> = (0..columns[0].1.len()).map(row).collect();
    match one_of(noise, &["t.jsonl", "t.json"]) {
        "t.json" => packed("t.json", format!("[\n{}\n]", rows.join(",\n")).into_bytes(), noise),
        name => packed(name, (rows.join("\n") + "\n").into_bytes(), noise),
    }
}

/// Arrow lists with offsets of four or eight bytes.
pub fn arrow(columns: &[Named], noise: &mut Noise) -> File {
    macro_rules! array {
        ($builder:ident, $lists:expr) => {{
            let mut builder = $builder::new(StringBuilder::new());
            for list in $lists {
                list.iter().flatten().for_each(|item| builder.values().append_value(item));
                builder.append(list.is_some());
            }
            Arc::new(builder.finish()) as ArrayRef
        }};
    }
    let large = noise.next() < 0.5;
    let of = |lists: &Lists| if large { array!(LargeListBuilder, lists) } else { array!(ListBuilder, lists) };
    let arrays = columns.iter().map(|(name, lists)| (*name, of(lists), true));
    let batch = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
    let options = IpcWriteOptions::try_new(64, false, MetadataVersion::V5).unwrap();
    let compression = one_of(noise, &[None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)]);
    let options = options.try_with_compression(compression).unwrap();
    let mut writer = FileWriter::try_new_with_options(Vec::new(), &batch.schema(), options).unwrap();
    let half = batch.num_rows() / 2;
    writer.write(&batch.slice(0, half)).unwrap();
    writer.write(&batch.slice(half, batch.num_rows() - half)).unwrap();
    writer.finish().unwrap();
    ("t.feather".to_owned(), writer.into_inner().unwrap())
}

/// Parquet lists as the format has them, and as older programs wrote them.
pub fn parquet(columns: &[Named], noise: &mut Noise) -> File {
    let old = noise.next() < 0.5;
    let inside = match old {
        true => "REPEATED BYTE_ARRAY array (UTF8);",
        false => "REPEATED group list { OPTIONAL BYTE_ARRAY element (UTF8); }",
    };
    let field = |(name, _): &Named| format!("OPTIONAL group {name} (LIST) {{ {inside} }} ");
    let fields: String = columns.iter().map(field).collect();
    let schema = parse_message_type(&format!("message m {{ {fields} }}")).unwrap();
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), Default::default()).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for (_, lists) in columns {
        let (mut values, mut levels, mut repeated) = (Vec::new(), Vec::new(), Vec::new());
        for list in lists {
            match list.as_deref() {
                None | Some([]) => {
                    levels.push(i16::from(list.is_some()));
                    repeated.push(0);
                }
                Some(items) => items.iter().enumerate().for_each(|(at, item)| {
                    values.push(ByteArray::from(*item));
                    levels.push(if old { 2 } else { 3 });
                    repeated.push(i16::from(at > 0));
                }),
            }
        }
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, Some(&levels), Some(&repeated)).unwrap();
        column.close().unwrap();
    }
    group.close().unwrap();
    writer.close().unwrap();
    ("t.parquet".to_owned(), file)
}
