//! One of two classes.

use super::classes::{Classes, unknown_label};
use super::decision::{Decision, Seen, log};
use super::labels::{LabelColumn, Labels, Target, Truth, UNSEEN};
use super::{Layout, Outcome, Prediction, Said, TaskError};
use crate::column::levels;
use crate::inputs::truth_of;
use crate::metric::{Better, Confused, Metrics, auc, average_precision, brier, calibration_error};
use crate::section::{TaskConfig, Threshold};
use polytask_data::Hint;
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};

/// Predicts the probability of one of two classes by one output, its logit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Binary {
    /// The negative class, then the positive one.
    #[serde(flatten)]
    pub classes: Classes,
    /// Whether every label but the positive one is negative, because the column has more than two.
    pub rest: bool,
    /// What held-out rows say of its probabilities.
    #[serde(default, skip_serializing_if = "Decision::is_plain")]
    pub decision: Decision,
}

impl Binary {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let everywhere = levels(source.column).ordered(0..source.column.len());
        match &config.positive {
            Some(label) if everywhere.len() > 2 => Binary::fit_against_rest(source, config, &label.0, rows),
            None if everywhere.len() > 2 => Err(TaskError::NotBinary {
                task: source.task.to_owned(),
                column: source.column.name.clone(),
                count: everywhere.len(),
                labels: everywhere.into_iter().take(5).map(|(label, _)| label).collect(),
            }),
            positive => Binary::fit_pair(source, config, positive.as_ref().map(|label| label.0.as_str()), rows),
        }
    }

    fn fit_pair(
        source: &LabelColumn,
        config: &TaskConfig,
        positive: Option<&str>,
        rows: &[u32],
    ) -> Result<Self, TaskError> {
        let mut classes = Classes::fit(source, config, rows)?;
        let positive = match positive {
            Some(label) => classes
                .labels
                .iter()
                .position(|l| l == label)
                .ok_or_else(|| unknown_label(source.task, "positive", label, &classes.labels))?,
            None => classes.labels.iter().position(|l| truth_of(l) == Some(true)).unwrap_or(1),
        };
        if positive == 0 {
            classes.labels.reverse();
            classes.shares.reverse();
            classes.weights.reverse();
        }
        Ok(Binary { classes, rest: false, decision: Decision::default() })
    }

    /// One label against all others together, which are called `not LABEL`.
    fn fit_against_rest(
        source: &LabelColumn,
        config: &TaskConfig,
        positive: &str,
        rows: &[u32],
    ) -> Result<Self, TaskError> {
        let counted = levels(source.column).ordered(rows.iter().map(|row| *row as usize));
        let known: usize = counted.iter().map(|(_, count)| count).sum();
        let Some((_, hits)) = counted.iter().find(|(label, _)| label == positive) else {
            let labels: Vec<String> = counted.into_iter().map(|(label, _)| label).collect();
            return Err(unknown_label(source.task, "positive", positive, &labels));
        };
        let pair = [(format!("not {positive}"), known - hits), (positive.to_owned(), *hits)];
        let present: &[(String, usize)] = if *hits == known { &pair[1..] } else { &pair };
        let classes = Classes::from_counts(source, config, present)?;
        Ok(Binary { classes, rest: true, decision: Decision::default() })
    }

    /// The class of every row.
    fn read(&self, source: &LabelColumn) -> Vec<u32> {
        let mut classes = self.classes.read(source);
        if self.rest {
            classes.iter_mut().filter(|class| **class == UNSEEN).for_each(|class| *class = 0);
        }
        classes
    }

    /// See [`Task::decide`](super::Task::decide); an empty text where no threshold meets the aim.
    pub(super) fn decide(
        &mut self,
        calibrates: bool,
        aim: Option<Threshold>,
        truth: &[u32],
        held: Prediction,
    ) -> (Prediction, Vec<String>) {
        let Prediction::Classes { probabilities, .. } = &held else { return (held, Vec::new()) };
        let logits: Vec<f64> = probabilities.chunks_exact(2).map(|row| log(row[1]) - log(row[0])).collect();
        let rows = truth.iter().zip(&logits).filter(|(class, _)| **class < 2);
        let (known, seen): (Vec<u32>, Vec<f64>) = rows.map(|(class, z)| (*class, *z)).unzip();
        if calibrates {
            self.decision.calibrate(&[Seen { logits: &seen, truth: &known, classes: 1 }]);
        }
        let found = aim.map(|aim| self.decision.find(aim, &seen, &known));
        let unmet = if found == Some(None) { vec![String::new()] } else { Vec::new() };
        self.decision.thresholds = found.flatten().into_iter().collect();
        let pairs = logits.iter().map(|z| (1.0 / (1.0 + self.decision.logit(*z).exp()), self.decision.positive(*z)));
        (self.of_probabilities(Binary::pairs(pairs)), unmet)
    }

    /// A prediction from the probabilities of both classes of each row.
    pub(super) fn of_probabilities(&self, probabilities: Vec<f64>) -> Prediction {
        let least = self.decision.thresholds.first();
        self.classes.prediction(probabilities, least.map_or(Said::Likeliest, |least| Said::Above(*least)))
    }

    /// Probabilities of both classes from that of the positive one and that of the negative one.
    fn pairs(pairs: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
        pairs.flat_map(|(negative, positive)| [negative, positive]).collect()
    }
}

