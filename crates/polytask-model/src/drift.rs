//! Whether rows look like those that a model learnt from: shares of missing values, values out of range, levels that were
//! never seen, and how differently values are distributed, by the population stability index.

use crate::column::{levels, numbers};
use crate::files;
use crate::inputs::{Code, Encoder, Input};
use crate::model::{ModelError, SUMMARY};
use polytask_data::{Column, DateFormat, Table, dates};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Parts that numbers are cut into, each with the same share of the training rows.
const PARTS: usize = 10;
/// Levels that are told apart; the others are one.
const LEVELS: usize = 50;
/// Rows that distributions are taken from at most, evenly spaced.
const MOST: usize = 20_000;
/// A share at least, so that a part that nobody was in does not make the index infinite.
const LEAST: f64 = 1e-4;

/// What the inputs of the training rows looked like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Training rows.
    pub rows: usize,
    inputs: Vec<Seen>,
}

/// An input column of the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Seen {
    column: String,
    /// The share of the rows without a value.
    missing: f64,
    #[serde(flatten)]
    values: Shape,
}

/// How the values that are there are distributed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "values", rename_all = "snake_case")]
enum Shape {
    /// Numbers, dates as seconds, texts as their lengths.
    Numbers {
        least: f64,
        most: f64,
        /// Where parts end, the last excepted; a value on an edge is in the part below.
        edges: Vec<f64>,
        /// By part.
        shares: Vec<f64>,
        /// How dates are written.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        dates: Option<DateFormat>,
        /// Whether they are lengths of texts.
        #[serde(default)]
        lengths: bool,
    },
    /// Words.
    Levels {
        /// The most frequent ones with their shares.
        levels: Vec<(String, f64)>,
        /// Of all others together.
        others: f64,
    },
}

/// How an input of some rows differs from that of the training rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drift {
    /// The input.
    pub column: String,
    /// The population stability index, `sum (now - then) ln(now / then)` over parts of the values: 0 where they are
    /// distributed alike, above 0.25 by custom a shift that matters; chance alone gives about `parts / rows`.
    pub index: f64,
    /// The share of missing values in the training rows, and now.
    pub missing: [f64; 2],
    /// The share of numbers below the least or above the largest of the training rows.
    pub outside: f64,
    /// The share of words that training never saw.
    pub unseen: f64,
}

/// From which difference on an input has drifted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The population stability index.
    pub index: f64,
    /// The difference between the shares of missing values.
    pub missing: f64,
    /// The share of numbers out of range.
    pub outside: f64,
    /// The share of words never seen.
    pub unseen: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { index: 0.25, missing: 0.1, outside: 0.05, unseen: 0.05 }
    }
}

/// Rows below which chance alone makes a large index.
pub const FEW: usize = 100;

impl Drift {
    /// In which respects it is beyond the limits; none where it is not.
    pub fn beyond(&self, limits: &Limits) -> Vec<&'static str> {
        let [then, now] = self.missing;
        [
            ("distributed otherwise", self.index > limits.index),
            ("missing otherwise", (now - then).abs() > limits.missing),
            ("out of range", self.outside > limits.outside),
            ("never seen", self.unseen > limits.unseen),
        ]
        .into_iter()
        .filter_map(|(what, beyond)| beyond.then_some(what))
        .collect()
    }
}

impl Summary {
    /// Of the training rows of a table; images, and inputs of a program's own, are left out.
    pub fn new(encoder: &Encoder, table: &Table, rows: &[u32]) -> Self {
        let step = rows.len().div_ceil(MOST).max(1);
        let some: Vec<u32> = rows.iter().copied().step_by(step).collect();
        let of = |input: &&Input| {
            let column = table.column(&input.column)?;
            let missing = share(some.iter().filter(|row| column.is_missing(**row as usize)).count(), some.len());
            let values = match &input.code {
                Code::Number(_) => of_numbers(&numbers(column).ok()?, rows, &some, None, false)?,
                Code::Date(date) => {
                    let seconds = dates(column, Some(date.format)).ok()?.seconds;
                    of_numbers(&seconds, rows, &some, Some(date.format), false)?
                }
                Code::Text(_) | Code::Encoded(_) => of_numbers(&lengths(column), rows, &some, None, true)?,
                Code::Boolean(_) | Code::Category(_) => of_levels(column, &some),
                Code::Image(_) | Code::Seen(_) | Code::Own(_) => return None,
            };
            Some(Seen { column: input.column.clone(), missing, values })
        };
        Summary { rows: rows.len(), inputs: encoder.columns().iter().filter_map(of).collect() }
    }

    /// How each input of a table's rows differs; columns that are not there are passed over.
    pub fn drift(&self, table: &Table) -> Vec<Drift> {
        self.inputs.iter().filter_map(|own| own.drift(table.column(&own.column)?)).collect()
    }

