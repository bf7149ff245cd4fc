//! Where the image of a row is.

use crate::column::Values;
use crate::error::DataError;
use crate::image::{Fit, ImageProblem, ImageShape, Look, Mask, Pixels, convert, decode, has_more, look, turn};
use crate::table::Table;
use bytes::Bytes;
use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};

/// Where the image of a row is.
#[derive(Clone, Debug)]
pub enum Source {
    /// Nowhere.
    Missing,
    /// In a file of its own.
    File(PathBuf),
    /// In a file held in memory.
    Bytes(Bytes),
    /// Unpacked: a row of some pixels.
    Pixels(Pixels, usize),
}

/// Where the images of a column are. Paths are relative to [`Table::folder`] of their row.
///
/// # Errors
/// No such column, or one of numbers.
pub fn sources(table: &Table, column: &str) -> Result<Vec<Source>, DataError> {
    let column = table.find(column)?;
    let rows = 0..table.rows();
    Ok(match &column.values {
        Values::Images(super::Images::Pixels(pixels)) => rows.map(|row| Source::Pixels(pixels.clone(), row)).collect(),
        Values::Images(super::Images::Files(files)) => {
            files.iter().map(|file| file.clone().map_or(Source::Missing, Source::Bytes)).collect()
        }
        Values::Text(text) => {
            let source = |row: usize| match text.get(row) {
                None => Source::Missing,
                Some(path) => Source::File(table.folder(row).join(path)),
            };
            rows.map(source).collect()
        }
        _ => return Err(DataError::NotImages { column: column.name.clone(), kind: column.kind() }),
    })
}

impl Source {
    /// The image with a shape. A missing one leaves `into` as it is.
    ///
    /// # Errors
    /// Not there, empty, of an unknown format, damaged, or larger than `max_pixels`.
    ///
    /// # Panics
    /// If `into` does not have `shape.len()` bytes.
    pub fn decode(&self, shape: (ImageShape, Fit), max_pixels: u64, into: &mut [u8]) -> Result<(), ImageProblem> {
        match self {
            Self::Missing => Ok(()),
            Self::File(path) => decode(open(path)?, shape, max_pixels, into),
            Self::Bytes(bytes) => decode(Cursor::new(bytes), shape, max_pixels, into),
            Self::Pixels(pixels, row) => {
                if let Some(image) = pixels.image(*row) {
                    convert(image, pixels.shape(), shape, into);
                }
                Ok(())
            }
        }
    }

    /// What its header says; nothing of a missing image.
    ///
    /// # Errors
    /// As for [`decode`](Self::decode), as far as the header tells.
    pub fn look(&self, max_pixels: u64) -> Result<Option<Look>, ImageProblem> {
        match self {
            Self::Missing => Ok(None),
            Self::File(path) => look(open(path)?, max_pixels).map(Some),
            Self::Bytes(bytes) => look(Cursor::new(bytes), max_pixels).map(Some),
            Self::Pixels(pixels, _) => {
                let ImageShape { height, width, channels } = pixels.shape();
                Ok(Some(Look { height, width, color: channels > 1 }))
            }
        }
    }

    /// The image as a mask, see [`Mask::read`]; none where it is missing.
    ///
    /// # Errors
    /// Not there, empty, no PNG of greys or with a palette, damaged, or larger than `max_pixels`.
    pub fn mask(&self, max_pixels: u64) -> Result<Option<Mask>, ImageProblem> {
        match self {
            Self::Missing => Ok(None),
            Self::File(path) => Mask::read(open(path)?, max_pixels).map(Some),
            Self::Bytes(bytes) => Mask::read(Cursor::new(bytes), max_pixels).map(Some),
            Self::Pixels(pixels, row) => {
                let ImageShape { height, width, channels } = pixels.shape();
                let values = pixels.image(*row).map(|image| image.iter().map(|value| u16::from(*value)).collect());
                match channels {
                    1 => Ok(values.map(|values| Mask { height, width, values })),
                    _ => Err(ImageProblem::NoMask("it has colours")),
                }
            }
        }
    }

    /// A mask of this image, turned as the image is when it is shown.
    pub fn turn(&self, mask: Mask, max_pixels: u64) -> Mask {
        let turn = match self {
            Self::File(path) => open(path).ok().and_then(|file| turn(file, max_pixels)),
            Self::Bytes(bytes) => turn(Cursor::new(bytes), max_pixels),
            Self::Missing | Self::Pixels(..) => None,
        };
        match turn {
            Some(turn) => turn.of(mask),
            None => mask,
        }
    }

    /// Whether its file holds more pictures than the first, which alone is read.
    pub fn has_more(&self) -> bool {
        let told = match self {
            Self::File(path) => open(path).ok().map(has_more),
            Self::Bytes(bytes) => Some(has_more(Cursor::new(bytes))),
            Self::Missing | Self::Pixels(..) => None,
        };
        told.unwrap_or(false)
    }

    /// Whether there is no image.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }
}

fn open(path: &Path) -> Result<BufReader<File>, ImageProblem> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let io = |error: std::io::Error| match error.kind() {
        NotFound | NotADirectory => ImageProblem::NoSuchFile,
        _ => ImageProblem::Io(error.to_string()),
    };
    let file = File::open(path).map_err(io)?;
    // Opening a folder works, and reading it fails with a word that few understand.
    match file.metadata().map_err(io)?.is_dir() {
        true => Err(ImageProblem::Io("it is a folder".to_owned())),
        false => Ok(BufReader::new(file)),
    }
}
