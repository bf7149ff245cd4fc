//! Labels of one task for all rows of a table.

use super::TaskError;
use crate::column::is_plain;
use polytask_data::{Column, Table};

/// In [`Truth::Classes`]: no label.
pub const MISSING: u32 = u32::MAX;
/// In [`Truth::Classes`]: a label that is no class of the training rows.
pub const UNSEEN: u32 = u32::MAX - 1;

/// Labels of one task for all rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// What the loss compares with; any value where the weight is 0.
    pub target: Target,
    /// What the metrics compare with.
    pub truth: Truth,
    /// What a row weighs in the loss: 0 without a label or with a class that training never saw, the class weight
    /// otherwise.
    pub weights: Vec<f32>,
}

/// What the loss compares with, one a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Numbers, standardised where the task is.
    Real(Vec<f32>),
    /// Class indices.
    Class(Vec<u32>),
}

/// Labels in the person's units, one a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// NaN where missing.
    Numbers(Vec<f64>),
    /// Class indices, [`MISSING`] or [`UNSEEN`].
    Classes(Vec<u32>),
}

impl Truth {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Truth::Numbers(values) => values.len(),
            Truth::Classes(classes) => classes.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `row` has a label; a class that training never saw is one.
    pub fn known(&self, row: usize) -> bool {
        match self {
            Truth::Numbers(values) => values.get(row).is_some_and(|v| !v.is_nan()),
            Truth::Classes(classes) => classes.get(row).is_some_and(|c| *c != MISSING),
        }
    }

    /// The labels of `rows`, in their order. A row past the end has no label.
    pub fn select(&self, rows: &[u32]) -> Truth {
        match self {
            Truth::Numbers(values) => {
                Truth::Numbers(rows.iter().map(|r| values.get(*r as usize).copied().unwrap_or(f64::NAN)).collect())
            }
            Truth::Classes(classes) => {
                Truth::Classes(rows.iter().map(|r| classes.get(*r as usize).copied().unwrap_or(MISSING)).collect())
            }
        }
    }
}

impl Labels {
    /// How many of `rows` have a label.
    pub fn count(&self, rows: &[u32]) -> usize {
        rows.iter().filter(|row| self.truth.known(**row as usize)).count()
    }

    /// Multiplies the weight of every row by that of the sample.
    pub fn multiply(&mut self, sample_weights: &[f32]) {
        for (weight, sample) in self.weights.iter_mut().zip(sample_weights) {
            *weight *= sample;
        }
    }
}

/// The weights of the rows in the column called `name`.
///
/// # Errors
/// No such column; a row without a weight, or with one that is below 0 or no number.
pub fn sample_weights(table: &Table, name: &str) -> Result<Vec<f32>, TaskError> {
    let column = table.find(name).map_err(|source| TaskError::WeightColumn(Box::new(source)))?;
    let bad = |row: usize| TaskError::BadWeight {
        place: table.place(row),
        column: name.to_owned(),
        value: column.shown(row).map_or_else(|| "missing".to_owned(), |value| format!("`{value}`")),
    };
    let numbers = crate::column::numbers(column).map_err(bad)?;
    // NaN, a missing weight, is not 0 or above.
    match numbers.iter().position(|w| !(*w >= 0.0 && (*w as f32).is_finite())) {
        Some(row) => Err(bad(row)),
        None => Ok(numbers.iter().map(|w| *w as f32).collect()),
    }
}

/// The column of a task in a table, with what messages need.
#[derive(Clone, Copy)]
pub struct LabelColumn<'a> {
    /// The name of the task.
    pub task: &'a str,
    /// The table, for the places of rows.
    pub table: &'a Table,
    /// The column the labels are in.
    pub column: &'a Column,
}

impl<'a> LabelColumn<'a> {
    pub(super) fn find(task: &'a str, column: &str, table: &'a Table) -> Result<Self, TaskError> {
        match table.find(column) {
            Ok(column) => Ok(LabelColumn { task, table, column }),
            Err(source) => Err(TaskError::Column { task: task.to_owned(), source: Box::new(source) }),
        }
    }

    /// Refuses lists and objects.
    pub(super) fn check_plain(&self) -> Result<(), TaskError> {
        match is_plain(self.column) {
            true => Ok(()),
            false => Err(TaskError::NotPlain {
                task: self.task.to_owned(),
                column: self.column.name.clone(),
                found: self.column.kind(),
            }),
        }
    }

    /// The labels as numbers, NaN where missing.
    pub(super) fn numbers(&self, kind: &'static str) -> Result<std::borrow::Cow<'a, [f64]>, TaskError> {
        crate::column::numbers(self.column).map_err(|row| TaskError::NotNumber {
            place: Box::new(self.table.place(row)),
            task: self.task.to_owned(),
            kind,
            column: self.column.name.clone(),
            value: self.column.shown(row).unwrap_or_default(),
        })
    }

    pub(super) fn no_label(&self) -> TaskError {
        TaskError::NoLabel { task: self.task.to_owned(), column: self.column.name.clone() }
    }

    /// Mean and deviation of the labels of the training rows.
    ///
    /// # Errors
    /// No label, or only one.
    pub(super) fn moments(&self, values: &[f64], rows: &[u32]) -> Result<(f64, f64), TaskError> {
        let known = rows.iter().filter_map(|row| values.get(*row as usize).copied());
        let (mean, deviation) = crate::column::moments(known).ok_or_else(|| self.no_label())?;
        match deviation > 0.0 {
            true => Ok((mean, deviation)),
            false => Err(TaskError::OneLabel { task: self.task.to_owned(), value: mean.to_string() }),
        }
    }
}
