//! Files that hold more than the one picture that is read of them.

use polytask_data::Table;
use polytask_data::source::{Source, sources};
use rayon::prelude::*;

/// The note on animations and pages in a column of images, which tells how many there are and where the first is.
pub fn frames(table: &Table, column: &str) -> Option<String> {
    let sources = sources(table, column).ok()?;
    let several: Vec<usize> =
        sources.par_iter().enumerate().filter(|(_, source)| source.has_more()).map(|(row, _)| row).collect();
    let first = *several.first()?;
    let place = match &sources[first] {
        Source::File(path) => path.display().to_string(),
        Source::Missing | Source::Bytes(_) | Source::Pixels(..) => table.place(first).to_string(),
    };
    let which = match several.len() {
        1 => format!("{place} holds"),
        count => format!("{count} files hold"),
    };
    let among = if several.len() > 1 { format!(" ({place} is the first of them)") } else { String::new() };
    Some(format!("input `{column}`: {which} several pictures, of which the first is read{among}"))
}