    /// What is to be said of inputs that drifted beyond the usual limits; nothing of few rows.
    pub fn notes(&self, table: &Table) -> Vec<String> {
        if table.rows() < FEW {
            return Vec::new();
        }
        let said = |drift: Drift| {
            // What was never seen is counted elsewhere.
            let beyond: Vec<&str> =
                drift.beyond(&Limits::default()).into_iter().filter(|what| *what != "never seen").collect();
            (!beyond.is_empty())
                .then(|| format!("input `{}` is not as in the training rows: {}", drift.column, drift.words(&beyond)))
        };
        crate::notes::few(self.drift(table).into_iter().filter_map(said).collect())
    }

    /// Reads that of a model directory; none of one that an older program wrote.
    ///
    /// # Errors
    /// A file that cannot be read or is no summary.
    pub fn load(folder: &Path) -> Result<Option<Self>, ModelError> {
        let path = files::find(folder, SUMMARY);
        if !path.exists() {
            return Ok(None);
        }
        let damaged = |reason: String| ModelError::Damaged { path: path.clone(), reason };
        let text = files::read_text(&path).map_err(|error| damaged(error.to_string()))?;
        let own: Summary = serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        let whole = |own: &Seen| match &own.values {
            Shape::Numbers { edges, shares, .. } => edges.is_sorted() && shares.len() == edges.len() + 1,
            Shape::Levels { .. } => true,
        };
        match own.inputs.iter().all(whole) {
            true => Ok(Some(own)),
            false => Err(damaged("its parts and their shares do not go together".to_owned())),
        }
    }
}

impl Drift {
    /// In words, of what is `beyond` a limit.
    fn words(&self, beyond: &[&str]) -> String {
        let percent = |share: f64| format!("{:.0} %", 100.0 * share);
        let word = |what: &&str| match *what {
            "distributed otherwise" => {
                format!("its values are distributed otherwise (stability index {:.2})", self.index)
            }
            "missing otherwise" => {
                format!("{} of its values are missing, not {}", percent(self.missing[1]), percent(self.missing[0]))
            }
            _ => format!("{} of its values are out of range", percent(self.outside)),
        };
        beyond.iter().map(word).collect::<Vec<_>>().join("; ")
    }
}

impl Seen {
    fn drift(&self, column: &Column) -> Option<Drift> {
        let rows: Vec<u32> = (0..column.len() as u32).collect();
        let missing = share(rows.iter().filter(|row| column.is_missing(**row as usize)).count(), rows.len());
        let (mut outside, mut unseen) = (0.0, 0.0);
        let index = match &self.values {
            Shape::Numbers { least, most, edges, shares, dates: format, lengths: texts } => {
                let values = match (format, texts) {
                    (Some(format), _) => dates(column, Some(*format)).ok()?.seconds,
                    (None, true) => lengths(column),
                    (None, false) => numbers(column).ok()?.into_owned(),
                };
                let known: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
                outside = share(known.iter().filter(|value| *value < least || *value > most).count(), known.len());
                psi(shares, &in_parts(&known, edges))
            }
            Shape::Levels { levels: named, others } => {
                let own = levels(column);
                let counts = own.counts(rows.iter().map(|row| *row as usize));
                let known: usize = counts.iter().sum();
                let mut now = vec![0.0; named.len() + 1];
                for (name, count) in own.names.iter().zip(&counts) {
                    let at = named.iter().position(|(level, _)| level == name);
                    now[at.unwrap_or(named.len())] += share(*count, known);
                    // Of more levels than are listed nobody knows which were seen.
                    unseen += if at.is_none() && *others == 0.0 { share(*count, known) } else { 0.0 };
                }
                let then: Vec<f64> = named.iter().map(|(_, share)| *share).chain([*others]).collect();
                if known == 0 { 0.0 } else { psi(&then, &now) }
            }
        };
        let index = index + psi(&[self.missing, 1.0 - self.missing], &[missing, 1.0 - missing]);
        Some(Drift { column: self.column.clone(), index, missing: [self.missing, missing], outside, unseen })
    }
}

fn share(count: usize, of: usize) -> f64 {
    count as f64 / of.max(1) as f64
}

/// The population stability index of shares that were and are; 0 where there are none now.
fn psi(then: &[f64], now: &[f64]) -> f64 {
    if now.iter().all(|share| *share == 0.0) {
        return 0.0;
    }
    let of = |(then, now): (&f64, &f64)| {
        let (then, now) = (then.max(LEAST), now.max(LEAST));
        (now - then) * (now / then).ln()
    };
    then.iter().zip(now).map(of).sum()
}

/// The shares of values in each part.
fn in_parts(values: &[f64], edges: &[f64]) -> Vec<f64> {
    let mut shares = vec![0.0; edges.len() + 1];
    for value in values {
        shares[edges.partition_point(|edge| edge < value)] += 1.0 / values.len() as f64;
    }
    shares
}

