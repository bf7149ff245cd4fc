//! The arguments of a predicate from the cells of its column.

use crate::text::{Argument, bio_spans};

/// The arguments in a column of a sentence, the predicate itself left out: brackets `(A0*`, `*`, `*)` (CoNLL-2005 and 2012),
/// tags `B-A0`, `I-A0`, `O`, or labels on heads, `A0` and `_` (CoNLL-2008 and 2009), which are arguments of one token. The
/// error is a token and what is wrong with it.
pub(super) fn arguments(cells: &[&str]) -> Result<Vec<Argument>, (usize, String)> {
    let none = |cell: &str| matches!(cell, "_" | "-" | "O");
    let tagged = |cell: &&str| none(cell) || cell.starts_with("B-") || cell.starts_with("I-");
    let mut arguments = if cells.iter().any(|cell| cell.contains(['(', '*'])) {
        brackets(cells)?
    } else if cells.iter().all(tagged) {
        tags(cells)?
    } else {
        let heads = cells.iter().enumerate().filter(|(_, cell)| !none(cell));
        heads.map(|(token, role)| Argument { role: (*role).to_owned(), first: token, last: token }).collect()
    };
    arguments.retain(|argument| !matches!(argument.role.as_str(), "V" | "rel"));
    Ok(arguments)
}

/// Arguments written `(A0*`, `*`, `*)`.
fn brackets(cells: &[&str]) -> Result<Vec<Argument>, (usize, String)> {
    let mut arguments: Vec<Argument> = Vec::new();
    let mut open = false;
    for (token, cell) in cells.iter().enumerate() {
        let bad = || (token, format!("`{cell}` is no part of an argument, such as `(A0*`, `*`, `*)`"));
        if let Some(inner) = cell.strip_prefix('(') {
            let role = inner.trim_end_matches(')').trim_end_matches('*');
            if let Some(before) = arguments.last().filter(|_| open) {
                return Err((before.first, format!("`({}*` is never closed", before.role)));
            }
            if role.is_empty() || role.contains(['(', '*', ')']) {
                return Err(bad());
            }
            arguments.push(Argument { role: role.to_owned(), first: token, last: token });
            open = true;
        } else if !matches!(*cell, "*" | "*)") || (*cell == "*)" && !open) {
            return Err(bad());
        }
        if let Some(argument) = arguments.last_mut().filter(|_| open) {
            argument.last = token;
        }
        open &= !cell.ends_with(')');
    }
    match arguments.last() {
        Some(argument) if open => Err((argument.first, format!("`({}*` is never closed", argument.role))),
        _ => Ok(arguments),
    }
}

/// Arguments written as tags, `B-A0`, `I-A0`, `O`.
fn tags(cells: &[&str]) -> Result<Vec<Argument>, (usize, String)> {
    let cells = cells.iter().map(|cell| if matches!(*cell, "_" | "-") { "O" } else { cell });
    let (spans, _) = bio_spans(cells).map_err(|error| (error.token, format!("`{}` is no tag", error.tag)))?;
    Ok(spans.into_iter().map(|span| Argument { role: span.label, first: span.first, last: span.last }).collect())
}
