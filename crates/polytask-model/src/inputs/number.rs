//! Quantities.

use super::{EncodeError, InputColumn};
use crate::section::InputConfig;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A feature at most: the squares of larger ones are infinite in the single precision that networks compute with.
const LARGEST: f64 = 1e18;

/// A quantity becomes `(x - mean) / deviation`; a missing one the mean, marked by a feature of its own if any was
/// missing in the training rows. A column that is constant there is always 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// Of the training rows.
    pub mean: f64,
    /// Population standard deviation of the training rows.
    pub deviation: f64,
    /// Whether values are standardised; else they are taken as they are.
    pub standardize: bool,
    /// Whether a feature says that the value is missing.
    pub indicator: bool,
}

impl Number {
    pub(super) fn fit(source: &InputColumn, config: &InputConfig, rows: &[u32]) -> Result<Self, EncodeError> {
        let values = Self::read(source)?;
        let known = rows.iter().filter_map(|row| values.get(*row as usize).copied());
        let (mean, deviation) = crate::column::moments(known.clone()).ok_or_else(|| source.all_missing())?;
        let indicator = known.clone().any(f64::is_nan);
        Ok(Number { mean, deviation, standardize: config.standardize.unwrap_or(true), indicator })
    }

    /// NaN where missing.
    pub(super) fn read<'a>(source: &InputColumn<'a>) -> Result<Cow<'a, [f64]>, EncodeError> {
        crate::column::numbers(source.column).map_err(|row| EncodeError::NotNumber {
            place: source.table.place(row),
            input: source.column.name.clone(),
            value: source.column.shown(row).unwrap_or_default(),
        })
    }

    /// What is subtracted from a value, what it is multiplied by then, and what stands for a missing one.
    pub fn scaling(&self) -> (f64, f64, f64) {
        match self.standardize {
            true if self.deviation > 0.0 => (self.mean, self.deviation.recip(), 0.0),
            true => (self.mean, 0.0, 0.0),
            false => (0.0, 1.0, self.mean),
        }
    }

    /// The least and the largest value that a network can compute with.
    pub fn range(&self) -> (f64, f64) {
        let (shift, factor, _) = self.scaling();
        match factor > 0.0 {
            true => ((shift - LARGEST / factor).max(f64::MIN), (shift + LARGEST / factor).min(f64::MAX)),
            // A column without variance is 0, whatever it holds.
            false => (f64::MIN, f64::MAX),
        }
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self.mean.is_finite() && self.deviation.is_finite() && self.deviation >= 0.0 {
            true => Ok(()),
            false => Err("its mean or deviation is out of range"),
        }
    }
}
