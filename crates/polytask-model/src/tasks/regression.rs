//! A quantity.

use super::digits::rounded;
use super::labels::{LabelColumn, Labels, Target, Truth};
use super::{Layout, Outcome, Prediction, TaskError};
use crate::metric::{Better, Metrics, mae, pearson, r2, rmse};
use crate::section::{TaskConfig, TaskLoss};
use polytask_data::Hint;
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};

/// Predicts a quantity by one output, standardised inside unless the config says otherwise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Regression {
    /// The loss.
    pub loss: TaskLoss,
    /// Of the Huber loss.
    pub delta: f64,
    /// Whether the loss sees `(y - mean) / deviation`.
    pub standardize: bool,
    /// Of the labels of the training rows.
    pub mean: f64,
    /// Population standard deviation of the labels of the training rows, above 0.
    pub deviation: f64,
}

impl Regression {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let (mean, deviation) = source.moments(&source.numbers("regression")?, rows)?;
        Ok(Self::new(config, mean, deviation))
    }

    /// Of labels with this mean and deviation.
    pub(super) fn new(config: &TaskConfig, mean: f64, deviation: f64) -> Self {
        Regression {
            loss: config.loss.unwrap_or_default(),
            delta: config.delta.unwrap_or(1.0),
            standardize: config.standardize.unwrap_or(true),
            mean,
            deviation,
        }
    }

    /// What is subtracted from a label, and what it is divided by then.
    pub fn scaling(&self) -> (f64, f64) {
        if self.standardize { (self.mean, self.deviation) } else { (0.0, 1.0) }
    }
}

impl Outcome for Regression {
    fn width(&self) -> usize {
        1
    }

    fn loss(&self) -> LossKind {
        match self.loss {
            // The config's check keeps losses of tags from regressions.
            TaskLoss::Mse | TaskLoss::Softmax | TaskLoss::Crf => LossKind::Mse,
            TaskLoss::Mae => LossKind::Mae,
            TaskLoss::Huber => LossKind::Huber { delta: self.delta as f32 },
        }
    }

    fn initial_bias(&self) -> Vec<f32> {
        vec![if self.standardize { 0.0 } else { self.mean as f32 }]
    }

    fn hint(&self) -> Hint {
        Hint::Number
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let truth = source.numbers("regression")?.into_owned();
        let (shift, scale) = self.scaling();
        let target = truth.iter().map(|y| if y.is_nan() { 0.0 } else { ((y - shift) / scale) as f32 }).collect();
        let weights = truth.iter().map(|y| if y.is_nan() { 0.0 } else { 1.0 }).collect();
        Ok(Labels::new(Target::Real(target), Truth::Numbers(truth), weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let (shift, scale) = self.scaling();
        let value = |z: &f32| {
            let z = f64::from(*z);
            rounded(z * scale + shift, if self.standardize { scale } else { z })
        };
        Prediction::Numbers(output.prediction.values().iter().map(value).collect())
    }

    fn constant(&self, rows: usize) -> Prediction {
        Prediction::Numbers(vec![self.mean; rows])
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (truth, predicted) = prediction.known_numbers(truth);
        let mut metrics = Metrics::new(truth.len());
        metrics.push("r2", Better::Higher, r2(&truth, &predicted));
        metrics.push("rmse", Better::Lower, rmse(&truth, &predicted));
        metrics.push("mae", Better::Lower, mae(&truth, &predicted));
        metrics.push("pearson", Better::Higher, pearson(&truth, &predicted));
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("r2", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        match self.mean.is_finite() && positive(self.deviation) && positive(self.delta) {
            true => Ok(()),
            false => Err("its mean, deviation or delta is out of range".into()),
        }
    }
}