impl Outcome for Binary {
    fn width(&self) -> usize {
        1
    }

    fn loss(&self) -> LossKind {
        LossKind::BinaryCrossEntropy
    }

    fn initial_bias(&self) -> Vec<f32> {
        match self.classes.shares[..] {
            [negative, positive] => vec![(positive / negative).ln() as f32],
            _ => vec![0.0],
        }
    }

    fn hint(&self) -> Hint {
        if self.classes.numbers { Hint::Number } else { Hint::Text }
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let classes = self.read(source);
        let target = classes.iter().map(|class| if *class == 1 { 1.0 } else { 0.0 }).collect();
        let weights = self.classes.row_weights(&classes);
        Ok(Labels::new(Target::Real(target), Truth::Classes(classes), weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        // Both are computed from the logit, so that neither loses its digits near 0.
        let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
        let logits = output.prediction.values().iter().map(|z| self.decision.logit(f64::from(*z)));
        self.of_probabilities(Binary::pairs(logits.map(|z| (sigmoid(-z), sigmoid(z)))))
    }

    fn constant(&self, rows: usize) -> Prediction {
        self.classes.prediction(self.classes.shares.repeat(rows), Said::Likeliest)
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (truth, predicted, probabilities) = prediction.known_classes(truth);
        let mut metrics = self.classes.score(&truth, &predicted, &probabilities);
        // A class that training never saw is neither positive nor negative.
        let of = |(y, row): (&u32, &[f64])| (*y < 2).then(|| (*y == 1, row.get(1).copied().unwrap_or(f64::NAN)));
        let (positive, scores): (Vec<bool>, Vec<f64>) =
            truth.iter().zip(probabilities.chunks_exact(2)).filter_map(of).unzip();
        metrics.push("auc", Better::Higher, auc(&positive, &scores));
        metrics.push("average_precision", Better::Higher, average_precision(&positive, &scores));
        let confused = Confused::of(&truth, &predicted);
        metrics.push("precision", Better::Higher, confused.precision());
        metrics.push("recall", Better::Higher, confused.recall());
        metrics.push("mcc", Better::Higher, confused.mcc());
        metrics.push("brier", Better::Lower, brier(&positive, &scores));
        let claims: Vec<(f64, bool)> = scores.into_iter().zip(positive).collect();
        metrics.push("calibration_error", Better::Lower, calibration_error(&claims));
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("auc", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        match self.classes.labels.len() {
            2 => self.classes.check().and_then(|()| self.decision.check(1)),
            n => Err(format!("a binary task with {n} classes")),
        }
    }
}
