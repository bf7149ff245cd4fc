//! Images: scaled to one size, normalised by the pixels of the training rows.

mod augment;
mod gallery;
mod gather;

pub use gallery::{Galleries, Gallery, load_all};
pub(crate) use gallery::{Limits, Wanted};
pub(crate) use gather::Gathering;
pub use gather::{Draw, Step, Unpacked};

use super::{EncodeError, InputColumn};
use crate::section::{Augment, ImageFit, InputConfig};
use polytask_data::ImageShape;
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
    pub fit: ImageFit,
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
}

impl Pictures {
    /// Adds what tells the image of a row from others: its pixels, or where they are.
    pub fn digest(&self, row: u32, hasher: &mut crc32fast::Hasher) {
        self.gallery.digest(row, hasher);
    }
}

impl Image {
    pub(super) fn fit(
        source: &InputColumn,
        config: &InputConfig,
        rows: &[u32],
        gallery: &Gallery,
        limits: &Limits,
    ) -> Result<Self, EncodeError> {
        let ImageShape { height, width, channels } = gallery.shape();
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
            fit: config.fit.unwrap_or_default(),
            standardize: config.standardize.unwrap_or(true),
            mean: counts.iter().map(mean).collect(),
            deviation: counts.iter().map(deviation).collect(),
            max_pixels: limits.max_pixels,
            augment: config.augment,
        })
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
        Pictures { column: column.to_owned(), node: node(column), image: self.clone(), gallery, scale, shift }
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        let within =
            |values: &[f64]| values.len() == self.channels && values.iter().all(|value| (0.0..=255.0).contains(value));
        let pixels = self.height.checked_mul(self.width).filter(|pixels| *pixels < MOST_PIXELS);
        if pixels.is_none_or(|pixels| pixels == 0) || !matches!(self.channels, 1 | 3) {
            return Err("its size or number of channels is out of range");
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
