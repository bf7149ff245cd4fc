//! What serde says about a key, in the words of the config.

use crate::nearest::suggest;
use crate::section::{Problem, dotted};

/// The problem behind serde's `message` about the key at `path`.
pub(super) fn translate(mut path: Vec<String>, message: &str) -> Problem {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let problem = |key: Vec<String>, message: String| Problem { key, message, hint: None, at_value: false };
    if message.starts_with("unknown field") {
        let name = quoted.first().copied().unwrap_or_default();
        // A table that was buffered on the way reports the table instead of the key within.
        if path.last().is_none_or(|last| last != name) {
            path.push(name.to_owned());
        }
        let text = format!("unknown key `{}`", dotted(&path));
        return problem(path, text).hint(suggest(name, quoted.get(1..).unwrap_or_default()));
    }
    let key = dotted(&path);
    if message.starts_with("unknown variant") {
        let name = quoted.first().copied().unwrap_or_default();
        let choice = quoted.get(1..).unwrap_or_default();
        let words: Vec<String> = choice.iter().map(|c| format!("\"{c}\"")).collect();
        let table = message.split_once("; ").map_or(String::new(), |(_, table)| format!(", {table}"));
        let one_of = if words.len() > 1 { "one of " } else { "" };
        let text = format!("`{key}` is \"{name}\"; it must be {one_of}{}{table}", words.join(", "));
        let near = crate::nearest::nearest(name, choice.iter().copied());
        return Problem { at_value: true, ..problem(path, text) }.hint(near.map(|n| format!("did you mean \"{n}\"?")));
    }
    if message.starts_with("missing field") {
        let name = quoted.first().copied().unwrap_or_default();
        let text = match path.is_empty() {
            true => format!("the section [{name}] is missing"),
            false => format!("the section [{key}] lacks the key `{name}`"),
        };
        path.push(name.to_owned());
        return problem(path, text);
    }
    let mismatch = message.strip_prefix("invalid type: ").or(message.strip_prefix("invalid value: "));
    if let Some((found, wanted)) = mismatch.and_then(|m| m.split_once(", expected ")) {
        let text = match wanted {
            // Where a word of a fixed choice should stand, the parser does not say what it found.
            "string only" => format!("`{key}` must be a word in quotes"),
            _ => format!("`{key}` is {}; it must be {}", found_in_words(found), wanted_in_words(wanted)),
        };
        return Problem { at_value: true, ..problem(path, text) };
    }
    let text = if quoted.is_empty() { format!("`{key}`: {message}") } else { message.to_owned() };
    Problem { at_value: true, ..problem(path, text) }
}

fn found_in_words(found: &str) -> String {
    match found {
        "map" => "a table".into(),
        "sequence" => "an array".into(),
        _ => match found.split_once('`') {
            Some((_, number)) => number.trim_end_matches('`').into(),
            None => found.strip_prefix("string ").unwrap_or(found).into(),
        },
    }
}

fn wanted_in_words(wanted: &str) -> &str {
    match wanted {
        "usize" | "u64" | "u32" => "a whole number, 0 or above",
        "f64" | "f32" => "a number",
        "a string" | "string" => "a word in quotes",
        "a boolean" => "true or false",
        "a sequence" => "an array, such as [64, 64]",
        "a map" => "a table",
        _ if wanted.starts_with("struct ") => "a table",
        other => other,
    }
}
