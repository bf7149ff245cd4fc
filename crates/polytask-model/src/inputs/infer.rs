//! What an input column is, where the config does not say.

use super::boolean::truth_of;
use super::text::is_text;
use crate::section::InputKind;
use polytask_data::{Column, DateFormat, Values};
use std::collections::HashMap;

/// The kind of a column: numbers are numbers, but for amounts that come again and again, which are categories; texts that are all dates, written alike, are dates; text of at most two levels
/// that say true and false is a boolean, names of image files are images, sentences that seldom come twice and lists of
/// tokens are texts, other text a category. Images are images.
pub fn infer(column: &Column) -> InputKind {
    match &column.values {
        Values::Number(values) if recurs(values) => InputKind::Category,
        Values::Number(_) => InputKind::Number,
        Values::Text(text) if text.levels.len() <= 2 && text.levels.iter().all(|l| truth_of(l).is_some()) => {
            InputKind::Boolean
        }
        Values::Text(text) if is_dates(&text.levels) => InputKind::Date,
        Values::Text(text) if is_images(&text.levels) => InputKind::Image,
        Values::Text(text) if is_text(text) => InputKind::Text,
        Values::Text(_) | Values::Nested(_) => InputKind::Category,
        Values::List(_) => InputKind::Text,
        Values::Images(_) => InputKind::Image,
    }
}

/// Different amounts that [`recurs`] asks for, and knows of at most.
const AMOUNTS: std::ops::RangeInclusive<usize> = 20..=4096;

/// Whether whole numbers are amounts that most rows have none of, and that come again where there is one, though most whole
/// numbers between never do: sums that a tax form or a price list knows, which mean more than their size. (Counts and
/// intensities leave no gaps.)
fn recurs(values: &[f64]) -> bool {
    let mut counts: HashMap<i64, usize> = HashMap::new();
    let (mut known, mut least, mut most) = (0, f64::INFINITY, f64::NEG_INFINITY);
    for &value in values.iter().filter(|value| !value.is_nan()) {
        if value.fract() != 0.0 || value.abs() > 1e15 || counts.len() > *AMOUNTS.end() {
            return false;
        }
        *counts.entry(value as i64).or_default() += 1;
        (known, least, most) = (known + 1, value.min(least), value.max(most));
    }
    let (amounts, none) = (counts.len().saturating_sub(1), counts.values().copied().max().unwrap_or(0));
    AMOUNTS.contains(&amounts)
        && 2 * none >= known
        && known - none >= 5 * amounts
        && (4 * amounts) as f64 <= most - least
}

/// Whether all end like the names of image files.
fn is_images(levels: &[String]) -> bool {
    !levels.is_empty() && levels.iter().all(|level| polytask_data::is_image_name(level))
}

/// Whether all are dates, and not just a few of them, which may be names of groups.
fn is_dates(levels: &[String]) -> bool {
    levels.len() > 10 && DateFormat::find(levels.iter().map(String::as_str)).is_some()
}

/// Whether a column of numbers holds days such as 20240310, or seconds such as 20240310180000.
pub fn is_days(column: &Column) -> bool {
    let Values::Number(values) = &column.values else { return false };
    let mut known = values.iter().filter(|value| !value.is_nan()).peekable();
    let day = |value: &f64| {
        let range = 19_000_000.0..21_010_000.0;
        (range.contains(value) || range.contains(&(value / 1e6)))
            && DateFormat::Year.seconds(&value.to_string()).is_some()
    };
    known.peek().is_some() && known.all(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_that_come_again_are_categories() {
        let of = |amount: &dyn Fn(usize) -> f64| -> Vec<f64> {
            (0..1000).map(|row| if row % 4 == 0 { amount(row / 4 % 25) } else { 0.0 }).collect()
        };
        assert!(recurs(&of(&|i| (7 * i * i + 100) as f64)));
        assert!(!recurs(&of(&|i| (7 * i * i) as f64 + 100.5)), "not whole");
        assert!(!recurs(&of(&|i| (i + 1) as f64)), "counts leave no gaps");
        assert!(!recurs(&of(&|i| (7 * (i % 4) + 100) as f64)), "a few levels are in some order");
        let all: Vec<f64> = (0..1000).map(|row| (7 * (row % 25) * (row % 25) + 100) as f64).collect();
        assert!(!recurs(&all), "every row has one");
        let once: Vec<f64> = (0..1000).map(|row| if row % 4 == 0 { 13.0 * row as f64 } else { 0.0 }).collect();
        assert!(!recurs(&once), "none comes again");
        assert!(!recurs(&[]) && !recurs(&[f64::NAN]));
    }
}
