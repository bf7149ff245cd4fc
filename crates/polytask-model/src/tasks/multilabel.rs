//! Any number of labels a row.

use super::decision::{Decision, Seen, log};
use super::labels::{LabelColumn, Labels, Target, Truth};
use super::{Layout, Outcome, Prediction, TaskError};
use crate::column::levels;
use crate::inputs::truth_of;
use crate::metric::{self, Better, Metrics, Ranked};
use crate::section::{TaskConfig, Threshold};
use polytask_data::{Column, Hint, Values};
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Labels at most; more are surely free text.
const MOST: usize = 4096;

/// Predicts for each of several labels the probability that a row has it, by one logit each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Multilabel {
    /// In the order of the outputs.
    pub labels: Vec<String>,
    /// The share of the labelled training rows that have each.
    pub shares: Vec<f64>,
    /// What stands between the labels of a row that are written in one text.
    pub separator: String,
    /// Whether each label is a column of its own that says whether it is there.
    pub columns: bool,
    /// What held-out rows say of its probabilities.
    #[serde(default, skip_serializing_if = "Decision::is_plain")]
    pub decision: Decision,
}

/// What the rows of a table have: by row the labels, 1 or 0 or, where that is unknown, NaN.
type Flags = Vec<f32>;

impl Multilabel {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let found = || separator_of(source.column).unwrap_or(SEPARATOR).to_owned();
        let separator = config.separator.clone().unwrap_or_else(found);
        let (columns, decision) = (config.columns.is_some(), Decision::default());
        let mut task = Multilabel { labels: Vec::new(), shares: Vec::new(), separator, columns, decision };
        task.labels = match &config.columns {
            Some(columns) => columns.clone(),
            None => task.found(source.column, rows),
        };
        if task.labels.is_empty() {
            return Err(source.no_label());
        }
        if task.labels.len() > MOST {
            let (task, column) = (source.task.to_owned(), source.column.name.clone());
            return Err(TaskError::NoClasses { task, column, count: MOST + 1, rows: rows.len() });
        }
        let flags = task.flags(source)?;
        let width = task.labels.len();
        for i in 0..width {
            let known = rows.iter().map(|row| flags[*row as usize * width + i]).filter(|flag| !flag.is_nan());
            let (count, there) = known.fold((0u32, 0.0), |(count, there), flag| (count + 1, there + f64::from(flag)));
            task.shares.push(there / f64::from(count.max(1)));
        }
        match task.shares.iter().all(|share| *share == 0.0 || *share == 1.0) {
            true => Err(TaskError::OneLabel { task: source.task.to_owned(), value: task.labels.join(&task.separator) }),
            false => Ok(task),
        }
    }

    /// The labels that some of `rows` have, in the order of their characters.
    fn found(&self, column: &Column, rows: &[u32]) -> Vec<String> {
        let mut found = BTreeMap::new();
        for row in rows {
            for label in self.of_row(column, *row as usize).unwrap_or_default() {
                found.entry(label.to_owned()).or_insert(());
            }
        }
        found.into_keys().collect()
    }

    /// The labels of a row of one column; none where they are missing.
    pub(crate) fn of_row<'a>(&self, column: &'a Column, row: usize) -> Option<Vec<&'a str>> {
        let trimmed = |labels: Vec<&'a str>| labels.into_iter().map(str::trim).filter(|l| !l.is_empty()).collect();
        match &column.values {
            Values::Text(text) => Some(trimmed(parts(text.get(row)?, &self.separator))),
            Values::List(list) => Some(trimmed(list.get(row)?.flatten().collect())),
            _ => None,
        }
    }

    /// What is to be said of how its labels were told apart where nobody has said it.
    pub(crate) fn said_of(&self, column: &Column) -> Option<String> {
        let Values::Text(text) = &column.values else { return None };
        if self.separator != SEPARATOR {
            let separator = &self.separator;
            return Some(format!(
                "no row has several labels with `|` between them, but many with `{separator}`, which was taken for what parts them; separator = \"|\" has it otherwise"
            ));
        }
        let lists = text.levels.iter().filter(|level| list(level).is_some()).count();
        if 2 * lists > text.levels.len() {
            return Some("its labels are lists as Python and JSON write them, and were read as such".to_owned());
        }
        let plain = || text.levels.iter().map(String::as_str).filter(|level| list(level).is_none());
        let several = plain().any(|level| level.contains(SEPARATOR));
        let mark = DOUBTFUL.into_iter().find(|mark| !several && are_parted(plain(), mark))?;
        Some(format!(
            "no row has several labels with `|` between them, but many hold `{mark}`, and were taken for one label each; if that parts \
             them, say separator = \"{mark}\""
        ))
    }

    fn flags(&self, source: &LabelColumn) -> Result<Flags, TaskError> {
        let (rows, width) = (source.column.len(), self.labels.len());
        let mut flags = vec![f32::NAN; rows * width];
        if self.columns {
            for (i, name) in self.labels.iter().enumerate() {
                let own = LabelColumn::find(source.task, name, source.table)?;
                for (row, flag) in truths(&own)?.into_iter().enumerate() {
                    flags[row * width + i] = flag;
                }
            }
            return Ok(flags);
        }
        if !matches!(source.column.values, Values::Text(_) | Values::List(_)) {
            let (task, column) = (source.task.to_owned(), source.column.name.clone());
            return Err(TaskError::NotLabels { task, column, found: source.column.kind() });
        }
        for (row, flags) in flags.chunks_exact_mut(width).enumerate() {
            let Some(there) = self.of_row(source.column, row) else { continue };
            for (label, flag) in self.labels.iter().zip(flags) {
                *flag = if there.contains(&label.as_str()) { 1.0 } else { 0.0 };
            }
        }
        Ok(flags)
    }

    /// See [`Task::decide`](super::Task::decide); the labels for which no threshold meets the aim.
    pub(super) fn decide(
        &mut self,
        calibrates: bool,
        aim: Option<Threshold>,
        flags: &[f32],
        held: Prediction,
    ) -> (Prediction, Vec<String>) {
        let Prediction::Labels { probabilities, .. } = &held else { return (held, Vec::new()) };
        let width = self.labels.len();
        let logits: Vec<f64> = probabilities.iter().map(|p| log(*p) - log(1.0 - p)).collect();
        let column = |label: usize| -> (Vec<u32>, Vec<f64>) {
            let own = flags.iter().zip(&logits).skip(label).step_by(width).filter(|(flag, _)| !flag.is_nan());
            own.map(|(flag, z)| (u32::from(*flag == 1.0), *z)).unzip()
        };
        let columns: Vec<(Vec<u32>, Vec<f64>)> = (0..width).map(column).collect();
        if calibrates {
            let seen = columns.iter().map(|(truth, logits)| Seen { logits, truth, classes: 1 });
            self.decision.calibrate(&seen.collect::<Vec<_>>());
        }
        let mut unmet = Vec::new();
        if let Some(aim) = aim {
            let found = columns.iter().zip(&self.labels).map(|((truth, logits), label)| {
                let found = self.decision.find(aim, logits, truth);
                unmet.extend(found.is_none().then(|| format!(" for `{label}`")));
                found.unwrap_or(0.5)
            });
            self.decision.thresholds = found.collect();
        }
        (self.of_probabilities(logits.iter().map(|z| self.decision.positive(*z)).collect()), unmet)
    }

    /// A prediction from the probabilities of all labels of each row.
    pub(super) fn of_probabilities(&self, probabilities: Vec<f64>) -> Prediction {
        let (labels, thresholds) = (self.labels.clone(), self.decision.thresholds.clone());
        Prediction::Labels { labels, probabilities, thresholds, separator: self.separator.clone() }
    }

    /// The labels of rows with a known label, each with its score.
    fn ranked(&self, truth: &Truth, prediction: &Prediction) -> (usize, Vec<Ranked>) {
        let (Truth::Flags { values, .. }, Prediction::Labels { probabilities, .. }) = (truth, prediction) else {
            return Default::default();
        };
        let width = self.labels.len();
        let rows = (0..truth.len()).filter(|row| truth.known(*row)).count();
        let one = |i: usize| {
            let column = values.iter().zip(probabilities).skip(i).step_by(width);
            let known = column.filter(|(flag, _)| !flag.is_nan()).map(|(flag, score)| (*flag == 1.0, *score));
            let (there, scores) = known.unzip();
            Ranked { there, scores, threshold: self.decision.threshold(i) }
        };
        (rows, (0..width).map(one).collect())
    }
}

