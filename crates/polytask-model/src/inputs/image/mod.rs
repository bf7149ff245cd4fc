//! Images: scaled to one size, normalised by the pixels of the training rows.

mod augment;
mod gallery;
mod gather;
mod seen;
mod view;

pub use gallery::{Galleries, Gallery, load_all};
pub(crate) use gallery::{Limits, Wanted};
pub(crate) use gather::Gathering;
pub use gather::{Draw, Step, Unpacked};
pub use seen::Seen;
pub use view::View;
pub(crate) use view::{patch_node, place_node};

use super::{EncodeError, InputColumn, InputPlan};
use crate::pretrained::vision::PLACES;
use crate::section::{Augment, InputConfig};
use polytask_data::{Fit, ImageShape};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// An image becomes `height x width x channels` numbers, each `(p - mean) / deviation` of its channel, where p is from 0
/// to 255. A missing image is the mean everywhere. A channel that is constant in the training rows is always 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// 1 is grey, 3 colour.
    pub channels: usize,
    /// How images of other sides are made to fit.
    pub fit: Fit,
    /// Whether pixels are standardised; else they are `p / 255`.
    pub standardize: bool,
    /// Of the training rows, by channel.
    pub mean: Vec<f64>,
    /// Population standard deviation of the training rows, by channel.
    pub deviation: Vec<f64>,
    /// Larger images are refused.
    pub max_pixels: u64,
    /// How training images are changed at random.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augment: Option<Augment>,
    /// A pretrained encoder that reads them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoder: Option<Box<View>>,
}

/// The images of one input, ready to be gathered.
#[derive(Clone, Debug, PartialEq)]
pub struct Pictures {
    /// Name of the column, and of the graph's node.
    pub(crate) column: String,
    pub(crate) node: String,
    /// How its pixels become features.
    pub image: Image,
    pub(crate) gallery: Gallery,
    /// By channel: a pixel p becomes `p * scale + shift`.
    pub(crate) scale: Vec<f32>,
    pub(crate) shift: Vec<f32>,
    /// Of an encoder that reads patches: where those of each row begin, and the last one's end.
    pub(crate) offsets: Vec<u32>,
    /// Of each row: the places of the tokens before the patches.
    pub(crate) places: Vec<u32>,
}

impl Pictures {
    /// Adds what tells the image of a row from others: its pixels, or where they are.
    pub fn digest(&self, row: u32, hasher: &mut crc32fast::Hasher) {
        self.gallery.digest(row, hasher);
    }

    /// Adds the rows of `other`, whose images are in memory as these are.
    pub(super) fn append(&mut self, other: &Self) {
        self.gallery.append(&other.gallery);
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets.extend(other.offsets.iter().skip(1).map(|offset| end + offset));
        self.places.extend(&other.places);
    }
}

impl Image {
    pub(super) fn fit(
        source: &InputColumn,
        config: &InputConfig,
        rows: &[u32],
        gallery: &Gallery,
        plan: &InputPlan<'_>,
    ) -> Result<Self, EncodeError> {
        let limits = &plan.limits;
        let ImageShape { height, width, channels } = gallery.shape();
        if let Some(encoder) = &config.encoder {
            let view = View::read(&source.column.name, config, encoder, plan.folder)?;
            return Self::encoded(source, config, rows, gallery, (limits, view));
        }
        let counts = counts(gallery, rows, channels)?;
        let known: u64 = counts.first().map_or(0, |counts| counts.iter().sum());
        if known == 0 {
            return Err(source.all_missing());
        }
        let mean = |counts: &[u64; 256]| {
            let sum: u64 = counts.iter().enumerate().map(|(value, count)| value as u64 * count).sum();
            sum as f64 / known as f64
        };
        let deviation = |counts: &[u64; 256]| {
            let mean = mean(counts);
            let square = |(value, count): (usize, &u64)| *count as f64 * (value as f64 - mean).powi(2);
            (counts.iter().enumerate().map(square).sum::<f64>() / known as f64).sqrt()
        };
        Ok(Image {
            height,
            width,
            channels,
            fit: config.fit.unwrap_or_default().into(),
            standardize: config.standardize.unwrap_or(true),
            mean: counts.iter().map(mean).collect(),
            deviation: counts.iter().map(deviation).collect(),
            max_pixels: limits.max_pixels,
            augment: config.augment,
            encoder: None,
        })
    }

    /// With an encoder, whose means and deviations are taken.
    fn encoded(
        source: &InputColumn,
        config: &InputConfig,
        rows: &[u32],
        gallery: &Gallery,
        (limits, view): (&Limits, View),
    ) -> Result<Self, EncodeError> {
        if !rows.iter().any(|row| gallery.has(*row)) {
            return Err(source.all_missing());
        }
        let preparation = &view.checkpoint.preparation;
        let [height, width, channels] = preparation.input;
        let bytes = |values: &[f64]| values.iter().map(|value| 255.0 * value).collect();
        Ok(Image {
            height,
            width,
            channels,
            fit: preparation.fit(),
            standardize: true,
            mean: bytes(&preparation.mean),
            deviation: bytes(&preparation.deviation),
            max_pixels: limits.max_pixels,
            augment: config.augment,
            encoder: Some(Box::new(view)),
        })
    }

