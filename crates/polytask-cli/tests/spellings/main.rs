//! A table is the same however it is written: in each format, each spelling of its values, each order of its columns, packed
//! or not, it makes the same model to its last bit, and a model predicts the same of it.

#![allow(clippy::unwrap_used, clippy::unreachable, reason = "helpers of tests")]

#[path = "../common/mod.rs"]
mod common;
mod lists;
mod table;
mod typed;
mod write;

use common::{Folder, Noise};
use table::Column;

/// Rows of the table.
const ROWS: usize = 80;
/// Spellings in each format.
const DRAWS: u64 = 12;

const TASKS: &str = "[tasks.y]\nkind = \"regression\"\n[tasks.b]\n[tasks.k]\nkind = \"category\"\n[tasks.w]\n\
                     [model]\ntrunk = [6]\n[train]\nepochs = 2\nbatch = 16\n";
const DATA: &str = "[data]\npath = \"t.csv\"\nignore = [\"id\"]\nsplit = { valid = 0.2, test = 0.2, group = \"id\" }\n";
const INPUTS: &str = "[inputs]\nx = \"number\"\nn = \"number\"\nplace = \"category\"\ncode = \"category\"\nopen = \"boolean\"\n\
                      day = \"date\"\n";

/// A way to write a table.
type Format = fn(&[Column], &mut Noise) -> write::File;
const FORMATS: [Format; 4] = [write::csv, write::json, typed::arrow, typed::parquet];

/// Weights of the model that a file makes, and what the first model predicts of the file.
fn outcome(folder: &Folder, (name, bytes): &write::File, config: &str) -> (Vec<u8>, String) {
    folder.write(name, bytes);
    folder.works(&format!("train {config} --out m --set data.path=\"{name}\""));
    let weights = folder.bytes("m/model.safetensors");
    if !folder.path("first").exists() {
        std::fs::rename(folder.path("m"), folder.path("first")).unwrap();
    } else {
        std::fs::remove_dir_all(folder.path("m")).unwrap();
    }
    (weights, folder.works(&format!("predict first --data {name} --probabilities")).out)
}

/// Writes a table in every way and compares.
fn alike<T>(config: &str, formats: &[fn(&[T], &mut Noise) -> write::File], table: impl Fn(&mut Noise) -> Vec<T>) {
    let folder = Folder::new();
    folder.write("config.toml", config);
    let mut first = None;
    for seed in 0..DRAWS {
        for (at, format) in formats.iter().enumerate() {
            let mut noise = Noise(1000 * seed + at as u64);
            let file = format(&table(&mut noise), &mut noise);
            let found = outcome(&folder, &file, "config.toml");
            let (weights, predicted) = first.get_or_insert_with(|| found.clone());
            assert_eq!(found.1, *predicted, "predictions of {} {at} {seed}", file.0);
            assert!(found.0 == *weights, "weights from {} {at} {seed}", file.0);
        }
    }
}

#[test]
fn declared_inputs_in_any_order() {
    let columns = table::columns(ROWS);
    alike(&format!("{DATA}{INPUTS}{TASKS}"), &FORMATS, |noise| table::shuffled(&columns, noise));
}

#[test]
fn inputs_that_are_found_out() {
    let columns = table::columns(ROWS);
    alike(&format!("{DATA}{TASKS}"), &FORMATS, |_| columns.clone());
}

#[test]
fn lists() {
    let columns = lists::columns(ROWS);
    let config = "[data]\npath = \"t.jsonl\"\n[tasks.tags]\nkind = \"tags\"\n[tasks.topics]\nkind = \"multilabel\"\n[train]\nepochs = 1\nbatch = 16\n";
    let formats: [fn(&[_], &mut Noise) -> _; 3] = [lists::json, lists::arrow, lists::parquet];
    alike(config, &formats, |_| columns.clone());
}
