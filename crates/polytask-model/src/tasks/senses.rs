//! The senses of predicates.

use super::domains::AT;
use super::frames;
use super::labels::{LabelColumn, Labels, Target, Truth};
use super::{Layout, Outcome, Place, Prediction, Site, TaskError, WIDEST};
use crate::metric::{self, Better, Metrics};
use crate::section::TaskConfig;
use polytask_data::Hint;
use polytask_data::text::Frame;
use polytask_exec::TaskOutput;
use polytask_graph::{GraphBuilder, LossKind, NodeId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Predicts the sense of every predicate among those that its lemma has in the training rows. Of a lemma that is not given
/// with the predicate, those of all lemmas that its form has there, or of the form without an ending; of a lemma that
/// training never saw the commonest number of a sense, `LEMMA.01`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Senses {
    /// Those of the training rows.
    pub labels: Vec<String>,
    /// The share of the predicates of the training rows that have each.
    pub shares: Vec<f64>,
    /// The senses of each lemma, as places in `labels`.
    pub lemmas: BTreeMap<String, Vec<u32>>,
    /// The lemmas of each form, in lower case.
    pub forms: BTreeMap<String, Vec<String>>,
    /// What stands behind the lemma and a dot in the commonest sense; none where senses are not written so.
    pub first: Option<String>,
    /// Features that stand for a predicate.
    pub width: usize,
}

/// The lemma of a frame: the one given, or what stands before the last dot of its sense.
fn lemma(frame: &Frame) -> Option<&str> {
    let before = || frame.roleset.as_deref().and_then(|sense| sense.rsplit_once('.')).map(|(lemma, _)| lemma);
    frame.lemma.as_deref().or_else(before)
}

impl Senses {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let (sentences, frames) = (source.sentences()?, frames::read(source)?);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut endings: BTreeMap<&str, usize> = BTreeMap::new();
        let mut senses: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        let mut forms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (row, frames) in frames::of_rows(&frames, rows) {
            for frame in frames {
                let Some(sense) = frame.roleset.as_deref() else { continue };
                *counts.entry(sense).or_default() += 1;
                let Some(lemma) = lemma(frame) else { continue };
                senses.entry(lemma).or_default().insert(sense);
                let form = sentences.word(sentences.tokens(row).start + frame.predicate).to_lowercase();
                forms.entry(form).or_default().insert(lemma.to_owned());
                if let Some(ending) = sense.strip_prefix(lemma).and_then(|rest| rest.strip_prefix('.')) {
                    *endings.entry(ending).or_default() += 1;
                }
            }
        }
        let total: usize = counts.values().sum();
        match counts.len() {
            0 => return Err(source.no_label()),
            1 => {
                let value = counts.keys().next().copied().unwrap_or_default().to_owned();
                return Err(TaskError::OneLabel { task: source.task.to_owned(), value });
            }
            _ => {}
        }
        let labels: Vec<String> = counts.keys().map(|sense| (*sense).to_owned()).collect();
        let at: HashMap<&str, u32> = counts.keys().enumerate().map(|(i, sense)| (*sense, i as u32)).collect();
        let place = |senses: BTreeSet<&str>| senses.iter().filter_map(|sense| at.get(sense).copied()).collect();
        let commonest = endings.iter().max_by_key(|(_, count)| **count).filter(|(_, count)| 2 * **count > total / 2);
        Ok(Senses {
            shares: counts.values().map(|count| *count as f64 / total as f64).collect(),
            lemmas: senses.into_iter().map(|(lemma, senses)| (lemma.to_owned(), place(senses))).collect(),
            forms: forms.into_iter().map(|(form, lemmas)| (form, lemmas.into_iter().collect())).collect(),
            first: commonest.map(|(ending, _)| (*ending).to_owned()),
            width: config.width.unwrap_or(128),
            labels,
        })
    }

    /// The lemmas that a predicate may have.
    fn candidates<'a>(&'a self, place: &'a Place) -> Vec<&'a str> {
        if let Some(lemma) = &place.lemma {
            return vec![lemma];
        }
        if let Some(lemmas) = self.forms.get(&place.form) {
            return lemmas.iter().map(String::as_str).collect();
        }
        stems(&place.form).into_iter().filter_map(|stem| Some(self.lemmas.get_key_value(&stem)?.0.as_str())).collect()
    }

    /// The sense of a predicate by the logits of all of them.
    fn choose(&self, place: &Place, logits: &[f32]) -> String {
        let lemmas = self.candidates(place);
        let known = lemmas.iter().filter_map(|lemma| self.lemmas.get(*lemma)).flatten();
        let best = |best: Option<u32>, sense: u32| match best {
            Some(old) if logits[old as usize] >= logits[sense as usize] => Some(old),
            _ => Some(sense),
        };
        if let Some(sense) = known.copied().fold(None, best) {
            return self.labels[sense as usize].clone();
        }
        match &self.first {
            Some(first) => format!("{}.{first}", lemmas.first().copied().unwrap_or(&place.form)),
            None => (0..self.labels.len() as u32)
                .fold(None, best)
                .map_or_else(String::new, |sense| self.labels[sense as usize].clone()),
        }
    }
}

