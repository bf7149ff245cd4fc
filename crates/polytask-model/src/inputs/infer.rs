//! What an input column is, where the config does not say.

use super::boolean::truth_of;
use super::text::is_text;
use crate::section::InputKind;
use polytask_data::{Column, DateFormat, Values};

/// The kind of a column: numbers are numbers; texts that are all dates, written alike, are dates; text of at most two levels
/// that say true and false is a boolean, names of image files are images, sentences that seldom come twice and lists of
/// tokens are texts, other text a category. Images are images.
pub fn infer(column: &Column) -> InputKind {
    match &column.values {
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
