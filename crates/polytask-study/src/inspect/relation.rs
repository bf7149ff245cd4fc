//! Columns that give a label away.

use polytask_data::{Column, MISSING, Table};
use polytask_model::column::{is_plain, levels, numbers};
use serde::Serialize;
use std::collections::HashMap;

/// A column that gives a label away.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Leak {
    /// The column.
    pub column: String,
    /// The task whose label it gives away.
    pub task: String,
    /// How.
    pub relation: Relation,
}

/// How a column gives a label away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It holds the same values.
    Copy,
    /// Each of its values stands for one label, and each label for one of its values.
    Code,
    /// It is the label times a number plus another.
    Scaled,
    /// It rises or falls with the label in every row.
    Monotone,
    /// It is there exactly in the rows that have a certain label.
    Presence,
}

impl Relation {
    /// In words, between the names of the column and the task.
    pub fn words(self) -> &'static str {
        match self {
            Relation::Copy => "holds the same values as",
            Relation::Code => "stands for",
            Relation::Scaled => "is a multiple of",
            Relation::Monotone => "rises or falls in every row with",
            Relation::Presence => "is there exactly where a certain label stands in",
        }
    }
}

/// Rows below which nothing is said: chance would speak.
const FEW: usize = 20;

/// Columns of `inputs` that give the label of a task away; `tasks` are names with their columns.
pub fn leaks(table: &Table, inputs: &[&str], tasks: &[(&str, &str)]) -> Vec<Leak> {
    let mut found = Vec::new();
    for (task, label) in tasks {
        let Some(label) = table.column(label).filter(|column| is_plain(column)) else { continue };
        for input in inputs {
            let column = table.column(input).filter(|column| column.name != label.name);
            if let Some(relation) = column.and_then(|column| relation(column, label)) {
                found.push(Leak { column: (*input).to_owned(), task: (*task).to_owned(), relation });
            }
        }
    }
    found
}

/// How a column gives a label away, if it does.
fn relation(column: &Column, label: &Column) -> Option<Relation> {
    if !is_plain(column) {
        return None;
    }
    let rows: Vec<usize> = (0..label.len()).filter(|row| !column.is_missing(*row) && !label.is_missing(*row)).collect();
    let (a, b) = (levels(column), levels(label));
    let classes = b.counts(0..label.len()).iter().filter(|count| **count > 0).count();
    if rows.len() >= FEW && classes > 1 {
        let same =
            rows.iter().filter(|row| a.names.get(a.codes[**row] as usize) == b.names.get(b.codes[**row] as usize));
        // A few rows may be off: a rounding, a correction.
        if same.count() * 100 >= rows.len() * 99 {
            return Some(Relation::Copy);
        }
        // Where nearly every row has a value of its own, two columns always stand for each other.
        let pairs = rows.iter().map(|row| (a.codes[*row], b.codes[*row]));
        if classes * 4 <= rows.len() && one_to_one(pairs) {
            return Some(Relation::Code);
        }
        if let (Ok(x), Ok(y)) = (numbers(column), numbers(label))
            && classes > 2
        {
            let pairs: Vec<(f64, f64)> = rows.iter().map(|row| (x[*row], y[*row])).collect();
            if correlation(&pairs).is_some_and(|r| r.abs() > 0.99999) {
                return Some(Relation::Scaled);
            }
            if classes * 10 > rows.len() && monotone(pairs) {
                return Some(Relation::Monotone);
            }
        }
    }
    presence(column, label).then_some(Relation::Presence)
}

/// Whether each left value goes with one right value and the other way round, and there are at least two.
fn one_to_one(pairs: impl Iterator<Item = (u32, u32)>) -> bool {
    let (mut there, mut back) = (HashMap::new(), HashMap::new());
    for (a, b) in pairs {
        if *there.entry(a).or_insert(b) != b || *back.entry(b).or_insert(a) != a {
            return false;
        }
    }
    there.len() > 1
}

/// Pearson's correlation; none where one side is constant.
pub(super) fn correlation(pairs: &[(f64, f64)]) -> Option<f64> {
    let moments = |side: fn(&(f64, f64)) -> f64| polytask_model::column::moments(pairs.iter().map(side));
    let ((mean_x, x), (mean_y, y)) = (moments(|pair| pair.0)?, moments(|pair| pair.1)?);
    if x == 0.0 || y == 0.0 {
        return None;
    }
    let product = |(a, b): &(f64, f64)| (a - mean_x) / x * ((b - mean_y) / y);
    Some(pairs.iter().map(product).sum::<f64>() / pairs.len() as f64)
}

