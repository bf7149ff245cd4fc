//! True or false.

use super::{EncodeError, InputColumn};
use polytask_data::Values;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// True becomes 1 and false 0; a missing value the share of true ones, marked by a feature of its own if any was
/// missing in the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Boolean {
    /// The share of true ones among the training rows.
    pub share: f64,
    /// Whether a feature says that the value is missing.
    pub indicator: bool,
}

/// What a word says, in any case; `None` where it is neither.
pub(crate) fn truth_of(word: &str) -> Option<bool> {
    match word.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "t" | "y" => Some(true),
        "0" | "false" | "no" | "f" | "n" => Some(false),
        _ => None,
    }
}

impl Boolean {
    pub(super) fn fit(source: &InputColumn, rows: &[u32]) -> Result<Self, EncodeError> {
        let values = Self::read(source)?;
        let known = rows.iter().filter_map(|row| values.get(*row as usize).copied());
        let (share, _) = crate::column::moments(known.clone()).ok_or_else(|| source.all_missing())?;
        let indicator = known.clone().any(f64::is_nan);
        Ok(Boolean { share, indicator })
    }

    /// 1, 0, or NaN where missing.
    pub(super) fn read<'a>(source: &InputColumn<'a>) -> Result<Cow<'a, [f64]>, EncodeError> {
        let bad = |row: usize| EncodeError::NotBoolean {
            place: source.table.place(row),
            input: source.column.name.clone(),
            value: source.column.shown(row).unwrap_or_default(),
        };
        match &source.column.values {
            Values::Number(values) => match values.iter().position(|v| !v.is_nan() && *v != 0.0 && *v != 1.0) {
                Some(row) => Err(bad(row)),
                None => Ok(values.into()),
            },
            Values::Images(_) => Err(bad(0)),
            Values::Text(text) => {
                let truths: Vec<Option<bool>> = text.levels.iter().map(|level| truth_of(level)).collect();
                let value = |(row, code): (usize, &u32)| match truths.get(*code as usize) {
                    None => Ok(f64::NAN),
                    Some(truth) => truth.map(|t| f64::from(u8::from(t))).ok_or_else(|| bad(row)),
                };
                text.codes.iter().enumerate().map(value).collect::<Result<Vec<f64>, _>>().map(Cow::from)
            }
            Values::List(_) | Values::Nested(_) => Err(bad(0)),
        }
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        match (0.0..=1.0).contains(&self.share) {
            true => Ok(()),
            false => Err("its share is out of range"),
        }
    }
}
