//! What the files beside the weights say of the images that an encoder reads: those of timm (`config.json`), of transformers
//! (`preprocessor_config.json`), and what torchvision does where there are none.

use crate::pretrained::CheckpointError;
use crate::pretrained::folder::{self, CONFIG, Folder};
use polytask_data::Fit;
use polytask_data::image::{Filter, Resample, To};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

const PROCESSOR: &str = "preprocessor_config.json";
const IMAGENET: [[f64; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
/// Larger images are surely slips.
const LARGEST: u64 = 8192;

/// What is made of an image before an encoder reads it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preparation {
    /// Height, width and channels.
    pub input: [usize; 3],
    /// How it is scaled.
    pub filter: Filter,
    /// The share of an image's sides that is seen of what was scaled; none: images are stretched.
    pub crop: Option<f64>,
    /// By channel, of pixels from 0 to 1.
    pub mean: Vec<f64>,
    /// By channel, of pixels from 0 to 1.
    pub deviation: Vec<f64>,
}

/// A folder's or a file's settings.
pub(super) struct Found {
    /// `config.json`, or nothing.
    pub config: Value,
    /// Whether there is a file of weights alone.
    pub bare: bool,
    /// What messages name.
    pub named: PathBuf,
    pub preparation: Preparation,
}

impl Preparation {
    /// For images of other sides, or framed in another way.
    #[must_use]
    pub fn with(self, size: Option<[usize; 2]>, framed: Option<Framed>) -> Self {
        let input = size.map_or(self.input, |[height, width]| [height, width, self.input[2]]);
        let crop = match framed {
            None => self.crop,
            Some(Framed::Stretched) => None,
            Some(Framed::Cropped) => Some(1.0),
        };
        Preparation { input, crop, ..self }
    }

    /// How images are made to fit.
    pub fn fit(&self) -> Fit {
        let to = match self.crop {
            None => To::Sides,
            Some(share) => {
                let side = |side: usize| ((side as f64 / share).floor() as usize).max(side);
                To::Cover([side(self.input[0]), side(self.input[1])])
            }
        };
        Fit::Resample(Resample { filter: self.filter, to })
    }

    /// By channel: a pixel p from 0 to 255 becomes `p * scale + shift`.
    pub(super) fn scaling(&self) -> Vec<(f32, f32)> {
        let of = |(mean, deviation): (&f64, &f64)| ((255.0 * deviation).recip() as f32, (-mean / deviation) as f32);
        self.mean.iter().zip(&self.deviation).map(of).collect()
    }

    fn check(self) -> Result<Self, String> {
        let channels = self.input[2];
        if !matches!(channels, 1 | 3) {
            return Err(format!("its images have {channels} channels; 1 or 3 can be read"));
        }
        let of = |values: &[f64], least: f64| {
            values.len() == channels && values.iter().all(|value| (0.0..=1.0).contains(value) && *value > least)
        };
        if !of(&self.mean, -1.0) || !of(&self.deviation, 0.0) {
            let (mean, deviation) = (&self.mean, &self.deviation);
            return Err(format!(
                "its mean is {mean:?} and its std {deviation:?}; expected {channels} numbers from 0 to 1"
            ));
        }
        match self.crop.is_none_or(|share| share > 0.05 && share <= 1.0) {
            true => Ok(self),
            false => Err("the share of an image that it reads must be above 0.05 and at most 1".to_owned()),
        }
    }
}

/// How a config asks for images to be framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framed {
    /// All of an image is seen.
    Stretched,
    /// Both ends of its longer side are cut off.
    Cropped,
}

impl Found {
    /// Reads the settings of a folder or a file, not the weights.
    pub(super) fn read(path: &Path) -> Result<Self, CheckpointError> {
        if path.is_file() {
            if let Some(error) = folder::pickle(path) {
                return Err(error);
            }
            let [mean, deviation] = IMAGENET.map(|values| values.to_vec());
            let crop = Some(0.875);
            let preparation = Preparation { input: [224, 224, 3], filter: Filter::Bilinear, crop, mean, deviation };
            return Ok(Found { config: Value::Null, bare: true, named: path.to_owned(), preparation });
        }
        if !path.is_dir() {
            return Err(CheckpointError::NoImages(path.to_owned()));
        }
        let there = |name: &str| path.join(name).is_file();
        if !there(CONFIG) {
            return Err(CheckpointError::Missing { folder: path.to_owned(), files: vec![CONFIG.to_owned()] });
        }
        let named = path.join(CONFIG);
        let config: Value = folder::json(&named)?;
        let fault = |named: &Path, reason: String| CheckpointError::File { path: named.to_owned(), reason };
        let preparation = match config.get("model_type").is_some() && config.get("architecture").is_none() {
            true if !there(PROCESSOR) => {
                return Err(CheckpointError::Missing { folder: path.to_owned(), files: vec![PROCESSOR.to_owned()] });
            }
            true => {
                let named = path.join(PROCESSOR);
                let own: Value = folder::json(&named)?;
                of_transformers(&own).and_then(Preparation::check).map_err(|reason| fault(&named, reason))?
            }
            false => {
                let own = config.get("pretrained_cfg").unwrap_or(&config);
                of_timm(own).and_then(Preparation::check).map_err(|reason| fault(&named, reason))?
            }
        };
        Ok(Found { config, bare: false, named, preparation })
    }

