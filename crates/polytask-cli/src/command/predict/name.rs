//! What the name of a file says of what is in it.

use super::Layout;
use crate::failure::Failure;
use std::io::{Result, Write};
use std::path::Path;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    /// The content as the file has it.
    pub fn pack(self, content: Vec<u8>) -> Result<Vec<u8>> {
        match self {
            Packing::None => Ok(content),
            Packing::Gzip => {
                let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                packed.write_all(&content)?;
                packed.finish()
            }
            Packing::Zstd => zstd::encode_all(content.as_slice(), zstd::DEFAULT_COMPRESSION_LEVEL),
        }
    }
}

impl Packing {
    /// The same of what is written bit by bit.
    pub fn through(
        self,
        out: &mut dyn Write,
        failed: &dyn Fn(std::io::Error) -> Failure,
        fill: impl FnOnce(&mut dyn Write) -> std::result::Result<(), Failure>,
    ) -> std::result::Result<(), Failure> {
        match self {
            Packing::None => fill(out),
            Packing::Gzip => {
                let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::default());
                fill(&mut packed)?;
                packed.finish().map(drop).map_err(failed)
            }
            Packing::Zstd => {
                let mut packed = zstd::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL).map_err(failed)?;
                fill(&mut packed)?;
                packed.finish().map(drop).map_err(failed)
            }
        }
    }
}

/// Endings of formats that tables are read from and predictions are not written in, and of packings that are not known.
const OTHERS: [&str; 17] = [
    "tsv", "tab", "json", "parquet", "pq", "arrow", "arrows", "feather", "ipc", "xlsx", "xls", "conllu", "conll",
    "bz2", "xz", "zip", "png",
];

/// The layout that a file's name asks for, if any, and how it is compressed.
pub fn of(path: &Path) -> std::result::Result<(Option<Layout>, Packing), Failure> {
    let ending = |path: &Path| path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    let last = ending(path);
    let packing = match last.as_deref() {
        Some("gz") => Packing::Gzip,
        Some("zst" | "zstd") => Packing::Zstd,
        Some(_) | None => Packing::None,
    };
    let inner = if packing == Packing::None { last } else { ending(&path.with_extension("")) };
    match inner.as_deref() {
        Some("csv") => Ok((Some(Layout::Csv), packing)),
        Some("jsonl" | "ndjson") => Ok((Some(Layout::Jsonl), packing)),
        Some(other) if OTHERS.contains(&other) => {
            Err(Failure::Ending { path: path.to_owned(), ending: format!(".{other}") })
        }
        Some(_) | None => Ok((None, packing)),
    }
}