/// What stands between labels unless a config says otherwise.
const SEPARATOR: &str = "|";
/// What else people put there.
const OTHERS: [&str; 2] = [",", ";"];
/// What people put there as well, though it may stand within a label.
const DOUBTFUL: [&str; 4] = [" ", "/", "+", "&"];

/// The labels of a text: those of a list as Python and JSON write it, or what stands between separators.
fn parts<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    match list(text) {
        Some(items) => items.split(',').map(|item| item.trim().trim_matches(['\'', '"'])).collect(),
        None => text.split(separator).collect(),
    }
}

/// What stands within the brackets of a list of quoted words, `['a', 'b']`, or of none.
fn list(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let quoted = |mark: char| inside.starts_with(mark) && inside.ends_with(mark) && inside.len() > 1;
    (inside.is_empty() || quoted('\'') || quoted('"')).then_some(inside)
}

/// What parts the labels of a column of texts, if some rows have several: `|`, or `,` or `;` where no row has that and it
/// makes few labels of many texts. Lists in brackets part theirs by themselves.
pub fn separator_of(column: &Column) -> Option<&'static str> {
    let Values::Text(text) = &column.values else { return None };
    let plain = || text.levels.iter().map(String::as_str).filter(|level| list(level).is_none());
    if plain().any(|level| level.contains(SEPARATOR)) {
        return Some(SEPARATOR);
    }
    if plain().count() == 0 {
        return (!text.levels.is_empty()).then_some(SEPARATOR);
    }
    OTHERS.into_iter().find(|separator| are_parted(plain(), separator))
}

