//! The labels of tasks: how many, how they are spread, and how tasks hang together.

use super::relation::correlation;
use polytask_model::tasks::{MISSING, Prediction, Task, Truth, UNSEEN};
use polytask_train::Prepared;
use serde::Serialize;

/// The labels of a task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskSurvey {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// Rows with a label, among all and among those of each part of the split.
    pub labels: LabelSurvey,
    /// How the labels are spread.
    pub balance: Balance,
}

/// Rows with a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LabelSurvey {
    /// Among all rows.
    pub all: usize,
    /// Among the training rows.
    pub train: usize,
    /// Among the validation rows.
    pub valid: usize,
    /// Among the test rows.
    pub test: usize,
}

/// How labels are spread, over all rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// Of numbers.
    Numbers {
        /// The smallest.
        min: f64,
        /// The mean.
        mean: f64,
        /// The population standard deviation.
        deviation: f64,
        /// The largest.
        max: f64,
    },
    /// Of classes, spans or labels: how many there are of each, the most frequent first.
    Classes(Vec<(String, usize)>),
}

/// How the labels of two tasks hang together, over the rows that have both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Association {
    /// One task.
    pub first: String,
    /// The other.
    pub second: String,
    /// Rows with both labels.
    pub rows: usize,
    /// `correlation` of two quantities, from -1 to 1; `cramers_v` of two sets of classes, and `eta` (the root of the share of
    /// the quantity's variance that the classes explain) of a quantity and classes, from 0 to 1.
    pub measure: &'static str,
    /// Its value; none where one side is constant, or no row has both.
    pub value: Option<f64>,
}

/// The labels of every task.
pub fn survey_tasks(prepared: &Prepared) -> Vec<TaskSurvey> {
    let of = |(task, labels): (&Task, &polytask_model::tasks::Labels)| {
        let all: Vec<u32> = (0..labels.truth.len() as u32).collect();
        let split = &prepared.split;
        let [all, train, valid, test] = [&all, &split.train, &split.valid, &split.test].map(|rows| labels.count(rows));
        let labels_of = LabelSurvey { all, train, valid, test };
        TaskSurvey {
            name: task.name.clone(),
            kind: task.kind_name(),
            labels: labels_of,
            balance: balance(task, &labels.truth),
        }
    };
    prepared.tasks.iter().zip(&prepared.data.labels).map(of).collect()
}

/// Rows that have labels of both tasks, `tasks x tasks`.
pub fn overlap(prepared: &Prepared) -> Vec<Vec<usize>> {
    let known: Vec<Vec<bool>> = prepared
        .data
        .labels
        .iter()
        .map(|labels| (0..labels.truth.len()).map(|row| labels.truth.known(row)).collect())
        .collect();
    let both = |a: &[bool], b: &[bool]| a.iter().zip(b).filter(|(a, b)| **a && **b).count();
    known.iter().map(|a| known.iter().map(|b| both(a, b)).collect()).collect()
}

/// How the labels of every two tasks of quantities or classes hang together.
pub fn associations(prepared: &Prepared) -> Vec<Association> {
    let mut found = Vec::new();
    let all: Vec<(&Task, &Truth)> =
        prepared.tasks.iter().zip(&prepared.data.labels).map(|(task, labels)| (task, &labels.truth)).collect();
    for (i, (first, a)) in all.iter().enumerate() {
        for (second, b) in &all[i + 1..] {
            let rows: Vec<usize> = (0..a.len()).filter(|row| a.known(*row) && b.known(*row)).collect();
            let (measure, value) = match (a, b) {
                (Truth::Numbers(a), Truth::Numbers(b)) => {
                    let pairs: Vec<(f64, f64)> = rows.iter().map(|row| (a[*row], b[*row])).collect();
                    ("correlation", correlation(&pairs))
                }
                (Truth::Classes(a), Truth::Classes(b)) => {
                    ("cramers_v", cramers_v(rows.iter().map(|row| (a[*row], b[*row])).collect()))
                }
                (Truth::Numbers(n), Truth::Classes(c)) | (Truth::Classes(c), Truth::Numbers(n)) => {
                    ("eta", eta(rows.iter().map(|row| (c[*row], n[*row])).collect()))
                }
                _ => continue,
            };
            let (first, second) = (first.name.clone(), second.name.clone());
            found.push(Association { first, second, rows: rows.len(), measure, value });
        }
    }
    found
}

