//! A quantity for each pixel of an image.

use super::labels::{LabelColumn, Labels, Target, Truth};
use super::pixels::{Canvas, Labelled};
use super::{Layout, Outcome, Prediction, Regression, TaskError};
use crate::inputs::Image;
use crate::metric::{Better, Metrics, mae, r2, rmse};
use crate::section::TaskConfig;
use polytask_data::Hint;
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};

/// Predicts a quantity for every pixel by one output each, standardised inside unless the config says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PixelRegression {
    /// The loss, and what is standardised by: mean and deviation of all labelled pixels of the training rows.
    #[serde(flatten)]
    pub quantity: Regression,
    /// The pixels that are labelled.
    pub canvas: Canvas,
}

impl PixelRegression {
    pub(super) fn fit(
        source: &LabelColumn,
        config: &TaskConfig,
        image: &Image,
        rows: &[u32],
    ) -> Result<Self, TaskError> {
        let canvas = Canvas::new(image, config);
        let values = canvas.read(source, rows, |row, labels| numbers(&canvas, source, row, labels))?;
        let values: Vec<f64> = values.into_iter().flatten().map(f64::from).collect();
        let all: Vec<u32> = (0..values.len() as u32).collect();
        let (mean, deviation) = source.moments(&values, &all)?;
        Ok(PixelRegression { quantity: Regression::new(config, mean, deviation), canvas })
    }
}

/// The numbers of an image's pixels; NaN where missing.
fn numbers(canvas: &Canvas, source: &LabelColumn, row: u32, labels: Labelled<'_>) -> Result<Vec<f32>, TaskError> {
    let number = |label: &str| match label.parse::<f32>() {
        _ if canvas.ignores(label) => Ok(f32::NAN),
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(source.pixels_differ(row, format!("a quantity of every pixel, but it holds `{label}`"))),
    };
    match labels {
        Labelled::Missing => Ok(vec![f32::NAN; canvas.pixels()]),
        Labelled::Mask(numbers) => {
            let number = |number: u16| if canvas.ignores_number(number) { f32::NAN } else { f32::from(number) };
            Ok(numbers.into_iter().map(number).collect())
        }
        Labelled::Items(items) => {
            items.into_iter().map(|label| label.map_or(Ok(f32::NAN), |label| number(&label))).collect()
        }
    }
}

impl Outcome for PixelRegression {
    fn width(&self) -> usize {
        1
    }

    fn pixels(&self) -> Option<[usize; 2]> {
        Some(self.canvas.size())
    }

    fn loss(&self) -> LossKind {
        self.quantity.loss()
    }

    fn initial_bias(&self) -> Vec<f32> {
        self.quantity.initial_bias()
    }

    fn hint(&self) -> Hint {
        Hint::Image
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let rows: Vec<u32> = (0..source.column.len() as u32).collect();
        let make = |row, labels: Labelled<'_>| numbers(&self.canvas, source, row, labels);
        let (values, pixels) = (self.canvas.read(source, &rows, make)?.concat(), self.canvas.pixels());
        let (shift, scale) = self.quantity.scaling();
        let target = values.iter().map(|y| ((f64::from(*y) - shift) / scale) as f32).collect();
        let weight = |row: &[f32]| if row.iter().all(|y| y.is_nan()) { 0.0 } else { 1.0 };
        let weights = values.chunks_exact(pixels).map(weight).collect();
        Ok(Labels::new(Target::Real(target), Truth::PixelNumbers { pixels, values }, weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let (shift, scale) = self.quantity.scaling();
        let values = output.prediction.values().iter().map(|z| (f64::from(*z) * scale + shift) as f32).collect();
        Prediction::PixelNumbers { size: self.canvas.size(), values }
    }

    fn constant(&self, rows: usize) -> Prediction {
        let values = vec![self.quantity.mean as f32; rows * self.canvas.pixels()];
        Prediction::PixelNumbers { size: self.canvas.size(), values }
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (Truth::PixelNumbers { pixels, values: truth }, Prediction::PixelNumbers { values: predicted, .. }) =
            (truth, prediction)
        else {
            return Metrics::default();
        };
        let labelled = |row: &&[f32]| row.iter().any(|y| !y.is_nan());
        let mut metrics = Metrics::new(truth.chunks_exact((*pixels).max(1)).filter(labelled).count());
        let known = truth.iter().zip(predicted).filter(|(y, _)| !y.is_nan());
        let (truth, predicted): (Vec<f64>, Vec<f64>) = known.map(|(y, p)| (f64::from(*y), f64::from(*p))).unzip();
        metrics.push("rmse", Better::Lower, rmse(&truth, &predicted));
        metrics.push("mae", Better::Lower, mae(&truth, &predicted));
        metrics.push("r2", Better::Higher, r2(&truth, &predicted));
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("rmse", Better::Lower)
    }

    fn check(&self) -> Result<(), String> {
        self.canvas.check().and_then(|()| self.quantity.check())
    }
}
