//! `polytask serve`, driven as clients do.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../common/mod.rs"]
mod common;

mod client;
mod formats;
mod limits;
mod problems;
mod running;
mod wishes;

use common::{CONFIG, Folder, table};

/// A folder with a model of [`table`] in `model`.
fn trained() -> Folder {
    let folder = Folder::with(CONFIG, &table(200));
    folder.works("train config.toml");
    folder
}

/// The rows of [`table`] as JSON objects, without labels.
fn objects(rows: usize) -> Vec<String> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        format!(r#"{{"x": {}, "z": {}, "color": "{}"}}"#, cells[0], cells[1], cells[2])
    };
    table(rows).lines().skip(1).map(row).collect()
}
