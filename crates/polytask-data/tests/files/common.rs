//! Files for tests.
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use polytask_data::{Column, DataError, Dialect, Hint, ReadOptions, Table, Values, read};
use tempfile::TempDir;

/// A file of its own directory, gone when dropped.
pub struct Scratch {
    directory: TempDir,
    name: String,
}

impl Scratch {
    pub fn new(name: &str, content: impl AsRef<[u8]>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(name), content).unwrap();
        Self { directory, name: name.to_owned() }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join(&self.name)
    }

    pub fn read(&self, options: &ReadOptions) -> Result<Table, DataError> {
        read(&self.path(), options)
    }

    /// The text of the error, or of what is wrong with columns, the directory left out.
    pub fn error(&self, options: &ReadOptions) -> String {
        let error = self.read(options).and_then(Table::into_columns).map(|_| ()).unwrap_err();
        error.to_string().replace(&format!("{}/", self.directory.path().display()), "")
    }
}

pub fn table(name: &str, content: impl AsRef<[u8]>) -> Table {
    Scratch::new(name, content).read(&ReadOptions::default()).unwrap()
}

pub fn error(name: &str, content: impl AsRef<[u8]>) -> String {
    Scratch::new(name, content).error(&ReadOptions::default())
}

pub fn dialect(dialect: Dialect) -> ReadOptions {
    ReadOptions { dialect, ..ReadOptions::default() }
}

pub fn hints(hints: &[(&str, Hint)]) -> ReadOptions {
    let hints: BTreeMap<String, Hint> = hints.iter().map(|(name, hint)| ((*name).to_owned(), *hint)).collect();
    ReadOptions { hints, ..ReadOptions::default() }
}

pub fn numbers<'a>(table: &'a Table, name: &str) -> &'a [f64] {
    match &table.find(name).unwrap().values {
        Values::Number(values) => values,
        other => panic!("`{name}` is no column of numbers: {other:?}"),
    }
}

pub fn texts<'a>(table: &'a Table, name: &str) -> Vec<Option<&'a str>> {
    match &table.find(name).unwrap().values {
        Values::Text(text) => (0..table.rows()).map(|row| text.get(row)).collect(),
        other => panic!("`{name}` is no text: {other:?}"),
    }
}

pub fn names(table: &Table) -> Vec<&str> {
    table.columns().iter().map(|column: &Column| column.name.as_str()).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 0).unwrap()
}

/// The folder of the real data sets, none where it is not there.
pub fn real_data() -> Option<PathBuf> {
    let folder = match std::env::var_os("POLYTASK_DATA") {
        Some(folder) => PathBuf::from(folder),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    if !folder.is_dir() {
        eprintln!("skipped: no data sets in {}", folder.display());
        return None;
    }
    Some(folder)
}
