//! The bytes of a file, unpacked where it is gzip or zstd.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::DataError;

/// Reads the whole file; `file` is its name in errors.
pub(super) fn load(path: &Path, file: &str) -> Result<Vec<u8>, DataError> {
    let io = |error| DataError::io(file, error);
    let mut source = File::open(path).map_err(io)?;
    let metadata = source.metadata().map_err(io)?;
    if metadata.is_dir() {
        return Err(DataError::IsDirectory { file: file.to_owned() });
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    source.read_to_end(&mut bytes).map_err(io)?;
    let (format, unpacked) = match bytes.as_slice() {
        [] => return Err(DataError::Empty { file: file.to_owned() }),
        [0x1F, 0x8B, ..] => ("gzip", gzip(&bytes)),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => ("zstd", zstd::decode_all(bytes.as_slice())),
        _ => return Ok(bytes),
    };
    let corrupt = |error: std::io::Error| {
        let message = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
            _ => error.to_string(),
        };
        DataError::Corrupt { file: file.to_owned(), format, message }
    };
    let unpacked = unpacked.map_err(corrupt)?;
    if unpacked.is_empty() {
        return Err(DataError::Empty { file: file.to_owned() });
    }
    Ok(unpacked)
}

/// All members of a gzip file, as `cat a.gz b.gz` makes them.
fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut unpacked = Vec::with_capacity(bytes.len() * 4);
    flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}
