//! One of several classes.

use super::classes::Classes;
use super::decision::{Decision, Seen, log};
use super::labels::{LabelColumn, Labels, Target, Truth};
use super::{Layout, Outcome, Prediction, Said, TaskError};
use crate::metric::{Better, Metrics, calibration_error};
use crate::section::TaskConfig;
use polytask_data::Hint;
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};

/// The widest head; more classes are surely no classes.
const MOST: usize = 65_536;

/// Predicts the probabilities of several classes by one logit each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// In the order of the outputs.
    #[serde(flatten)]
    pub classes: Classes,
    /// What held-out rows say of its probabilities.
    #[serde(default, skip_serializing_if = "Decision::is_plain")]
    pub decision: Decision,
}

impl Category {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let classes = Classes::fit(source, config, rows)?;
        match classes.labels.len() {
            count if count > MOST => Err(TaskError::NoClasses {
                task: source.task.to_owned(),
                column: source.column.name.clone(),
                count,
                rows: rows.len(),
            }),
            _ => Ok(Category { classes, decision: Decision::default() }),
        }
    }
}

impl Category {
    /// See [`Task::decide`](super::Task::decide).
    pub(super) fn decide(&mut self, calibrates: bool, truth: &[u32], held: Prediction) -> Prediction {
        let Prediction::Classes { probabilities, .. } = &held else { return held };
        let (classes, logits) = (self.width(), probabilities.iter().map(|p| log(*p)).collect::<Vec<f64>>());
        let rows = truth.iter().zip(logits.chunks_exact(classes)).filter(|(class, _)| (**class as usize) < classes);
        let (known, seen): (Vec<u32>, Vec<&[f64]>) = rows.map(|(class, row)| (*class, row)).unzip();
        if calibrates {
            self.decision.calibrate(&[Seen { logits: &seen.concat(), truth: &known, classes }]);
        }
        let mut all: Vec<f64> = logits.iter().map(|z| self.decision.scale * z).collect();
        all.chunks_exact_mut(classes).for_each(softmax);
        self.classes.prediction(all, Said::Likeliest)
    }
}

/// Logits as probabilities; the largest is taken off first, so that no exponential overflows.
fn softmax(row: &mut [f64]) {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    row.iter_mut().for_each(|z| *z = (*z - largest).exp());
    let sum: f64 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
}

impl Outcome for Category {
    fn width(&self) -> usize {
        self.classes.labels.len()
    }

    fn loss(&self) -> LossKind {
        LossKind::CrossEntropy
    }

    fn initial_bias(&self) -> Vec<f32> {
        self.classes.shares.iter().map(|share| share.ln() as f32).collect()
    }

    fn hint(&self) -> Hint {
        if self.classes.numbers { Hint::Number } else { Hint::Text }
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let classes = self.classes.read(source);
        let count = self.width() as u32;
        let target = classes.iter().map(|class| if *class < count { *class } else { 0 }).collect();
        let weights = self.classes.row_weights(&classes);
        Ok(Labels::new(Target::Class(target), Truth::Classes(classes), weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let mut probabilities: Vec<f64> =
            output.prediction.values().iter().map(|z| self.decision.scale * f64::from(*z)).collect();
        probabilities.chunks_exact_mut(output.prediction.width().max(1)).for_each(softmax);
        self.classes.prediction(probabilities, Said::Likeliest)
    }

    fn constant(&self, rows: usize) -> Prediction {
        self.classes.prediction(self.classes.shares.repeat(rows), Said::Likeliest)
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (truth, predicted, probabilities) = prediction.known_classes(truth);
        let mut metrics = self.classes.score(&truth, &predicted, &probabilities);
        let rows = probabilities.chunks_exact(self.classes.labels.len()).zip(truth.iter().zip(&predicted));
        let claim = |(row, (was, said)): (&[f64], (&u32, &u32))| Some((*row.get(*said as usize)?, was == said));
        let claims: Vec<(f64, bool)> = rows.filter_map(claim).collect();
        metrics.push("calibration_error", Better::Lower, calibration_error(&claims));
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("accuracy", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        self.classes.check().and_then(|()| self.decision.check(0))
    }
}
