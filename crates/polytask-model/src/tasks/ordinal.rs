//! One of several classes in an order, such as grades or stages.

use super::classes::Classes;
use super::labels::{LabelColumn, Labels, Target, Truth};
use super::{Layout, Outcome, Prediction, Said, TaskError};
use crate::column::levels;
use crate::metric::{self, Better, Metrics};
use crate::section::TaskConfig;
use polytask_data::{Hint, Values};
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};

/// Classes at most: more are a quantity.
const MOST: usize = 64;

/// Predicts by one logit for each class but the last the probability that the class is a higher one (Frank and Hall, "A simple
/// approach to ordinal classification", ECML 2001); such probabilities that rise along the order are lowered to the least
/// before them. The class in the middle of the probabilities is said, which is wrong by the fewest places.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ordinal {
    /// From the lowest to the highest.
    #[serde(flatten)]
    pub classes: Classes,
}

impl Ordinal {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let counted = levels(source.column).ordered(rows.iter().map(|row| *row as usize));
        let numbers = matches!(source.column.values, Values::Number(_));
        let counted: Vec<(String, usize)> = match &config.order {
            Some(order) => {
                if let Some((label, _)) = counted.iter().find(|(label, _)| order.iter().all(|own| own.0 != *label)) {
                    return Err(source.own(None, format!("`order` does not name the label `{label}`")));
                }
                let count = |label: &str| counted.iter().find(|(own, _)| own == label).map_or(0, |(_, count)| *count);
                let all = order.iter().map(|label| (label.0.clone(), count(&label.0)));
                all.filter(|(_, count)| *count > 0).collect()
            }
            // Numbers stand in the order of their values.
            None if numbers || counted.iter().all(|(label, _)| label.parse::<f64>().is_ok()) => counted,
            None => {
                let named: Vec<String> = counted.iter().take(5).map(|(label, _)| format!("\"{label}\"")).collect();
                return Err(source.own(
                    None,
                    format!(
                        "words have no order of their own; say it from the lowest to the highest, order = [{}]",
                        named.join(", ")
                    ),
                ));
            }
        };
        if counted.len() > MOST {
            let (task, column) = (source.task.to_owned(), source.column.name.clone());
            return Err(TaskError::NoClasses { task, column, count: counted.len(), rows: rows.len() });
        }
        Ok(Ordinal { classes: Classes::from_counts(source, config, &counted)? })
    }

    /// Probabilities of the classes from those of being above each but the last.
    fn of_steps(&self, above: &[f64]) -> Prediction {
        let count = self.classes.labels.len();
        let mut probabilities = Vec::with_capacity(above.len() / (count - 1) * count);
        for row in above.chunks_exact(count - 1) {
            let mut before = 1.0;
            for step in row {
                let step = step.min(before);
                probabilities.push(before - step);
                before = step;
            }
            probabilities.push(before);
        }
        Prediction::Classes { labels: self.classes.labels.clone(), probabilities, said: Said::Middle }
    }
}

impl Outcome for Ordinal {
    fn width(&self) -> usize {
        self.classes.labels.len() - 1
    }

    fn loss(&self) -> LossKind {
        LossKind::BinaryCrossEntropy
    }

    fn initial_bias(&self) -> Vec<f32> {
        let mut above = 1.0;
        let step = |share: &f64| {
            above -= share;
            (above / (1.0 - above)).ln() as f32
        };
        self.classes.shares[..self.width()].iter().map(step).collect()
    }

    fn hint(&self) -> Hint {
        if self.classes.numbers { Hint::Number } else { Hint::Text }
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let classes = self.classes.read(source);
        let width = self.width();
        let above = |class: u32| (0..width as u32).map(move |step| if class > step { 1.0 } else { 0.0 });
        let target = classes.iter().copied().flat_map(above).collect();
        let weights = self.classes.row_weights(&classes);
        Ok(Labels::new(Target::Real(target), Truth::Classes(classes), weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let above = output.prediction.values().iter().map(|z| 1.0 / (1.0 + (-f64::from(*z)).exp()));
        self.of_steps(&above.collect::<Vec<_>>())
    }

    fn constant(&self, rows: usize) -> Prediction {
        let probabilities = self.classes.shares.repeat(rows);
        Prediction::Classes { labels: self.classes.labels.clone(), probabilities, said: Said::Middle }
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (truth, predicted, probabilities) = prediction.known_classes(truth);
        let mut metrics = Metrics::new(truth.len());
        let count = self.classes.labels.len();
        metrics.push("quadratic_kappa", Better::Higher, metric::quadratic_kappa(&truth, &predicted, count));
        metrics.push("mae", Better::Lower, metric::places_off(&truth, &predicted, count));
        let plain = self.classes.score(&truth, &predicted, &probabilities);
        metrics.scores.extend(plain.scores);
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("quadratic_kappa", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        self.classes.check()
    }
}