fn balance(task: &Task, truth: &Truth) -> Balance {
    let names = match task.outcome().constant(1) {
        Prediction::Classes { labels, .. }
        | Prediction::Labels { labels, .. }
        | Prediction::Tokens { labels, .. }
        | Prediction::Arcs { labels, .. }
        | Prediction::PixelClasses { labels, .. } => labels,
        Prediction::Numbers(_)
        | Prediction::Survival { .. }
        | Prediction::Spans(_)
        | Prediction::Frames(_)
        | Prediction::PixelNumbers { .. } => Vec::new(),
    };
    let classes = |codes: &[u32]| {
        let mut counts = vec![0; names.len()];
        for code in codes.iter().filter(|code| **code != MISSING && **code != UNSEEN) {
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        ordered(names.iter().cloned().zip(counts).collect())
    };
    match truth {
        Truth::Numbers(values) => numbers(values.iter().copied()),
        Truth::PixelNumbers { values, .. } => numbers(values.iter().map(|value| f64::from(*value))),
        // What is no class is past the last of them.
        Truth::PixelClasses { classes: codes, .. } => {
            classes(&codes.iter().map(|code| u32::from(*code)).collect::<Vec<_>>())
        }
        Truth::Classes(codes) | Truth::Tokens { classes: codes, .. } | Truth::Arcs { relations: codes, .. } => {
            classes(codes)
        }
        Truth::Spans(rows) => counted(rows.iter().flatten().flatten().map(|span| span.label.as_str())),
        Truth::Frames(rows) => {
            let frames = rows.iter().flatten().flatten();
            counted(frames.flat_map(|frame| &frame.arguments).map(|argument| argument.role.as_str()))
        }
        Truth::Times(rows) => numbers(rows.iter().flatten().map(|row| row.time)),
        Truth::Flags { width, values } => {
            let count =
                |label: usize| values.iter().skip(label).step_by((*width).max(1)).filter(|flag| **flag == 1.0).count();
            ordered(names.iter().cloned().enumerate().map(|(i, name)| (name, count(i))).collect())
        }
    }
}

fn numbers(values: impl Iterator<Item = f64> + Clone) -> Balance {
    let known = values.filter(|value| !value.is_nan());
    let (mean, deviation) = polytask_model::column::moments(known.clone()).unwrap_or_default();
    let (min, max) = known.fold((f64::MAX, f64::MIN), |(min, max), value| (min.min(value), max.max(value)));
    Balance::Numbers { min, mean, deviation, max }
}

/// How often each label comes.
fn counted<'a>(labels: impl Iterator<Item = &'a str>) -> Balance {
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    labels.for_each(|label| *counts.entry(label).or_default() += 1);
    ordered(counts.into_iter().map(|(label, count)| (label.to_owned(), count)).collect())
}

fn ordered(mut counts: Vec<(String, usize)>) -> Balance {
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    Balance::Classes(counts)
}

/// Cramér's V (1946): `sqrt(chi^2 / (n (min(r, c) - 1)))`.
fn cramers_v(pairs: Vec<(u32, u32)>) -> Option<f64> {
    let count = |side: fn(&(u32, u32)) -> u32| {
        let mut counts = std::collections::BTreeMap::<u32, f64>::new();
        pairs.iter().for_each(|pair| *counts.entry(side(pair)).or_default() += 1.0);
        counts
    };
    let (a, b) = (count(|pair| pair.0), count(|pair| pair.1));
    let mut cells = std::collections::BTreeMap::<(u32, u32), f64>::new();
    pairs.iter().for_each(|pair| *cells.entry(*pair).or_default() += 1.0);
    let least = a.len().min(b.len());
    if least < 2 {
        return None;
    }
    // chi^2 / n = sum over cells of (share^2 / (row share * column share)) - 1
    let sum: f64 = cells.iter().map(|((i, j), count)| count * count / (a[i] * b[j])).sum();
    Some(((sum - 1.0).max(0.0) / (least - 1) as f64).sqrt().min(1.0))
}

/// The correlation ratio (Pearson 1905): the root of the variance between classes over the whole.
fn eta(pairs: Vec<(u32, f64)>) -> Option<f64> {
    let (mean, deviation) = polytask_model::column::moments(pairs.iter().map(|pair| pair.1))?;
    let mut classes = std::collections::BTreeMap::<u32, (f64, f64)>::new();
    for (class, value) in &pairs {
        let (count, sum) = classes.entry(*class).or_default();
        *count += 1.0;
        *sum += value - mean;
    }
    if classes.len() < 2 || deviation == 0.0 {
        return None;
    }
    let between: f64 = classes.values().map(|(count, sum)| sum * sum / count).sum();
    Some((between / (deviation * deviation * pairs.len() as f64)).sqrt().min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_associations() {
        // A table of 2 x 2: chi^2 = n (ad - bc)^2 / (the four margins).
        let mut pairs = vec![(0, 0); 30];
        pairs.extend(vec![(0, 1); 10]);
        pairs.extend(vec![(1, 0); 20]);
        pairs.extend(vec![(1, 1); 40]);
        let chi2 = 100.0 * (30.0f64 * 40.0 - 10.0 * 20.0).powi(2) / (40.0 * 60.0 * 50.0 * 50.0);
        assert!((cramers_v(pairs).unwrap() - (chi2 / 100.0).sqrt()).abs() < 1e-12);
        assert_eq!(cramers_v(vec![(0, 1), (1, 0), (2, 2)]), Some(1.0));
        assert_eq!(cramers_v(vec![(0, 1), (0, 0)]), None);

        // Groups 1 2 3 and 4 5 6: between 13.5 of 17.5.
        let pairs = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].iter().enumerate().map(|(i, v)| (i as u32 / 3, *v)).collect();
        assert!((eta(pairs).unwrap() - (13.5f64 / 17.5).sqrt()).abs() < 1e-12);
        assert_eq!(eta(vec![(0, 1.0), (1, 1.0)]), None);
    }
}