    /// The encoder of an input that has one.
    fn view(&self, input: &str) -> Result<&View, EncodeError> {
        let none = || EncodeError::Damaged { input: input.to_owned(), reason: "it has no encoder" };
        self.encoder.as_deref().ok_or_else(none)
    }

    /// Whether it becomes a fixed vector.
    pub(super) fn is_frozen(&self) -> bool {
        self.encoder.as_ref().is_some_and(|view| view.train.is_frozen())
    }

    /// Of what the model reads.
    pub fn shape(&self) -> ImageShape {
        ImageShape { height: self.height, width: self.width, channels: self.channels }
    }

    /// By channel: a pixel p from 0 to 255 becomes `p * scale + shift`.
    pub fn scaling(&self) -> Vec<(f32, f32)> {
        let of = |(mean, deviation): (&f64, &f64)| match self.standardize {
            true if *deviation > 0.0 => (deviation.recip() as f32, (-mean / deviation) as f32),
            true => (0.0, 0.0),
            false => (1.0 / 255.0, 0.0),
        };
        self.mean.iter().zip(&self.deviation).map(of).collect()
    }

    /// The pixels that stand for a missing image, by channel.
    pub fn blank(&self) -> Vec<u8> {
        self.mean.iter().map(|mean| mean.round() as u8).collect()
    }

    /// The images of a column for the node of this input.
    pub(super) fn pictures(&self, column: &str, mut gallery: Gallery) -> Pictures {
        gallery.fill_absent(&self.blank());
        let (scale, shift) = self.scaling().into_iter().unzip();
        let elements = self.encoder.as_ref().and_then(|view| view.checkpoint.shape.elements());
        let rows = gallery.rows() as u32;
        let offsets = elements.map(|count| (0..=rows).map(|row| row * count as u32).collect()).unwrap_or_default();
        let places = elements.map(|_| (0..rows).flat_map(|_| 0..PLACES as u32).collect()).unwrap_or_default();
        let (column, node, image) = (column.to_owned(), node(column), self.clone());
        Pictures { column, node, image, gallery, scale, shift, offsets, places }
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        let within =
            |values: &[f64]| values.len() == self.channels && values.iter().all(|value| (0.0..=255.0).contains(value));
        let pixels = self.height.checked_mul(self.width).filter(|pixels| *pixels < MOST_PIXELS);
        if pixels.is_none_or(|pixels| pixels == 0) || !matches!(self.channels, 1 | 3) {
            return Err("its size or number of channels is out of range");
        }
        self.encoder.as_ref().map_or(Ok(()), |view| view.check())?;
        let read = self.encoder.as_ref().map(|view| view.checkpoint.shape.input);
        if read.is_some_and(|read| read != [self.height, self.width, self.channels]) {
            return Err("its encoder reads images of another size");
        }
        match within(&self.mean) && within(&self.deviation) {
            true => Ok(()),
            false => Err("its means or deviations are out of range"),
        }
    }
}

/// Pixels of an image that a model reads: below this, or one of them alone fills the memory.
pub(crate) const MOST_PIXELS: usize = 1 << 28;

/// What the graph's node of an image column is called.
pub(super) fn node(column: &str) -> String {
    format!("images.{column}")
}

/// What the encoder of an image column is called.
pub(super) fn encoder(column: &str) -> String {
    format!("{}.encoder", node(column))
}

/// How often each value from 0 to 255 is there, by channel, in the images of some rows. Whole numbers, so that their
/// sum is the same in any order.
fn counts(gallery: &Gallery, rows: &[u32], channels: usize) -> Result<Vec<[u64; 256]>, EncodeError> {
    let nothing = || vec![[0u64; 256]; channels];
    let count = |mut counts: Vec<[u64; 256]>, row: &u32| {
        let mut scratch = Vec::new();
        for pixel in gallery.known(*row, &mut scratch)?.chunks_exact(channels) {
            for (counts, value) in counts.iter_mut().zip(pixel) {
                counts[usize::from(*value)] += 1;
            }
        }
        Ok(counts)
    };
    let add = |mut a: Vec<[u64; 256]>, b: Vec<[u64; 256]>| {
        a.iter_mut().flatten().zip(b.iter().flatten()).for_each(|(a, b)| *a += b);
        Ok(a)
    };
    rows.par_iter().with_min_len(64).try_fold(nothing, count).try_reduce(nothing, add)
}