/// Whether one side rises, or falls, strictly with the other.
fn monotone(mut pairs: Vec<(f64, f64)>) -> bool {
    pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let strict = |rises: bool| {
        pairs.windows(2).all(|pair| match pair[0].0 == pair[1].0 {
            true => pair[0].1 == pair[1].1,
            false => {
                if rises {
                    pair[0].1 < pair[1].1
                } else {
                    pair[0].1 > pair[1].1
                }
            }
        })
    };
    strict(true) || strict(false)
}

/// Whether the column has a value exactly in the rows of one of two labels.
fn presence(column: &Column, label: &Column) -> bool {
    let of = levels(label);
    let mut seen: HashMap<u32, (usize, usize)> = HashMap::new();
    for (row, code) in of.codes.iter().enumerate().filter(|(_, code)| **code != MISSING) {
        let count = seen.entry(*code).or_default();
        *(if column.is_missing(row) { &mut count.1 } else { &mut count.0 }) += 1;
    }
    let counts: Vec<&(usize, usize)> = seen.values().collect();
    let clear = counts.iter().all(|(there, missing)| *there == 0 || *missing == 0);
    let sides = [counts.iter().any(|count| count.0 > 0), counts.iter().any(|count| count.1 > 0)];
    counts.len() == 2 && clear && sides == [true, true] && counts.iter().all(|count| count.0 + count.1 >= FEW / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `(x 7 mod 60)` and so on: 60 rows without an order.
    fn some(factor: usize) -> Vec<f64> {
        (0..60).map(|i| ((i * factor + 3) % 61) as f64).collect()
    }

    fn between(column: Column, label: Column) -> Option<Relation> {
        relation(&column, &label)
    }

    #[test]
    fn each_relation_is_found() {
        let y = || Column::number("y", some(7));
        let made = |f: fn(f64) -> f64| Column::number("x", some(7).into_iter().map(f).collect());
        assert_eq!(between(made(|v| v), y()), Some(Relation::Copy));
        assert_eq!(between(made(|v| 3.0 - 2.5 * v), y()), Some(Relation::Scaled));
        assert_eq!(between(made(|v| (v / 9.0).exp()), y()), Some(Relation::Monotone));
        assert_eq!(between(Column::number("x", some(11)), y()), None);
        assert_eq!(between(made(|v| (v / 7.0).floor()), y()), None, "coarser is no copy");

        let words = |of: fn(f64) -> Option<&'static str>| Column::text("w", some(7).into_iter().map(of));
        let label = || {
            words(|v| {
                Some(if v < 20.0 {
                    "low"
                } else if v < 40.0 {
                    "middle"
                } else {
                    "high"
                })
            })
        };
        assert_eq!(
            between(
                words(|v| Some(if v < 20.0 {
                    "1"
                } else if v < 40.0 {
                    "2"
                } else {
                    "3"
                })),
                label()
            ),
            Some(Relation::Code)
        );
        assert_eq!(between(words(|v| Some(if v < 30.0 { "1" } else { "2" })), label()), None);
        let two = || words(|v| Some(if v < 30.0 { "no" } else { "yes" }));
        assert_eq!(between(words(|v| (v < 30.0).then_some("day")), two()), Some(Relation::Presence));
        assert_eq!(between(words(|v| (v < 20.0).then_some("day")), two()), None);
    }

    #[test]
    fn a_few_odd_rows_hide_no_copy_and_few_rows_say_nothing() {
        let mut x: Vec<f64> = (0..200).map(|i| f64::from(i * 7 % 61)).collect();
        let y = Column::number("y", x.clone());
        x[3] = 99.0;
        assert_eq!(between(Column::number("x", x), y), Some(Relation::Copy));
        let few = |name: &str| Column::number(name, (0..10).map(f64::from).collect());
        assert_eq!(between(few("x"), few("y")), None);
    }

    #[test]
    fn leaks_name_column_and_task() {
        let table = Table::from_columns(vec![
            Column::number("kg", some(7)),
            Column::number("pounds", some(7).into_iter().map(|v| v * 2.2046).collect()),
            Column::number("age", some(13)),
        ])
        .unwrap();
        let found = leaks(&table, &["pounds", "age"], &[("weight", "kg")]);
        assert_eq!(found, [Leak { column: "pounds".into(), task: "weight".into(), relation: Relation::Scaled }]);
    }
}
