//! What fuzz targets, and the test over their corpus, feed with bytes: every way in for a file or a body of somebody else. What
//! is wrong is answered with an error, which is dropped here; a panic, an abort or a hang is a find.

use bytes::Bytes;
use polytask::config::Config;
use polytask::data::image::{ImageShape, Mask};
use polytask::data::source::Source;
use polytask::data::{BytesFormat, Column, Dialect, Fit, ReadOptions, Table, read, read_bytes};
use polytask::inspect::{Survey, candidates};
use polytask::model::Model;
use polytask::prelude::{Experiment, TaskKind};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Cells of a table and pixels of an image at most: what takes longer is no find.
const CELLS: usize = 200_000;
const PIXELS: u64 = 1 << 20;

/// A config in TOML.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // What is good can be written, and read again.
    if let Ok(config) = Config::from_toml(text, "config.toml")
        && let Ok(text) = config.to_toml()
    {
        assert!(Config::from_toml(&text, "config.toml").is_ok(), "{text}");
    }
}

/// A file of delimited lines.
pub fn delimited(bytes: &[u8]) {
    in_memory(bytes, BytesFormat::Delimited);
}

/// A file of JSON lines.
pub fn jsonl(bytes: &[u8]) {
    in_memory(bytes, BytesFormat::JsonLines);
}

/// A stream or a file of Arrow.
pub fn arrow(bytes: &[u8]) {
    in_memory(bytes, BytesFormat::Arrow);
}

/// A file of sentences in columns: CoNLL-U and its kin.
pub fn sentences(bytes: &[u8]) {
    as_file(bytes, "data.conllu");
    as_file(bytes, "data.conll");
}

/// A file of Parquet.
pub fn parquet(bytes: &[u8]) {
    as_file(bytes, "data.parquet");
}

/// A picture, or a mask.
pub fn image(bytes: &[u8]) {
    let source = Source::Bytes(Bytes::copy_from_slice(bytes));
    drop(source.look(PIXELS));
    let shape = ImageShape { height: 5, width: 7, channels: 3 };
    let mut pixels = vec![0; shape.len()];
    drop(source.decode((shape, Fit::Crop), PIXELS, &mut pixels));
    source.has_more();
    if let Ok(Some(mask)) = source.mask(PIXELS) {
        let Mask { height, width, .. } = source.turn(mask, PIXELS);
        assert!((height as u64) * (width as u64) <= PIXELS);
    }
}

/// A model: the length of `model.json` in four bytes, `model.json`, `model.safetensors`. The checksums are made right, so that
/// what is behind them is met.
pub fn model(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<4>() else { return };
    let (text, tensors) = rest.split_at(rest.len().min(u32::from_le_bytes(*length) as usize));
    let Ok(mut file) = serde_json::from_slice::<serde_json::Value>(text) else { return };
    let Some(inner) = file.get("model").map(ToString::to_string) else { return };
    if let Some(checksum) = file.get_mut("checksum") {
        *checksum = serde_json::json!({
            "model": crc32fast::hash(inner.as_bytes()),
            "tensors": crc32fast::hash(tensors),
        });
    }
    let text = file.to_string();
    let Ok(model) = Model::decode(Path::new("model.json"), &text, || Ok(tensors.to_vec())) else { return };
    let names: Vec<&str> = model.encoder.inputs.iter().map(|input| input.column.as_str()).collect();
    let columns = names.iter().map(|name| Column::text(*name, [Some("1"), Some("a b"), None])).collect();
    if let Ok(table) = Table::from_columns(columns) {
        drop(model.predict(&table));
    }
}

/// The body of a request: a byte that says which kind it is, and the body.
pub fn request(bytes: &[u8]) {
    const KINDS: [&str; 5] = [
        "application/json",
        "text/csv",
        "application/x-ndjson",
        "application/vnd.apache.arrow.stream",
        "multipart/form-data; boundary=b",
    ];
    let Some((kind, body)) = bytes.split_first() else { return };
    let kind = KINDS[usize::from(*kind) % KINDS.len()];
    drop(polytask_serve::answer(served(), kind, Bytes::copy_from_slice(body)));
}

/// A model of a number, a category and a text.
fn served() -> &'static Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    MODEL.get_or_init(|| {
        let rows = 0..60u32;
        let word = |i: u32| ["red", "green", "blue"][i as usize % 3];
        let says: Vec<String> = rows.clone().map(|i| format!("go to {} now {i}", word(i / 2))).collect();
        let columns = vec![
            Column::number("x", rows.clone().map(f64::from).collect()),
            Column::text("color", rows.clone().map(|i| Some(word(i)))),
            Column::text("says", says.iter().map(|text| Some(text.as_str()))),
            Column::number("size", rows.clone().map(|i| f64::from(i % 7)).collect()),
            Column::text("kind", rows.clone().map(|i| Some(["a", "b"][i as usize % 2]))),
        ];
        let table = Table::from_columns(columns).unwrap_or_else(|error| panic!("{error}"));
        let experiment =
            Experiment::from_table(table).task("size", TaskKind::Regression).task("kind", TaskKind::Binary);
        let run = experiment.with(|config| config.train.epochs = Some(1)).fit(&mut ());
        Arc::new(run.unwrap_or_else(|error| panic!("{error}")).into_model())
    })
}

fn options() -> ReadOptions {
    ReadOptions { max_cells: Some(CELLS), dialect: Dialect::default(), ..ReadOptions::default() }
}

fn in_memory(bytes: &[u8], format: BytesFormat) {
    if let Ok(table) = read_bytes("data", bytes.to_vec(), format, &options()) {
        surveyed(&table);
    }
}

fn as_file(bytes: &[u8], name: &str) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join(name);
    if std::fs::write(&path, bytes).is_ok()
        && let Ok(table) = read(&path, &options())
    {
        surveyed(&table);
    }
}

/// What `init` and `inspect` look at.
fn surveyed(table: &Table) {
    let survey = Survey::of(table);
    drop(candidates(table, &survey));
    for column in table.columns() {
        (0..table.rows().min(20)).for_each(|row| drop(column.shown(row)));
    }
}
