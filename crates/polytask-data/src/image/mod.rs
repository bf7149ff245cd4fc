//! Images: from files, bytes and arrays to pixels of one size.

mod decode;
mod frames;
mod mask;
mod overlap;
mod resample;

pub use decode::{FORMATS, Fit, ImageProblem, Look, decode, is_image, look};
pub(crate) use decode::{convert, turn};
pub(crate) use frames::has_more;
pub use mask::{Mask, write_image, write_mask};
pub use overlap::overlap;
pub use resample::{Filter, Resample, To};

use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// The name of the image column of files that do not name their columns.
pub const IMAGE: &str = "image";
/// The name of the label column of such files.
pub const LABEL: &str = "label";

/// Height, width and channels of an image. Its bytes are row-major, channels last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageShape {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// 1 is grey, 3 red, green and blue.
    pub channels: usize,
}

impl ImageShape {
    /// Bytes of an image.
    pub fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether there is no byte.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// The images of a column, one a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Images {
    /// All of one size.
    Pixels(Pixels),
    /// Image files held in memory; none where missing.
    Files(Vec<Option<Bytes>>),
}

/// Images of one size, one after the other. A clone shares the bytes.
#[derive(Clone, PartialEq)]
pub struct Pixels {
    shape: ImageShape,
    values: Arc<Vec<u8>>,
}

impl Pixels {
    /// Images of `shape`, whose bytes stand one after the other; what is over at the end is left out.
    pub fn new(shape: ImageShape, mut values: Vec<u8>) -> Self {
        values.truncate(values.len() / shape.len().max(1) * shape.len());
        Self { shape, values: Arc::new(values) }
    }

    /// Of each image.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// The number of images.
    pub fn rows(&self) -> usize {
        self.values.len() / self.shape.len().max(1)
    }

    /// `rows x height x width x channels`
    pub fn values(&self) -> &[u8] {
        &self.values
    }

    /// The bytes of an image; none past the end.
    pub fn image(&self, row: usize) -> Option<&[u8]> {
        self.values.get(row * self.shape.len()..(row + 1) * self.shape.len())
    }

    /// Adds images of the same shape.
    pub fn append(&mut self, other: &Self) {
        Arc::make_mut(&mut self.values).extend_from_slice(&other.values);
    }

    /// The bytes of an image, to be changed; none past the end. Shared ones are copied first.
    pub fn image_mut(&mut self, row: usize) -> Option<&mut [u8]> {
        Arc::make_mut(&mut self.values).get_mut(row * self.shape.len()..(row + 1) * self.shape.len())
    }
}

impl fmt::Debug for Pixels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pixels({} of {})", self.rows(), self.shape)
    }
}

impl Images {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Pixels(pixels) => pixels.rows(),
            Self::Files(files) => files.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `row` has no image.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Pixels(pixels) => row >= pixels.rows(),
            Self::Files(files) => files.get(row).is_none_or(Option::is_none),
        }
    }

    /// What they are, in words, for messages.
    pub(crate) fn described(&self) -> String {
        match self {
            Self::Pixels(pixels) => format!("images of {}", pixels.shape),
            Self::Files(_) => "image files".to_owned(),
        }
    }

    /// Whether `other` can be added below.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pixels(ours), Self::Pixels(theirs)) => ours.shape == theirs.shape,
            (Self::Files(_), Self::Files(_)) => true,
            _ => false,
        }
    }

    /// Adds `other`, which [goes with](Self::goes_with) this, below.
    pub(crate) fn append(&mut self, other: Self) {
        match (self, other) {
            (Self::Pixels(ours), Self::Pixels(theirs)) => {
                ours.append(&theirs);
            }
            (Self::Files(ours), Self::Files(theirs)) => ours.extend(theirs),
            _ => {}
        }
    }
}
