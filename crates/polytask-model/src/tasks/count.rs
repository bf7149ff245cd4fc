//! How many.

use super::digits::rounded;
use super::labels::{LabelColumn, Labels, Target, Truth};
use super::{Layout, Outcome, Prediction, TaskError};
use crate::metric::{Better, Metrics, mae, poisson_deviance, rmse};
use polytask_data::Hint;
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};

/// Predicts the rate of a Poisson distribution by one output, the rate's logarithm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Count {
    /// Of the labels of the training rows, above 0.
    pub mean: f64,
}

impl Count {
    pub(super) fn fit(source: &LabelColumn, rows: &[u32]) -> Result<Self, TaskError> {
        let (mean, _) = source.moments(&read(source)?, rows)?;
        Ok(Count { mean })
    }
}

/// The counts, NaN where missing.
fn read(source: &LabelColumn) -> Result<Vec<f64>, TaskError> {
    let values = source.numbers("count")?.into_owned();
    match values.iter().position(|v| *v < 0.0 || (!v.is_nan() && v.fract() != 0.0)) {
        Some(row) => Err(TaskError::NotCount {
            place: Box::new(source.table.place(row)),
            task: source.task.to_owned(),
            column: source.column.name.clone(),
            value: values.get(row).copied().unwrap_or_default(),
        }),
        None => Ok(values),
    }
}

impl Outcome for Count {
    fn width(&self) -> usize {
        1
    }

    fn loss(&self) -> LossKind {
        LossKind::Poisson
    }

    fn initial_bias(&self) -> Vec<f32> {
        vec![self.mean.ln() as f32]
    }

    fn hint(&self) -> Hint {
        Hint::Number
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let truth = read(source)?;
        let target = truth.iter().map(|y| if y.is_nan() { 0.0 } else { *y as f32 }).collect();
        let weights = truth.iter().map(|y| if y.is_nan() { 0.0 } else { 1.0 }).collect();
        Ok(Labels::new(Target::Real(target), Truth::Numbers(truth), weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let rate = |z: &f32| {
            let rate = f64::from(*z).exp();
            rounded(rate, rate)
        };
        Prediction::Numbers(output.prediction.values().iter().map(rate).collect())
    }

    fn constant(&self, rows: usize) -> Prediction {
        Prediction::Numbers(vec![self.mean; rows])
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (truth, predicted) = prediction.known_numbers(truth);
        let mut metrics = Metrics::new(truth.len());
        metrics.push("poisson_deviance", Better::Lower, poisson_deviance(&truth, &predicted));
        metrics.push("rmse", Better::Lower, rmse(&truth, &predicted));
        metrics.push("mae", Better::Lower, mae(&truth, &predicted));
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("poisson_deviance", Better::Lower)
    }

    fn check(&self) -> Result<(), String> {
        match self.mean.is_finite() && self.mean > 0.0 {
            true => Ok(()),
            false => Err("its mean is out of range".into()),
        }
    }
}
