//! What an input column is, where the config does not say.

use super::boolean::truth_of;
use super::text::is_text;
use crate::section::InputKind;
use polytask_data::{Column, Values};

/// The kind of a column: numbers are numbers; text of at most two levels that say true and false is a boolean, names of
/// image files are images, sentences and lists of tokens are texts, other text a category. Images are images.
pub fn infer(column: &Column) -> InputKind {
    match &column.values {
        Values::Number(_) => InputKind::Number,
        Values::Text(text) if text.levels.len() <= 2 && text.levels.iter().all(|l| truth_of(l).is_some()) => {
            InputKind::Boolean
        }
        Values::Text(text) if is_images(&text.levels) => InputKind::Image,
        Values::Text(text) if is_text(&text.levels) => InputKind::Text,
        Values::Text(_) | Values::Nested(_) => InputKind::Category,
        Values::List(_) => InputKind::Text,
        Values::Images(_) => InputKind::Image,
    }
}

/// Whether all end like the names of image files.
fn is_images(levels: &[String]) -> bool {
    !levels.is_empty() && levels.iter().all(|level| polytask_data::image::is_name(level))
}