/// Whether a mark stands in many texts, and fewer different labels than texts come of parting them there.
fn are_parted<'a>(texts: impl Iterator<Item = &'a str> + Clone, mark: &str) -> bool {
    let several = texts.clone().filter(|text| text.trim().contains(mark)).count();
    let labels: std::collections::BTreeSet<&str> =
        texts.clone().flat_map(|text| text.split(mark).map(str::trim)).collect();
    let count = texts.count();
    several * 10 >= count && several > 1 && labels.len() < count
}

/// 1 or 0 for each row of a column of true and false; NaN where missing.
pub(super) fn truths(source: &LabelColumn) -> Result<Vec<f32>, TaskError> {
    source.check_plain()?;
    let levels = levels(source.column);
    let flags: Vec<Option<f32>> =
        levels.names.iter().map(|name| truth_of(name).map(|truth| f32::from(u8::from(truth)))).collect();
    let flag = |(row, code): (usize, &u32)| match flags.get(*code as usize) {
        None => Ok(f32::NAN),
        Some(flag) => flag.ok_or_else(|| TaskError::NotFlag {
            place: Box::new(source.table.place(row)),
            task: source.task.to_owned(),
            column: source.column.name.clone(),
            value: source.column.shown(row).unwrap_or_default(),
        }),
    };
    levels.codes.iter().enumerate().map(flag).collect()
}

impl Outcome for Multilabel {
    fn width(&self) -> usize {
        self.labels.len()
    }

    fn loss(&self) -> LossKind {
        LossKind::BinaryCrossEntropy
    }