    /// The folder with its tensors.
    pub(super) fn weights(path: &Path) -> Result<Folder, CheckpointError> {
        if path.is_file() { Folder::of_file(path) } else { Folder::open(path, &[CONFIG]) }
    }
}

fn numbers(value: &Value, name: &str) -> Option<Vec<f64>> {
    value.get(name)?.as_array()?.iter().map(Value::as_f64).collect()
}

/// A side of images.
fn side(value: u64) -> Result<usize, String> {
    match (1..=LARGEST).contains(&value) {
        true => Ok(value as usize),
        false => Err(format!("its images have a side of {value} pixels; sides are from 1 to {LARGEST}")),
    }
}

fn filter(word: &str) -> Result<Filter, String> {
    match word {
        "bilinear" => Ok(Filter::Bilinear),
        "bicubic" => Ok(Filter::Bicubic),
        other => Err(format!("its images are scaled by {other:?}; \"bilinear\" and \"bicubic\" are known")),
    }
}

/// `pretrained_cfg` of timm.
fn of_timm(own: &Value) -> Result<Preparation, String> {
    let size = numbers(own, "input_size").filter(|size| size.len() == 3);
    let size = size.ok_or("its `pretrained_cfg` has no `input_size` of [channels, height, width]")?;
    let input = [side(size[1] as u64)?, side(size[2] as u64)?, size[0] as usize];
    let word = |name: &str| own.get(name).and_then(Value::as_str);
    let mode = word("crop_mode").unwrap_or("center");
    let share = own.get("crop_pct").and_then(Value::as_f64).unwrap_or(0.875);
    let crop = match mode {
        "center" => Some(share),
        "squash" if share >= 1.0 => None,
        other => return Err(format!("its `crop_mode` is {other:?}; \"center\" can be done")),
    };
    let [mean, deviation] = IMAGENET.map(|values| values.to_vec());
    let (mean, deviation) = (numbers(own, "mean").unwrap_or(mean), numbers(own, "std").unwrap_or(deviation));
    Ok(Preparation { input, filter: filter(word("interpolation").unwrap_or("bilinear"))?, crop, mean, deviation })
}

/// `preprocessor_config.json` of transformers.
fn of_transformers(own: &Value) -> Result<Preparation, String> {
    let yes = |name: &str| own.get(name).and_then(Value::as_bool);
    let pair = |value: &Value| -> Option<[u64; 2]> {
        match value.as_u64() {
            Some(side) => Some([side; 2]),
            None => Some([value.get("height")?.as_u64()?, value.get("width")?.as_u64()?]),
        }
    };
    let sides = |value: [u64; 2]| Ok::<_, String>([side(value[0])?, side(value[1])?]);
    let size = own.get("size").ok_or("it has no `size`")?;
    let shortest = size.get("shortest_edge").and_then(Value::as_u64);
    let cut = own.get("crop_size").and_then(pair).filter(|_| yes("do_center_crop") == Some(true));
    let share = own.get("crop_pct").and_then(Value::as_f64);
    let (seen, crop) = match (shortest, pair(size), cut) {
        // What is below 384 is scaled to more and cut; what is larger is stretched (ConvNeXT, ResNet).
        (Some(edge), _, None) if share.is_some() && edge < 384 => (sides([edge; 2])?, share),
        (Some(edge), _, None) if share.is_some() => (sides([edge; 2])?, None),
        (Some(edge), _, Some(cut)) => (sides(cut)?, Some(cut[0].max(cut[1]) as f64 / edge.max(1) as f64)),
        (Some(_), _, None) => {
            return Err("it scales to a `shortest_edge` and cuts nothing; a size of its own is needed".to_owned());
        }
        (None, Some(size), None) => (sides(size)?, None),
        (None, Some(size), Some(cut)) if size == cut => (sides(size)?, None),
        (None, _, _) => return Err("its `size` and `crop_size` are not understood".to_owned()),
    };
    let resample = own.get("resample").and_then(Value::as_u64).unwrap_or(2);
    let filter = match resample {
        2 => Filter::Bilinear,
        3 => Filter::Bicubic,
        other => return Err(format!("its `resample` is {other}; 2 (bilinear) and 3 (bicubic) are known")),
    };
    let half = [[0.5; 3]; 2].map(|values| values.to_vec());
    let [mean, deviation] = match yes("do_normalize") {
        Some(false) => [vec![0.0; 3], vec![1.0; 3]],
        _ => {
            let [mean, deviation] = half;
            [numbers(own, "image_mean").unwrap_or(mean), numbers(own, "image_std").unwrap_or(deviation)]
        }
    };
    Ok(Preparation { input: [seen[0], seen[1], mean.len()], filter, crop, mean, deviation })
}