/// None where no row has a value.
fn of_numbers(values: &[f64], rows: &[u32], some: &[u32], dates: Option<DateFormat>, lengths: bool) -> Option<Shape> {
    let of = |rows: &[u32]| -> Vec<f64> {
        rows.iter().filter_map(|row| values.get(*row as usize).copied()).filter(|value| !value.is_nan()).collect()
    };
    let all = of(rows);
    let (least, most) = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, m), v| (l.min(*v), m.max(*v)));
    let mut sorted = of(some);
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    let mut edges: Vec<f64> = (1..PARTS).map(|part| sorted[part * last / PARTS]).collect();
    edges.dedup();
    let shares = in_parts(&sorted, &edges);
    Some(Shape::Numbers { least, most, edges, shares, dates, lengths })
}

fn of_levels(column: &Column, rows: &[u32]) -> Shape {
    let own = levels(column);
    let counts = own.counts(rows.iter().map(|row| *row as usize));
    let known: usize = counts.iter().sum();
    let mut all: Vec<(String, f64)> = own.names.iter().cloned().zip(counts.iter().map(|n| share(*n, known))).collect();
    all.retain(|(_, share)| *share > 0.0);
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let others = all.get(LEVELS..).unwrap_or_default().iter().map(|(_, share)| share).sum();
    all.truncate(LEVELS);
    Shape::Levels { levels: all, others }
}

/// Characters of each text, NaN where missing.
fn lengths(column: &Column) -> Vec<f64> {
    let of = |row| column.shown(row).map_or(f64::NAN, |text| text.chars().count() as f64);
    (0..column.len()).map(|row| if column.is_missing(row) { f64::NAN } else { of(row) }).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::inputs::Galleries;

    fn table(rows: usize, of: impl Fn(usize) -> (Option<f64>, &'static str)) -> Table {
        let numbers = (0..rows).map(|i| of(i).0.unwrap_or(f64::NAN)).collect();
        let words: Vec<&str> = (0..rows).map(|i| of(i).1).collect();
        Table::from_columns(vec![
            Column::number("x", numbers),
            Column::text("word", words.into_iter().map(Some)),
            Column::number("y", (0..rows).map(|i| i as f64).collect()),
        ])
        .unwrap()
    }

    fn summary(table: &Table) -> Summary {
        let text = "[data]\npath = \"d.csv\"\n[tasks.y]\nkind = \"regression\"\n";
        let config = Config::from_toml(text, "c.toml").unwrap();
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        let fitted = crate::Fitted::new(&config, table, &Galleries::new(), &rows).unwrap();
        Summary::new(&fitted.encoder, table, &rows)
    }

    #[test]
    fn rows_like_those_of_training_have_not_drifted() {
        let like = |i: usize| (Some(((i * 37) % 100) as f64), ["a", "b", "c"][i % 3]);
        let summary = summary(&table(600, like));
        let drift = summary.drift(&table(300, like));
        assert_eq!(drift.len(), 2);
        for own in &drift {
            assert!(own.index < 0.01 && own.outside == 0.0 && own.unseen == 0.0, "{own:?}");
            assert!(own.beyond(&Limits::default()).is_empty());
        }
    }

    #[test]
    fn each_way_of_drifting_is_measured() {
        let like = |i: usize| (Some(((i * 37) % 100) as f64), ["a", "b", "c"][i % 3]);
        let summary = summary(&table(600, like));
        let of = |change: &dyn Fn(usize) -> (Option<f64>, &'static str)| summary.drift(&table(300, change));
        // Half of the values ten higher: a tenth of them is out of range.
        let moved = of(&|i| (like(i).0.map(|x| x + 20.0 * (i % 2) as f64), like(i).1));
        assert!((moved[0].outside - 0.1).abs() < 0.02, "{:?}", moved[0]);
        let gone = of(&|i| (like(i).0.filter(|_| i % 4 > 0), like(i).1));
        assert_eq!(gone[0].missing, [0.0, 0.25]);
        assert_eq!(gone[0].beyond(&Limits::default()), ["distributed otherwise", "missing otherwise"]);
        let new = of(&|i| (like(i).0, if i % 5 == 0 { "d" } else { like(i).1 }));
        assert!((new[1].unseen - 0.2).abs() < 1e-12 && new[1].index > 0.25, "{:?}", new[1]);
        // By hand: shares of 1/3 each became 1/3, 2/3, 0.
        let shifted = of(&|i| (like(i).0, if i % 3 == 2 { "b" } else { like(i).1 }));
        let third: f64 = 1.0 / 3.0;
        let expected = third * 2.0f64.ln() + (LEAST - third) * (LEAST / third).ln();
        assert!((shifted[1].index - expected).abs() < 1e-9, "{} {expected}", shifted[1].index);
    }
}
