//! Groups of rows for which a task is predicted worse than for the others: by level of a category, by quarter of a number.

use crate::rows::{Measured, Rows};
use polytask::compare::statistics::{freedom, holm, p_value};
use polytask::inputs::{Code, Input};
use polytask::model::Model;
use polytask::tasks::{Prediction, Truth};
use polytask_data::{Table, Values};
use serde::Serialize;

/// A group of rows that is predicted worse.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Slice {
    /// The task.
    pub task: String,
    /// The input that tells the rows apart.
    pub input: String,
    /// Which of its values they have.
    pub values: String,
    /// How many of the measured rows.
    pub rows: usize,
    /// What a mistake is: the mean absolute error of quantities, the share of wrong classes.
    pub measure: &'static str,
    /// The mean mistake of these rows.
    pub mistake: f64,
    /// That of all others.
    pub others: f64,
    /// Of Welch's test, corrected for all groups that were looked at (Holm).
    pub p: f64,
}

/// Rows of a group at least.
const LEAST: usize = 20;
/// Levels of a category that are looked at: the most frequent ones.
const LEVELS: usize = 20;
/// Groups that are told at most.
const MOST: usize = 10;
/// Chance of even one false alarm among all groups.
const ALPHA: f64 = 0.05;

/// The groups that are predicted worse beyond the noise, the worst by its ratio first.
pub fn slices(model: &Model, rows: &Rows) -> Vec<Slice> {
    let mut all: Vec<(Slice, f64)> = Vec::new();
    for (task, measured) in model.tasks.iter().zip(&rows.tasks) {
        let Some((measure, mistakes)) = mistakes(measured) else { continue };
        for input in model.encoder.columns() {
            for (values, inside) in groups(input, &rows.table, &measured.rows) {
                let count = inside.iter().filter(|inside| **inside).count();
                if count < LEAST || inside.len() - count < LEAST {
                    continue;
                }
                let of = |wanted: bool| {
                    let own: Vec<f64> = mistakes
                        .iter()
                        .zip(&inside)
                        .filter(|(_, inside)| **inside == wanted)
                        .map(|(m, _)| *m)
                        .collect();
                    moments(&own)
                };
                let ([own, own_part], [others, others_part]) = (of(true), of(false));
                let p = p_of(own - others, [(own_part, count), (others_part, inside.len() - count)]);
                let (task, input) = (task.name.clone(), input.column.clone());
                all.push((Slice { task, input, values, rows: count, measure, mistake: own, others, p }, p));
            }
        }
    }
    let corrected = holm(&all.iter().map(|(_, p)| Some(*p)).collect::<Vec<_>>());
    let with = |((slice, _), p): ((Slice, f64), Option<f64>)| Slice { p: p.unwrap_or(1.0), ..slice };
    let mut worse: Vec<Slice> = all.into_iter().zip(corrected).map(with).collect();
    worse.retain(|slice| slice.p < ALPHA && slice.mistake > slice.others);
    let ratio = |slice: &Slice| slice.mistake / slice.others.max(f64::MIN_POSITIVE);
    worse.sort_by(|a, b| ratio(b).total_cmp(&ratio(a)));
    worse.truncate(MOST);
    worse
}

/// What a mistake is, and each row's; none of tasks whose rows are not simply right, wrong or off.
fn mistakes(measured: &Measured) -> Option<(&'static str, Vec<f64>)> {
    match (&measured.truth, &measured.prediction) {
        (Truth::Numbers(truth), Prediction::Numbers(predicted)) => {
            Some(("mean absolute error", truth.iter().zip(predicted).map(|(y, p)| (y - p).abs()).collect()))
        }
        (Truth::Classes(truth), prediction @ Prediction::Classes { .. }) => {
            let wrong = truth.iter().zip(prediction.classes()).map(|(y, said)| f64::from(u8::from(*y != said)));
            Some(("share of mistakes", wrong.collect()))
        }
        _ => None,
    }
}

/// The mean, and the variance of the mean.
fn moments(values: &[f64]) -> [f64; 2] {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    [mean, variance / count]
}

/// Of Welch's t test.
fn p_of(difference: f64, parts: [(f64, usize); 2]) -> f64 {
    let variance: f64 = parts.iter().map(|(part, _)| part).sum();
    if variance <= 0.0 {
        return if difference == 0.0 { 1.0 } else { 0.0 };
    }
    p_value(difference / variance.sqrt(), freedom(&parts.map(|(part, count)| (part, count as f64 - 1.0))))
}

/// By group of an input's values, whether each row is in it.
fn groups(input: &Input, table: &Table, rows: &[u32]) -> Vec<(String, Vec<bool>)> {
    let Some(column) = table.column(&input.column) else { return Vec::new() };
    let shown: Vec<Option<String>> = rows.iter().map(|row| column.shown(*row as usize)).collect();
    match (&input.code, &column.values) {
        (Code::Number(_), Values::Number(values)) => {
            let own: Vec<f64> = rows.iter().map(|row| values[*row as usize]).collect();
            let mut known: Vec<f64> = own.iter().copied().filter(|value| !value.is_nan()).collect();
            known.sort_by(f64::total_cmp);
            let Some(last) = known.len().checked_sub(1) else { return Vec::new() };
            let mut edges: Vec<f64> = (1..4).map(|quarter| known[quarter * last / 4]).collect();
            edges.dedup();
            let between = |part: usize| match (part.checked_sub(1).and_then(|below| edges.get(below)), edges.get(part))
            {
                (None, Some(most)) => format!("at most {most}"),
                (Some(above), Some(most)) => format!("above {above}, at most {most}"),
                (Some(above), None) => format!("above {above}"),
                (None, None) => "all".to_owned(),
            };
            let part = |value: f64| edges.partition_point(|edge| *edge < value);
            let in_part = |at: usize| own.iter().map(|value| !value.is_nan() && part(*value) == at).collect();
            let mut all: Vec<(String, Vec<bool>)> = (0..=edges.len()).map(|at| (between(at), in_part(at))).collect();
            all.push(("missing".to_owned(), own.iter().map(|value| value.is_nan()).collect()));
            all
        }
        (Code::Category(_) | Code::Boolean(_), _) => {
            let mut counts: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
            shown.iter().flatten().for_each(|level| *counts.entry(level.as_str()).or_default() += 1);
            let mut levels: Vec<(&str, usize)> = counts.into_iter().collect();
            levels.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            let is = |level: &str| shown.iter().map(|own| own.as_deref() == Some(level)).collect();
            let mut all: Vec<(String, Vec<bool>)> =
                levels.iter().take(LEVELS).map(|(level, _)| ((*level).to_owned(), is(level))).collect();
            all.push(("missing".to_owned(), shown.iter().map(Option::is_none).collect()));
            all
        }
        // Dates, texts and images, and what is read in two ways, have no groups of their own.
        (
            Code::Number(_)
            | Code::Date(_)
            | Code::Text(_)
            | Code::Encoded(_)
            | Code::Seen(_)
            | Code::Image(_)
            | Code::Own(_),
            _,
        ) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn welchs_test_by_hand() {
        // Means 1 and 2, variances of the means .1 and .1, ten rows each: t = -1 / sqrt(.2), 18 degrees of freedom.
        let p = p_of(-1.0, [(0.1, 10), (0.1, 10)]);
        assert!((p - 0.0384).abs() < 1e-3, "{p}");
        assert_eq!(p_of(0.0, [(0.0, 10), (0.0, 10)]), 1.0);
        assert_eq!(moments(&[1.0, 3.0]), [2.0, 1.0]);
    }
}
