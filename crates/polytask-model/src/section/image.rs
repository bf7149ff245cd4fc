//! `[inputs.NAME]` of kind "image": what is made of images before the model reads them.

use super::error::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Height and width of the images the model reads: `28`, or `[28, 36]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "SideOrSides", into = "[usize; 2]")]
#[schemars(with = "SideOrSides")]
pub struct ImageSize {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
}

/// A side of squares, or height and width.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "it must be a number of pixels, such as 28, or [height, width]")]
enum SideOrSides {
    Side(usize),
    Sides([usize; 2]),
}

impl From<SideOrSides> for ImageSize {
    fn from(value: SideOrSides) -> Self {
        match value {
            SideOrSides::Side(side) => ImageSize { height: side, width: side },
            SideOrSides::Sides([height, width]) => ImageSize { height, width },
        }
    }
}

impl From<ImageSize> for [usize; 2] {
    fn from(size: ImageSize) -> Self {
        [size.height, size.width]
    }
}

/// What is done with an image whose sides have another ratio than `size`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImageFit {
    /// It is stretched: all of it stays in sight.
    #[default]
    Stretch,
    /// Both ends of its longer side are cut off.
    Crop,
}

impl From<ImageFit> for polytask_data::Fit {
    fn from(fit: ImageFit) -> Self {
        match fit {
            ImageFit::Stretch => Self::Stretch,
            ImageFit::Crop => Self::Crop,
        }
    }
}

/// Which way images are mirrored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flip {
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
    /// Each of the two, independently.
    Both,
}

/// How training images are changed at random, anew in every step; validation, test and prediction see them as they
/// are. What lies beyond the edge is the pixel at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Mirror half of the images: "horizontal", "vertical" or "both". Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flip: Option<Flip>,
    /// Shift by up to this many pixels, each way on its own, 0 or more. Default 0.
    pub shift: usize,
    /// Show a part of the image, at a random place, whose sides are this share of the image's or more, above 0 and at
    /// most 1. Default 1.
    pub crop: f64,
    /// Turn by up to this many degrees either way, from 0 to 180. Default 0.
    pub rotation: f64,
    /// Make brighter or darker by up to this share, at least 0 and below 1. Default 0.
    pub brightness: f64,
}

impl Default for Augment {
    fn default() -> Self {
        Augment { flip: None, shift: 0, crop: 1.0, rotation: 0.0, brightness: 0.0 }
    }
}

/// Larger images are surely slips.
const LARGEST: usize = 16_384;

impl ImageSize {
    pub(crate) fn check(self, input: &str) -> Result<(), Problem> {
        match [self.height, self.width].iter().find(|side| !(1..=LARGEST).contains(*side)) {
            Some(side) => {
                let message =
                    format!("`inputs.{input}.size` has a side of {side} pixels; sides are from 1 to {LARGEST}");
                Err(Problem::new(&["inputs", input, "size"], message).at_value())
            }
            None => Ok(()),
        }
    }
}

impl Augment {
    pub(crate) fn check(&self, input: &str) -> Result<(), Problem> {
        let ranges = [
            ("crop", self.crop, self.crop > 0.0 && self.crop <= 1.0, "it must be above 0 and at most 1"),
            ("rotation", self.rotation, (0.0..=180.0).contains(&self.rotation), "it must be from 0 to 180 degrees"),
            ("brightness", self.brightness, (0.0..1.0).contains(&self.brightness), "it must be at least 0 and below 1"),
        ];
        match ranges.iter().find(|(_, _, fits, _)| !fits) {
            Some((key, value, _, rule)) => Err(Problem::value(&["inputs", input, "augment", key], value, rule)),
            None => Ok(()),
        }
    }
}

/// Channels of an image as the config has them.
pub(crate) fn check_channels(input: &str, channels: usize) -> Result<(), Problem> {
    match channels {
        1 | 3 => Ok(()),
        other => Err(Problem::value(&["inputs", input, "channels"], other, "it must be 1 (grey) or 3 (colour)")),
    }
}

/// What happens to rows whose image cannot be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The work stops, and the image is named.
    #[default]
    Stop,
    /// The rows are left out and counted.
    Skip,
}

/// Labels of IDX images: one file, or files by the names of their columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "it must be a file in quotes, or a table such as { left = \"left-idx1-ubyte.gz\" }")]
pub enum LabelsConfig {
    /// IDX labels, which become the column `label`, or a table (CSV, say) with a row an image.
    One(String),
    /// IDX labels, which become columns of these names.
    Named(indexmap::IndexMap<String, String>),
}

impl LabelsConfig {
    pub(crate) fn paths_mut(&mut self) -> Vec<&mut String> {
        match self {
            LabelsConfig::One(path) => vec![path],
            LabelsConfig::Named(files) => files.values_mut().collect(),
        }
    }

    /// Every file with its key; `above` is that of the section.
    pub(crate) fn paths<'a>(&'a self, above: &[&'a str]) -> Vec<(Vec<&'a str>, &'a str)> {
        let key = [above, &["labels"]].concat();
        match self {
            LabelsConfig::One(path) => vec![(key, path)],
            LabelsConfig::Named(files) => {
                files.iter().map(|(name, path)| ([&key[..], &[name.as_str()]].concat(), path.as_str())).collect()
            }
        }
    }
}
