//! One of several classes for each pixel of an image.

use super::classes::{Classes, largest};
use super::labels::{LabelColumn, Labels, MISSING, Target, Truth};
use super::pixels::{Canvas, Labelled};
use super::{Layout, Outcome, Prediction, Site, TaskError};
use crate::inputs::Image;
use crate::metric::{Better, Confusion, Metrics};
use crate::section::TaskConfig;
use polytask_data::Hint;
use polytask_exec::TaskOutput;
use polytask_graph::{GraphBuilder, LossKind, NodeId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// In the truth of pixels: no label.
pub const NO_CLASS: u8 = u8::MAX;
/// In the truth of pixels: a label that is no class of the training rows.
pub const OTHER_CLASS: u8 = u8::MAX - 1;

/// Predicts the class of every pixel by one logit each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segmentation {
    /// In the order of the outputs; their labels are the numbers of masks, or what lists hold.
    #[serde(flatten)]
    pub classes: Classes,
    /// The pixels that are labelled.
    pub canvas: Canvas,
}

impl Segmentation {
    pub(super) fn fit(
        source: &LabelColumn,
        config: &TaskConfig,
        image: &Image,
        rows: &[u32],
    ) -> Result<Self, TaskError> {
        let canvas = Canvas::new(image, config);
        let count = |_, labels: Labelled<'_>| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            match labels {
                Labelled::Missing => {}
                Labelled::Mask(numbers) => {
                    let mut own: BTreeMap<u16, usize> = BTreeMap::new();
                    numbers.into_iter().for_each(|number| *own.entry(number).or_default() += 1);
                    own.retain(|number, _| !canvas.ignores_number(*number));
                    counts.extend(own.into_iter().map(|(number, count)| (number.to_string(), count)));
                }
                Labelled::Items(items) => {
                    for label in items.into_iter().flatten().filter(|label| !canvas.ignores(label)) {
                        *counts.entry(label.into_owned()).or_default() += 1;
                    }
                }
            }
            Ok(counts)
        };
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for own in canvas.read(source, rows, count)? {
            own.into_iter().for_each(|(label, count)| *counts.entry(label).or_default() += count);
        }
        let mut counted: Vec<(String, usize)> = counts.into_iter().collect();
        // Numbers by their value, words by their characters.
        if counted.iter().all(|(label, _)| label.parse::<f64>().is_ok()) {
            let value = |label: &str| label.parse::<f64>().unwrap_or(f64::NAN);
            counted.sort_by(|(a, _), (b, _)| value(a).total_cmp(&value(b)));
        }
        if counted.len() > usize::from(OTHER_CLASS) {
            let (task, column) = (source.task.to_owned(), source.column.name.clone());
            return Err(TaskError::NoClasses { task, column, count: counted.len(), rows: rows.len() });
        }
        Ok(Segmentation { classes: Classes::from_counts(source, config, &counted)?, canvas })
    }

    /// The class of every pixel of all rows, one after the other.
    fn read(&self, source: &LabelColumn) -> Result<Vec<u8>, TaskError> {
        let labels = &self.classes.labels;
        let named: HashMap<&str, u8> = labels.iter().zip(0..).map(|(label, code)| (label.as_str(), code)).collect();
        let numbered: Vec<u8> = (0..=u16::MAX)
            .map(|number| match self.canvas.ignores_number(number) {
                true => NO_CLASS,
                false => named.get(number.to_string().as_str()).copied().unwrap_or(OTHER_CLASS),
            })
            .collect();
        let code = |label: &str| match self.canvas.ignores(label) {
            true => NO_CLASS,
            false => named.get(label).copied().unwrap_or(OTHER_CLASS),
        };
        let make = |_, labels: Labelled<'_>| {
            Ok(match labels {
                Labelled::Missing => vec![NO_CLASS; self.canvas.pixels()],
                Labelled::Mask(numbers) => numbers.into_iter().map(|number| numbered[usize::from(number)]).collect(),
                Labelled::Items(items) => {
                    items.into_iter().map(|label| label.map_or(NO_CLASS, |label| code(&label))).collect()
                }
            })
        };
        let rows: Vec<u32> = (0..source.column.len() as u32).collect();
        Ok(self.canvas.read(source, &rows, make)?.concat())
    }
}

impl Outcome for Segmentation {
    fn width(&self) -> usize {
        self.classes.labels.len()
    }

    fn pixels(&self) -> Option<[usize; 2]> {
        Some(self.canvas.size())
    }

    fn loss(&self) -> LossKind {
        LossKind::CrossEntropy
    }

    fn attach(&self, g: &mut GraphBuilder, site: &Site<'_>, output: NodeId) {
        let loss = g.loss(site.task, output, self.loss());
        if self.classes.weights.iter().any(|weight| *weight != 1.0) {
            g.class_weights(loss, &self.classes.weights);
        }
    }

    fn initial_bias(&self) -> Vec<f32> {
        self.classes.shares.iter().map(|share| share.ln() as f32).collect()
    }

    fn hint(&self) -> Hint {
        Hint::Image
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let (classes, pixels) = (self.read(source)?, self.canvas.pixels());
        let known = |class: &u8| usize::from(*class) < self.width();
        let target = classes.iter().map(|class| if known(class) { u32::from(*class) } else { MISSING }).collect();
        // An image counts as its pixels do, by the mean weight of their classes.
        let class_weight = |class: &u8| self.classes.weights[usize::from(*class)];
        let weight = |row: &[u8]| {
            let own: Vec<f32> = row.iter().filter(|class| known(class)).map(class_weight).collect();
            if own.is_empty() { 0.0 } else { own.iter().sum::<f32>() / own.len() as f32 }
        };
        let weights = classes.chunks_exact(pixels).map(weight).collect();
        Ok(Labels::new(Target::Class(target), Truth::PixelClasses { pixels, classes }, weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let logits = output.prediction.values().chunks_exact(self.width().max(1));
        let classes = logits.map(|logits| largest(logits) as u8).collect();
        Prediction::PixelClasses { labels: self.classes.labels.clone(), size: self.canvas.size(), classes }
    }

    fn constant(&self, rows: usize) -> Prediction {
        let classes = vec![largest(&self.classes.shares) as u8; rows * self.canvas.pixels()];
        Prediction::PixelClasses { labels: self.classes.labels.clone(), size: self.canvas.size(), classes }
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (Truth::PixelClasses { classes: truth, .. }, Prediction::PixelClasses { classes: predicted, .. }) =
            (truth, prediction)
        else {
            return Metrics::default();
        };
        let labelled = |row: &&[u8]| row.iter().any(|class| *class != NO_CLASS);
        let mut metrics = Metrics::new(truth.chunks_exact(self.canvas.pixels()).filter(labelled).count());
        let pairs = truth.iter().zip(predicted).filter(|(truth, _)| **truth != NO_CLASS);
        let confusion = Confusion::of(pairs.map(|(truth, predicted)| (*truth, *predicted)));
        metrics.push("miou", Better::Higher, confusion.mean_iou());
        metrics.push("pixel_accuracy", Better::Higher, confusion.accuracy());
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("miou", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        self.canvas.check()?;
        match self.width() > usize::from(OTHER_CLASS) {
            true => Err("it has too many classes".into()),
            false => self.classes.check(),
        }
    }
}
