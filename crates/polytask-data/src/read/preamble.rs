//! What stands above the header of a CSV file, and how the lines below are written.

use crate::error::DataError;
use crate::read::{Dialect, sniff};

/// The letters before a delimiter that spreadsheets read: `sep=;`.
const SEPARATOR: &str = "sep=";

/// Where the header of a text begins, and how it is written.
#[derive(Debug, PartialEq)]
pub(super) struct Preamble {
    /// Bytes before it.
    pub(super) start: usize,
    pub(super) delimiter: u8,
    pub(super) notes: Vec<String>,
}

/// Finds the header.
///
/// # Errors
/// A line that looks like a title: its number of fields is one, and that of all others a larger one.
pub(super) fn find(file: &str, text: &str, dialect: &Dialect) -> Result<Preamble, DataError> {
    let mut notes = Vec::new();
    let mut start = after_lines(text, 0, dialect.skip);
    let mut delimiter = dialect.delimiter;
    let line = line_at(text, start);
    if let Some(separator) = line.trim_matches('"').strip_prefix(SEPARATOR) {
        let named = match separator.as_bytes() {
            [byte] => Some(*byte),
            _ if separator.eq_ignore_ascii_case("\\t") => Some(b'\t'),
            _ => None,
        };
        if let Some(byte) = named {
            delimiter = delimiter.or(Some(byte));
            start = after_lines(text, start, 1);
        }
    }
    if dialect.comment.is_none() {
        let passed = comments(text, start, delimiter);
        if passed > start {
            let count =
                text.get(start..passed).unwrap_or_default().lines().filter(|line| line.starts_with('#')).count();
            let lines = if count == 1 { "1 line" } else { &format!("{count} lines") };
            notes.push(format!("{file}: {lines} above the header begin with # and were passed over"));
            start = passed;
        }
    }
    let below = text.get(start..).unwrap_or_default();
    let form = sniff::Form { unquoted: dialect.unquoted, comment: dialect.comment };
    if delimiter.is_none() {
        delimiter = sniff::delimiter(below.as_bytes(), form);
        if let Some(title) = sniff::title(below.as_bytes(), form).filter(|_| delimiter.is_none()) {
            let before = text.get(..start + title.at).unwrap_or_default();
            let first = text.get(..start).unwrap_or_default();
            let number = |text: &str| line_ends(text) as u64 + 1;
            let skip = line_ends(before);
            return Err(DataError::Title {
                file: file.to_owned(),
                line: number(first),
                fields: title.fields,
                header: number(before),
                skip,
            });
        }
        if delimiter.is_none()
            && let Some(columns) = sniff::blanks(below)
        {
            notes.push(format!(
                "{file}: its lines look like {columns} columns with blanks between them and were read as one; if they are, \
                 data.delimiter = \" \""
            ));
        }
    }
    Ok(Preamble { start, delimiter: delimiter.unwrap_or(b','), notes })
}

/// The place behind lines at the top that begin with `#`: they are comments if one has another number of fields than the
/// line below them all. The last may be the header nevertheless, as some programs write it (`#id,name`).
fn comments(text: &str, start: usize, delimiter: Option<u8>) -> usize {
    let (mut at, mut lines) = (start, Vec::new());
    loop {
        let line = line_at(text, at);
        match (line.starts_with('#') && line.matches('"').count().is_multiple_of(2), line.trim().is_empty()) {
            (true, _) => lines.push(at),
            (_, true) if !lines.is_empty() && at < text.len() => {}
            _ => break,
        }
        at = after_lines(text, at, 1);
    }
    let below = text.get(at..).unwrap_or_default();
    let delimiter = delimiter.or_else(|| sniff::delimiter(below.as_bytes(), sniff::Form::default()));
    let (Some(&last), Some(delimiter)) = (lines.last(), delimiter) else { return start };
    let fields = |at: usize| sniff::fields(text.get(at..).unwrap_or_default().as_bytes(), delimiter);
    let own = fields(at);
    if own < 2 || lines.iter().all(|line| fields(*line) == own) {
        return start;
    }
    let named = !line_at(text, last).starts_with("# ");
    if named && fields(last) == own { last } else { at }
}

/// The line that begins at a place, without its end.
fn line_at(text: &str, at: usize) -> &str {
    let rest = text.get(at..).unwrap_or_default();
    rest.get(..rest.find(['\n', '\r']).unwrap_or(rest.len())).unwrap_or_default()
}

/// The place so many lines below another.
fn after_lines(text: &str, mut at: usize, count: usize) -> usize {
    for _ in 0..count {
        let rest = text.get(at..).unwrap_or_default();
        let Some(end) = rest.find(['\n', '\r']) else { return text.len() };
        at += end + if rest.get(end..).unwrap_or_default().starts_with("\r\n") { 2 } else { 1 };
    }
    at
}

/// Line ends of a text, that of old files a carriage return alone.
fn line_ends(text: &str) -> usize {
    let end = if text.contains('\n') { '\n' } else { '\r' };
    text.matches(end).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, dialect: &Dialect) -> (String, u8, usize) {
        let found = find("f.csv", text, dialect).unwrap();
        (text[found.start..].to_owned(), found.delimiter, found.notes.len())
    }

    #[test]
    fn comments_and_separators_stand_above_the_header() {
        let plain = Dialect::default();
        assert_eq!(found("sep=;\na;b\n1;2\n", &plain), ("a;b\n1;2\n".into(), b';', 0));
        assert_eq!(found("sep=\\t\r\na\tb\n", &plain), ("a\tb\n".into(), b'\t', 0));
        assert_eq!(found("# made, today\n#\n\na,b,c\n1,2,3\n", &plain), ("a,b,c\n1,2,3\n".into(), b',', 1));
        assert_eq!(found("##v 4\n#a,b\n1,2\n", &plain), ("#a,b\n1,2\n".into(), b',', 1));
        assert_eq!(found("#a,b\n1,2\n", &plain), ("#a,b\n1,2\n".into(), b',', 0));
        assert_eq!(found("#\n1\n2\n", &plain).0, "#\n1\n2\n");
        let skip = Dialect { skip: 2, ..Dialect::default() };
        assert_eq!(found("A title; x\r\n\r\na,b\r\n1,2\r\n", &skip), ("a,b\r\n1,2\r\n".into(), b',', 0));
    }

    #[test]
    fn titles_and_blanks_are_pointed_out() {
        let error = find("f.csv", "Report\n\na;b;c\n1;2;3\n4;5;6\n", &Dialect::default()).unwrap_err();
        assert_eq!(error.to_string(), "f.csv: line 1 looks like a title: the lines from line 3 on have 3 fields");
        assert!(error.hint().unwrap().contains("data.skip = 2"));
        assert_eq!(found("a b c\n1 2 3\n4  5  6\n", &Dialect::default()).2, 1);
        assert_eq!(found("text\nhello you\nand you\n", &Dialect::default()).2, 0);
    }
}
