//! The bytes of a file, unpacked where it is gzip or zstd.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::DataError;
use crate::read::limit::Limit;

/// The path that stands for standard input.
pub(super) const STDIN: &str = "-";

/// Reads the whole file; `file` is its name in errors, `allowed` the bytes it may unpack to.
pub(super) fn load(path: &Path, file: &str, allowed: Option<u64>) -> Result<Vec<u8>, DataError> {
    let io = |error| DataError::io(file, error);
    let mut bytes = Vec::new();
    if path == Path::new(STDIN) {
        std::io::stdin().lock().read_to_end(&mut bytes).map_err(io)?;
    } else {
        let mut source = File::open(path).map_err(io)?;
        let metadata = source.metadata().map_err(io)?;
        if metadata.is_dir() {
            return Err(DataError::IsDirectory { file: file.to_owned() });
        }
        bytes.reserve(metadata.len() as usize);
        source.read_to_end(&mut bytes).map_err(io)?;
    }
    let limit = Limit::new(bytes.len(), allowed);
    let corrupt = |format| {
        move |error: std::io::Error| {
            let message = match error.kind() {
                std::io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
                _ => error.to_string(),
            };
            DataError::Corrupt { file: file.to_owned(), format, message }
        }
    };
    let unpacked = match bytes.as_slice() {
        [] => return Err(DataError::Empty { file: file.to_owned() }),
        // All members of a gzip file, as `cat a.gz b.gz` makes them.
        [0x1F, 0x8B, ..] => limit.read(file, flate2::read::MultiGzDecoder::new(bytes.as_slice()), corrupt("gzip"))?,
        [0x28, 0xB5, 0x2F, 0xFD, ..] => {
            let decoder = zstd::Decoder::new(bytes.as_slice()).map_err(corrupt("zstd"))?;
            limit.read(file, decoder, corrupt("zstd"))?
        }
        _ => return Ok(bytes),
    };
    if unpacked.is_empty() {
        return Err(DataError::Empty { file: file.to_owned() });
    }
    Ok(unpacked)
}
