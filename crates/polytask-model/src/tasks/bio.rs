//! Tags that say which tokens are spans of which label: how they are learnt and decoded.

use super::viterbi::{NEVER, viterbi};
use super::{Site, TaskError};
use crate::section::{TaskConfig, TaskLoss};
use crate::tasks::labels::LabelColumn;
use polytask_data::text::Span;
use polytask_exec::TaskOutput;
use polytask_graph::{GraphBuilder, LossKind, NodeId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Spans of some labels as tags of tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TagSet {
    /// Of the spans of the training rows, in the order of their characters.
    pub labels: Vec<String>,
    /// The share of each tag among the tokens of the training rows, `O`, `B-` and `I-` of the first label, and so on.
    pub shares: Vec<f64>,
    /// Whether which tag follows which is learnt, and sequences are learnt as a whole.
    #[serde(default)]
    pub crf: bool,
}

pub(super) const OUTSIDE: u32 = 0;

impl TagSet {
    /// Counts the tags of sequences, each a number of tokens with its spans.
    ///
    /// # Errors
    /// No sequence, or none with a span.
    pub(super) fn fit<'a>(
        source: &LabelColumn,
        config: &TaskConfig,
        default: TaskLoss,
        sequences: impl Iterator<Item = (usize, &'a [Span])>,
    ) -> Result<Self, TaskError> {
        let mut counts: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
        let (mut tokens, mut labelled) = (0, false);
        for (length, spans) in sequences {
            labelled = true;
            tokens += length;
            for span in spans {
                let [begin, inside] = counts.entry(&span.label).or_default();
                *begin += 1;
                *inside += span.last - span.first;
            }
        }
        if !labelled {
            return Err(source.no_label());
        }
        if counts.is_empty() {
            return Err(TaskError::OneLabel { task: source.task.to_owned(), value: "O".to_owned() });
        }
        let labels: Vec<String> = counts.keys().map(|label| (*label).to_owned()).collect();
        let inside: usize = counts.values().flatten().sum();
        let all = std::iter::once(tokens.saturating_sub(inside)).chain(counts.into_values().flatten());
        // A tag that training rows do not have is rare, but not impossible.
        let shares: Vec<f64> = all.map(|count| count as f64 + 0.5).collect();
        let sum: f64 = shares.iter().sum();
        let crf = config.loss.unwrap_or(default) == TaskLoss::Crf;
        Ok(TagSet { labels, shares: shares.into_iter().map(|share| share / sum).collect(), crf })
    }

    /// The number of tags.
    pub(super) fn width(&self) -> usize {
        1 + 2 * self.labels.len()
    }

    pub(super) fn initial_bias(&self) -> Vec<f32> {
        self.shares.iter().map(|share| share.ln() as f32).collect()
    }

    pub(super) fn attach(&self, g: &mut GraphBuilder, site: &Site<'_>, output: NodeId) {
        match self.crf {
            true => g.named(site.name("crf")).crf_loss(site.task, output),
            false => g.loss(site.task, output, LossKind::CrossEntropy),
        };
    }

    /// Where each label stands.
    pub(super) fn index(&self) -> BTreeMap<&str, u32> {
        self.labels.iter().enumerate().map(|(i, label)| (label.as_str(), i as u32)).collect()
    }

    /// Writes the tags of a sequence with these spans. What training never saw cannot be learnt: its tokens weigh nothing,
    /// and where sequences are learnt as a whole all of them.
    pub(super) fn write(&self, index: &BTreeMap<&str, u32>, spans: &[Span], target: &mut [u32], weights: &mut [f32]) {
        target.fill(OUTSIDE);
        weights.fill(1.0);
        let end = target.len();
        let mut unseen = false;
        for span in spans.iter().filter(|span| span.first < end) {
            for token in span.first..=span.last.min(end - 1) {
                match index.get(span.label.as_str()) {
                    Some(label) => target[token] = 1 + 2 * label + u32::from(token > span.first),
                    None => (weights[token], unseen) = (0.0, true),
                }
            }
        }
        if unseen && self.crf {
            weights.fill(0.0);
        }
    }

    /// What decodes sequences of scores, with what an output has learnt of which tag follows which (nothing: all follow
    /// alike).
    pub(super) fn decoder(&self, output: &TaskOutput) -> impl Fn(&[f32]) -> Vec<Span> {
        let (start, steps) = self.rules(output.transitions.as_deref().unwrap_or_default());
        move |scores| self.spans(&viterbi(scores, &start, &steps))
    }

    /// The tags in the order of their outputs: `O`, then `B-` and `I-` of each label.
    pub fn tags(&self) -> Vec<String> {
        let both = self.labels.iter().flat_map(|label| ["B", "I"].map(|part| format!("{part}-{label}")));
        std::iter::once("O".to_owned()).chain(both).collect()
    }

    /// What is added to the score of a tag at the first token, and to that of a step from one tag to the next, `tags x tags`:
    /// what is learnt (`(tags + 1) x tags`, the start first; none of it is nothing), or minus infinity where it may not be.
    pub fn rules(&self, transitions: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let tags = self.width();
        let inside = |tag: usize| tag != 0 && tag.is_multiple_of(2);
        let learnt = |i: usize| transitions.get(i).copied().unwrap_or(0.0);
        // `I-x` follows `B-x` and `I-x` alone.
        let start: Vec<f32> = (0..tags).map(|tag| if inside(tag) { NEVER } else { learnt(tag) }).collect();
        let follows = |before: usize, after: usize| !inside(after) || before == after || before + 1 == after;
        let step = |i: usize| if follows(i / tags, i % tags) { learnt(tags + i) } else { NEVER };
        (start, (0..tags * tags).map(step).collect())
    }

    /// The spans of a decoded sequence of tags.
    fn spans(&self, tags: &[u32]) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        for (token, &tag) in tags.iter().enumerate() {
            if tag == OUTSIDE {
                continue;
            }
            let label = &self.labels[(tag as usize - 1) / 2];
            match spans.last_mut().filter(|span| tag % 2 == 0 && span.last + 1 == token && span.label == *label) {
                Some(span) => span.last = token,
                None => spans.push(Span { first: token, last: token, label: label.clone() }),
            }
        }
        spans
    }

    pub(super) fn check(&self) -> Result<(), String> {
        match !self.labels.is_empty() && self.shares.len() == self.width() && self.shares.iter().all(|s| *s > 0.0) {
            true => Ok(()),
            false => Err(format!("{} labels with {} shares", self.labels.len(), self.shares.len())),
        }
    }
}
