//! One of several classes for each token.

use super::classes::Classes;
use super::labels::{LabelColumn, Labels, MISSING, Target, Truth, UNSEEN};
use super::{Layout, Outcome, Prediction, TaskError};
use crate::metric::{Better, Metrics};
use crate::section::TaskConfig;
use polytask_data::{Hint, Values};
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Predicts the class of every token, such as its part of speech, by one logit each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenCategory {
    /// In the order of the outputs.
    #[serde(flatten)]
    pub classes: Classes,
}

impl TokenCategory {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let items = items(source)?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for &row in rows {
            for label in items.get(row as usize).into_iter().flatten().flatten().flatten() {
                *counts.entry(label).or_default() += 1;
            }
        }
        let counted: Vec<(String, usize)> =
            counts.into_iter().map(|(label, count)| (label.to_owned(), count)).collect();
        Ok(TokenCategory { classes: Classes::from_counts(source, config, &counted)? })
    }
}

/// The labels of the tokens of every row; none where a row has none, or a token.
type Items<'a> = Vec<Option<Vec<Option<&'a str>>>>;

fn items<'a>(source: &LabelColumn<'a>) -> Result<Items<'a>, TaskError> {
    let sentences = source.sentences()?;
    let mut all = Vec::with_capacity(sentences.rows());
    for row in 0..sentences.rows() {
        let labels: Option<Vec<Option<&str>>> = match &source.column.values {
            Values::List(list) => list.get(row).map(Iterator::collect),
            Values::Text(text) => text.get(row).map(|labels| labels.split_whitespace().map(Some).collect()),
            _ => return Err(source.not_lists()),
        };
        let whole = sentences.whole[row] as usize;
        if let Some(labels) = labels.as_ref().filter(|labels| labels.len() != whole) {
            return Err(TaskError::Tags {
                place: Box::new(source.table.place(row)),
                task: source.task.to_owned(),
                reason: format!("{} labels for {whole} tokens", labels.len()),
            });
        }
        all.push(labels);
    }
    Ok(all)
}

impl Outcome for TokenCategory {
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
        Hint::Text
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let sentences = source.sentences()?;
        let at: HashMap<&str, u32> =
            self.classes.labels.iter().enumerate().map(|(i, label)| (label.as_str(), i as u32)).collect();
        // What the loss sees ends where the text is cut; what is measured does not.
        let mut read = Vec::with_capacity(sentences.codes.len());
        let (mut offsets, mut classes) = (vec![0], Vec::with_capacity(read.capacity()));
        for (row, labels) in items(source)?.into_iter().enumerate() {
            let whole = sentences.whole[row] as usize;
            let class = |label: Option<&str>| label.map_or(MISSING, |l| at.get(l).copied().unwrap_or(UNSEEN));
            match labels {
                Some(labels) => classes.extend(labels.into_iter().map(class)),
                None => classes.extend(std::iter::repeat_n(MISSING, whole)),
            }
            let start = offsets.last().copied().unwrap_or(0) as usize;
            read.extend_from_slice(classes.get(start..start + sentences.len(row)).unwrap_or_default());
            offsets.push(classes.len() as u32);
        }
        let count = self.width() as u32;
        let target = read.iter().map(|class| if *class < count { *class } else { 0 }).collect();
        let weights = self.classes.row_weights(&read);
        let truth = Truth::Tokens { offsets, classes };
        let mut labels = Labels::new(Target::Class(target), truth, weights);
        labels.elements = Some(sentences.offsets.clone());
        Ok(labels)
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let classes = self.classes.of_elements(&output.prediction);
        Prediction::Tokens { labels: self.classes.labels.clone(), classes }
    }

    fn constant(&self, rows: usize) -> Prediction {
        self.constant_in(&Layout::of_elements(std::iter::repeat_n(0, rows)))
    }

    fn constant_in(&self, layout: &Layout) -> Prediction {
        let shares: Vec<f32> = self.classes.shares.iter().map(|share| *share as f32).collect();
        self.predict(&layout.repeat(&shares), layout)
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (Truth::Tokens { offsets, classes }, Prediction::Tokens { classes: predicted, .. }) = (truth, prediction)
        else {
            return Metrics::default();
        };
        let rows = offsets.windows(2).zip(predicted);
        // Tokens past those that are read have no prediction, which is a mistake.
        let pairs = rows.flat_map(|(own, predicted)| {
            let all = predicted.iter().copied().chain(std::iter::repeat(MISSING));
            classes[own[0] as usize..own[1] as usize].iter().copied().zip(all)
        });
        let (truth, predicted): (Vec<u32>, Vec<u32>) = pairs.filter(|(truth, _)| *truth != MISSING).unzip();
        let mut metrics = Metrics::new(truth.len());
        metrics.push("accuracy", Better::Higher, crate::metric::accuracy(&truth, &predicted));
        metrics.push("macro_f1", Better::Higher, crate::metric::macro_f1(&truth, &predicted));
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("accuracy", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        self.classes.check()
    }
}