/// A form without the endings of English verbs, nearest first.
fn stems(form: &str) -> Vec<String> {
    let mut stems = vec![form.to_owned()];
    for (ending, instead) in [("ies", "y"), ("ied", "y"), ("es", ""), ("s", ""), ("ing", ""), ("ed", ""), ("d", "")] {
        let Some(stem) = form.strip_suffix(ending).filter(|stem| stem.len() > 1) else { continue };
        stems.extend([format!("{stem}{instead}"), format!("{stem}e")]);
        // planned, plan
        let mut last = stem.chars().rev();
        if let (Some(a), Some(b)) = (last.next(), last.next())
            && a == b
        {
            stems.push(stem.strip_suffix(a).unwrap_or(stem).to_owned());
        }
    }
    stems
}

impl Outcome for Senses {
    fn width(&self) -> usize {
        self.labels.len()
    }

    fn loss(&self) -> LossKind {
        LossKind::CrossEntropy
    }

    fn output(&self, g: &mut GraphBuilder, site: &Site<'_>, h: NodeId) -> NodeId {
        let at = site.input(g, AT);
        let predicate = g.named(site.name("predicate.gather")).gather(h, at, 0);
        let predicate = site.hidden(g, "predicate", predicate, self.width);
        site.output(g, predicate, self.labels.len())
    }

    fn initial_bias(&self) -> Vec<f32> {
        self.shares.iter().map(|share| share.ln() as f32).collect()
    }

    fn hint(&self) -> Hint {
        Hint::Text
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let frames = frames::read(source)?;
        let at: HashMap<&str, u32> = self.labels.iter().enumerate().map(|(i, l)| (l.as_str(), i as u32)).collect();
        let (mut target, mut weights, mut offsets) = (Vec::new(), Vec::new(), vec![0]);
        for frames in &frames {
            for frame in frames.iter().flatten() {
                let sense = frame.roleset.as_deref().and_then(|sense| at.get(sense));
                target.push(sense.copied().unwrap_or(0));
                weights.push(if sense.is_some() { 1.0 } else { 0.0 });
            }
            offsets.push(target.len() as u32);
        }
        let mut labels = Labels::new(Target::Class(target), Truth::Frames(frames::read_whole(source)?), weights);
        labels.elements = Some(offsets);
        Ok(labels)
    }

    fn predict(&self, output: &TaskOutput, layout: &Layout) -> Prediction {
        let all = &output.prediction;
        let of = |row| {
            let logits = all.of(row).chunks_exact(all.width().max(1));
            let sense = |(place, logits): (&Place, &[f32])| Frame {
                roleset: Some(self.choose(place, logits)),
                ..place.frame(Vec::new())
            };
            layout.predicates(row).iter().zip(logits).map(sense).collect()
        };
        Prediction::Frames((0..all.rows()).map(of).collect())
    }

    fn constant(&self, rows: usize) -> Prediction {
        Prediction::Frames(vec![Vec::new(); rows])
    }

    /// Every predicate in the commonest sense of its lemma.
    fn constant_in(&self, layout: &Layout) -> Prediction {
        let shares: Vec<f32> = self.shares.iter().map(|share| *share as f32).collect();
        self.predict(&layout.repeat(&shares), layout)
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        metric::frames::senses(frames::pairs(truth, prediction))
    }

    fn primary(&self) -> (&'static str, Better) {
        ("accuracy", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        let n = self.labels.len();
        let far = self.lemmas.values().flatten().any(|sense| *sense as usize >= n);
        let width = (1..=WIDEST).contains(&self.width);
        match n > 1 && width && self.shares.len() == n && !far && self.shares.iter().all(|s| *s > 0.0) {
            true => Ok(()),
            false => Err(format!("{n} senses with {} shares and a width of {}", self.shares.len(), self.width)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::stems;

    #[test]
    fn stems_of_forms() {
        for (form, stem) in [("planned", "plan"), ("makes", "make"), ("tries", "try"), ("going", "go"), ("used", "use")]
        {
            assert!(stems(form).iter().any(|s| s == stem), "{form}: {:?}", stems(form));
        }
    }
}
