//! Which tokens are predicates.

use super::frames::{self, Frames};
use super::labels::{LabelColumn, Labels, Target, Truth};
use super::{Layout, Outcome, Prediction, TaskError};
use crate::metric::{self, Better, Metrics};
use polytask_data::Hint;
use polytask_data::text::Frame;
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};

/// Predicts for every token whether it is a predicate, by one logit each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Predicates {
    /// The share of the tokens of the training rows that are.
    pub share: f64,
}

impl Predicates {
    pub(super) fn fit(source: &LabelColumn, rows: &[u32]) -> Result<Self, TaskError> {
        let (sentences, frames) = (source.sentences()?, frames::read(source)?);
        let (mut tokens, mut there) = (0, 0);
        for (row, frames) in frames::of_rows(&frames, rows) {
            tokens += sentences.len(row);
            there += frames.len();
        }
        match (tokens, there) {
            (0, _) => Err(source.no_label()),
            (_, 0) => Err(TaskError::OneLabel { task: source.task.to_owned(), value: "no predicate".to_owned() }),
            _ => Ok(Predicates { share: (there as f64 / tokens as f64).clamp(1e-6, 1.0 - 1e-6) }),
        }
    }

    fn target(source: &LabelColumn, frames: &Frames) -> Result<(Vec<f32>, Vec<f32>), TaskError> {
        let sentences = source.sentences()?;
        let (mut target, mut weights) = (vec![0.0; sentences.codes.len()], vec![0.0; sentences.codes.len()]);
        for (row, frames) in frames.iter().enumerate() {
            let (Some(frames), own) = (frames, sentences.tokens(row)) else { continue };
            weights[own.clone()].fill(1.0);
            frames.iter().for_each(|frame| target[own.start + frame.predicate] = 1.0);
        }
        Ok((target, weights))
    }
}

impl Outcome for Predicates {
    fn width(&self) -> usize {
        1
    }

    fn loss(&self) -> LossKind {
        LossKind::BinaryCrossEntropy
    }

    fn initial_bias(&self) -> Vec<f32> {
        vec![(self.share / (1.0 - self.share)).ln() as f32]
    }

    fn hint(&self) -> Hint {
        Hint::Text
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let frames = frames::read(source)?;
        let (target, weights) = Self::target(source, &frames)?;
        let mut labels = Labels::new(Target::Real(target), Truth::Frames(frames::read_whole(source)?), weights);
        labels.elements = Some(source.sentences()?.offsets.clone());
        Ok(labels)
    }

    /// Frames without arguments.
    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let frame = |predicate| Frame { predicate, lemma: None, roleset: None, arguments: Vec::new() };
        let of = |row| {
            let own = output.prediction.of(row).iter().enumerate().filter(|(_, logit)| **logit > 0.0);
            own.map(|(token, _)| frame(token)).collect()
        };
        Prediction::Frames((0..output.prediction.rows()).map(of).collect())
    }

    fn constant(&self, rows: usize) -> Prediction {
        Prediction::Frames(vec![Vec::new(); rows])
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        metric::frames::predicates(frames::pairs(truth, prediction))
    }

    fn primary(&self) -> (&'static str, Better) {
        ("f1", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        match self.share > 0.0 && self.share < 1.0 {
            true => Ok(()),
            false => Err(format!("a share of {} predicates", self.share)),
        }
    }
}
