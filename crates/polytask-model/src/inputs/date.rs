//! Dates and times.

use super::{EncodeError, InputColumn};
use crate::section::InputConfig;
use polytask_data::{DateFormat, dates};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

const DAY: f64 = 86_400.0;
/// Days of a year on average.
const YEAR: f64 = 365.2425;
/// 1970-01-01 was a Thursday, the fourth day of a week that begins with Monday.
const THURSDAY: f64 = 3.0;

/// A date becomes the days since the first of the training rows, standardised, and where it stands in its year, its week and,
/// where the training rows have times of the day, its day: the sine and cosine of each, so that what follows the end is the
/// beginning. A missing one becomes 0 in all of them, marked by a feature of its own if any was missing in the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Date {
    /// How the dates are written.
    pub format: DateFormat,
    /// The first of the training rows, in seconds since 1970.
    pub first: f64,
    /// Mean of the days since then.
    pub mean: f64,
    /// Population standard deviation of the days since then.
    pub deviation: f64,
    /// Whether the hour is read.
    pub hours: bool,
    /// Whether a feature says that the date is missing.
    pub indicator: bool,
}

impl Date {
    pub(super) fn fit(source: &InputColumn, config: &InputConfig, rows: &[u32]) -> Result<Self, EncodeError> {
        let dates = dates(source.column, config.format).map_err(|row| not_date(source, row))?;
        let known = rows.iter().filter_map(|row| dates.seconds.get(*row as usize).copied());
        let indicator = known.clone().any(f64::is_nan);
        let known = known.filter(|seconds| !seconds.is_nan());
        let first = known.clone().fold(f64::INFINITY, f64::min);
        let days = known.clone().map(|seconds| (seconds - first) / DAY);
        let (mean, deviation) = crate::column::moments(days).ok_or_else(|| source.all_missing())?;
        let hours = known.clone().any(|seconds| seconds.rem_euclid(DAY) != 0.0);
        Ok(Date { format: dates.format, first, mean, deviation, hours, indicator })
    }

    /// What its features are called, behind the name of the column; the mark of missing ones not among them.
    pub fn parts(&self) -> &'static [&'static str] {
        const ALL: [&str; 7] = ["days", "year sin", "year cos", "weekday sin", "weekday cos", "hour sin", "hour cos"];
        match (self.format, self.hours) {
            (DateFormat::Time, _) => &ALL[5..],
            (_, true) => &ALL,
            (_, false) => &ALL[..5],
        }
    }

    /// Its features, each with a value a row, NaN where missing.
    pub(super) fn read(&self, source: &InputColumn) -> Result<Vec<Vec<f64>>, EncodeError> {
        let seconds = dates(source.column, Some(self.format)).map_err(|row| not_date(source, row))?.seconds;
        let each = |of: &dyn Fn(f64) -> f64| seconds.iter().map(|seconds| of(seconds / DAY)).collect::<Vec<f64>>();
        let factor = if self.deviation > 0.0 { self.deviation.recip() } else { 0.0 };
        let mut all = Vec::new();
        let alone = self.format == DateFormat::Time;
        if !alone {
            all.push(each(&|days| (days - self.first / DAY - self.mean) * factor));
        }
        let mut turn = |of: &dyn Fn(f64) -> f64| {
            all.push(each(&|days| (TAU * of(days)).sin()));
            all.push(each(&|days| (TAU * of(days)).cos()));
        };
        if !alone {
            turn(&|days| days / YEAR);
            turn(&|days| (days.floor() + THURSDAY) / 7.0);
        }
        if alone || self.hours {
            turn(&|days| days);
        }
        Ok(all)
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        let finite = [self.first, self.mean, self.deviation].iter().all(|value| value.is_finite());
        if finite && self.deviation >= 0.0 { Ok(()) } else { Err("its first date, mean or deviation is out of range") }
    }
}

fn not_date(source: &InputColumn, row: usize) -> EncodeError {
    EncodeError::NotDate {
        place: source.table.place(row),
        input: source.column.name.clone(),
        value: source.column.shown(row).unwrap_or_else(|| "nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polytask_data::{Column, Table};

    fn features(dates: &[Option<&str>]) -> (Date, Vec<Vec<f64>>) {
        let table = Table::from_columns(vec![Column::text("when", dates.iter().copied())]).unwrap();
        let source = InputColumn::find("when", None, &table).unwrap();
        let rows: Vec<u32> = (0..dates.len() as u32).collect();
        let date = Date::fit(&source, &InputConfig::default(), &rows).unwrap();
        let read = date.read(&source).unwrap();
        (date, read)
    }

    #[test]
    fn weeks_and_days_go_round() {
        let (date, read) =
            features(&[Some("2024-01-01 06:00"), Some("2024-01-08 18:00"), Some("2024-01-04 06:00"), None]);
        assert_eq!((date.parts().len(), read.len(), date.indicator), (7, 7, true));
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        // Both are Mondays, twelve hours apart.
        assert!(near(read[3][0], read[3][1]) && near(read[4][0], 1.0));
        assert!(near(read[5][0], 1.0) && near(read[5][1], -1.0) && near(read[5][2], 1.0));
        assert!(!near(read[3][2], read[3][0]));
        assert!(read.iter().all(|feature| feature[3].is_nan()));
        assert!(near(read[0][0] + read[0][1] + read[0][2], 0.0));
    }

    #[test]
    fn times_alone_have_nothing_else() {
        let (date, read) = features(&[Some("06:00"), Some("6:00 PM"), Some("NaT")]);
        assert_eq!((date.parts(), read.len(), date.indicator), (["hour sin", "hour cos"].as_slice(), 2, true));
        assert!((read[0][0] - 1.0).abs() < 1e-9 && (read[0][1] + 1.0).abs() < 1e-9 && read[0][2].is_nan());
    }

    #[test]
    fn dates_without_a_time_have_no_hours() {
        let (date, read) = features(&[Some("31.01.2024"), Some("30.06.2023")]);
        assert_eq!((date.format, date.hours, read.len()), (DateFormat::Day, false, 5));
    }
}