    fn initial_bias(&self) -> Vec<f32> {
        // A label that all training rows have, or none, is unlikely to be so for ever.
        let odds = |share: f64| (share / (1.0 - share)).ln() as f32;
        self.shares.iter().map(|share| odds(share.clamp(1e-3, 1.0 - 1e-3))).collect()
    }

    fn hint(&self) -> Hint {
        Hint::Text
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let flags = self.flags(source)?;
        let width = self.labels.len();
        let known = |flags: &[f32]| if flags.iter().any(|flag| !flag.is_nan()) { 1.0 } else { 0.0 };
        let weights = flags.chunks_exact(width).map(known).collect();
        Ok(Labels::new(Target::Real(flags.clone()), Truth::Flags { width, values: flags }, weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let logits = output.prediction.values().iter().map(|z| self.decision.logit(f64::from(*z)));
        self.of_probabilities(logits.map(|z| 1.0 / (1.0 + (-z).exp())).collect())
    }

    fn constant(&self, rows: usize) -> Prediction {
        self.of_probabilities(self.shares.repeat(rows))
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (rows, labels) = self.ranked(truth, prediction);
        let mut metrics = Metrics::new(rows);
        metrics.push("map", Better::Higher, metric::mean_average_precision(&labels));
        metrics.push("auc", Better::Higher, metric::macro_auc(&labels));
        metrics.push("micro_f1", Better::Higher, metric::micro_f1(&labels));
        metrics.push("macro_f1", Better::Higher, metric::macro_f1_of_labels(&labels));
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("map", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        let distinct: std::collections::BTreeSet<&String> = self.labels.iter().collect();
        let n = self.labels.len();
        if n == 0 || self.shares.len() != n || distinct.len() != n {
            return Err(format!("{n} labels, {} of them different, with {} shares", distinct.len(), self.shares.len()));
        }
        match self.shares.iter().all(|share| (0.0..=1.0).contains(share)) {
            true => self.decision.check(n),
            false => Err("the shares of its labels are out of range".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_found() {
        let of = |rows: &[&str]| separator_of(&Column::text("y", rows.iter().map(|row| Some(*row))));
        assert_eq!(of(&["a,b", "b", "a, c", "c", "a,b,c", "a"]), Some(","));
        assert_eq!(of(&["a;b", "b", "a;c", "c", "a;b;c", "a"]), Some(";"));
        assert_eq!(of(&["a|b", "b,c", "a,c"]), Some("|"));
        assert_eq!(of(&["['a', 'b']", "[]", "['a']"]), Some("|"));
        // Names that hold a comma are no lists of labels.
        assert_eq!(of(&["Smith, John", "Doe, Jane", "Roe, Ann"]), None);
        assert_eq!(of(&["a", "b"]), None);
    }

    #[test]
    fn blanks_between_labels_are_pointed_out() {
        let own = Multilabel {
            labels: Vec::new(),
            shares: Vec::new(),
            separator: SEPARATOR.into(),
            columns: false,
            decision: Default::default(),
        };
        let said =
            |rows: &[&str]| own.said_of(&Column::text("y", rows.iter().map(|row| Some(*row)))).unwrap_or_default();
        assert!(said(&["joy anger", "joy", "anger fear", "fear joy", "fear"]).ends_with("say separator = \" \""));
        assert!(said(&["joy/anger", "joy", "anger/fear", "fear/joy", "fear"]).ends_with("say separator = \"/\""));
        assert_eq!(said(&["New York", "Los Angeles", "San Jose", "Oslo"]), "");
        assert_eq!(said(&["joy|anger fear", "joy", "anger fear", "fear joy", "fear"]), "");
    }

    #[test]
    fn lists_are_read_as_python_and_json_write_them() {
        assert_eq!(parts("['joy', 'anger']", "|"), ["joy", "anger"]);
        assert_eq!(parts("[\"joy\"]", "|"), ["joy"]);
        assert_eq!(parts("[]", "|"), [""]);
        assert_eq!(parts("[x]|b", "|"), ["[x]", "b"]);
    }
}
