//! How much a file may unpack to.

use std::io::Read;

use crate::error::DataError;

/// What unpacks to less hurts nobody, however small it was.
const HARMLESS: u64 = 256 << 20;
/// Times its size that a file unpacks to, where it is no trap.
const RATIO: u64 = 200;
/// Bytes at most unless more are allowed.
const MOST: u64 = 8 << 30;

/// How many bytes a file of some size may unpack to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    packed: u64,
    bytes: u64,
}

impl Limit {
    /// Of a file of `packed` bytes; `allowed` is what its reader says.
    pub(crate) fn new(packed: usize, allowed: Option<u64>) -> Self {
        let packed = packed as u64;
        let usual = (packed.saturating_mul(RATIO)).clamp(HARMLESS, MOST);
        Self { packed, bytes: allowed.unwrap_or(usual) }
    }

    /// Refuses what would unpack to more.
    pub(crate) fn check(self, file: &str, bytes: u64) -> Result<(), DataError> {
        match bytes > self.bytes {
            true => Err(self.exceeded(file)),
            false => Ok(()),
        }
    }

    fn exceeded(self, file: &str) -> DataError {
        DataError::Bomb { file: file.to_owned(), packed: self.packed, limit: self.bytes }
    }

    /// Reads all that a decoder gives; `failed` makes its errors.
    pub(crate) fn read(
        self,
        file: &str,
        decoder: impl Read,
        failed: impl FnOnce(std::io::Error) -> DataError,
    ) -> Result<Vec<u8>, DataError> {
        let mut unpacked = Vec::new();
        decoder.take(self.bytes.saturating_add(1)).read_to_end(&mut unpacked).map_err(failed)?;
        self.check(file, unpacked.len() as u64).map(|()| unpacked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_may_be_packed_well_and_large_ones_less() {
        let most = |packed, allowed| Limit::new(packed, allowed).bytes;
        assert_eq!([most(10, None), most(10 << 20, None), most(1 << 30, None)], [256 << 20, 2000 << 20, 8 << 30]);
        assert_eq!(most(1 << 30, Some(5)), 5);
        assert!(Limit::new(10, Some(5)).check("f", 5).is_ok() && Limit::new(10, Some(5)).check("f", 6).is_err());
    }
}
