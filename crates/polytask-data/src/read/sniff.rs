//! Which delimiter a text uses, and whether its quotes close.

/// Tried in this order.
pub(super) const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Enough lines to tell, few enough to cost nothing.
const WINDOW: usize = 64 * 1024;
const RECORDS: usize = 200;

/// How records are written beside their delimiter.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Form {
    /// Quotes are characters like any other.
    pub(super) unquoted: bool,
    /// Lines that begin with this byte are none.
    pub(super) comment: Option<u8>,
}

/// The delimiter of `text`, none where the first line holds none.
///
/// Of the candidates that occur in the header the one wins whose records most often have as many fields as the
/// header, and among equals the one with more fields.
pub(super) fn delimiter(text: &[u8], form: Form) -> Option<u8> {
    let mut best: Option<(f64, usize, u8)> = None;
    for candidate in CANDIDATES {
        let counts = counts(text, candidate, form);
        let header = counts.first().copied().unwrap_or(0);
        if header < 2 {
            continue;
        }
        let agreeing = counts.iter().filter(|fields| **fields == header).count();
        let share = agreeing as f64 / counts.len() as f64;
        if best.is_none_or(|(top, fields, _)| (share, header) > (top, fields)) {
            best = Some((share, header, candidate));
        }
    }
    best.map(|(_, _, delimiter)| delimiter)
}

/// The numbers of fields of the first records.
fn counts(text: &[u8], delimiter: u8, form: Form) -> Vec<usize> {
    let window = text.get(..WINDOW).unwrap_or(text);
    let mut records = Records { text: window, delimiter, form };
    let mut counts: Vec<usize> = records.by_ref().take(RECORDS).map(|record| record.fields).collect();
    // The window may end inside a record.
    if window.len() < text.len() && records.text.is_empty() && counts.len() > 1 {
        counts.pop();
    }
    counts
}

/// The header below lines that are none.
pub(super) struct Title {
    /// The byte it begins at.
    pub(super) at: usize,
    /// Its fields.
    pub(super) fields: usize,
}

/// Whether the first records have one field each, and all others as many as the header below them, three or more records.
pub(super) fn title(text: &[u8], form: Form) -> Option<Title> {
    CANDIDATES.into_iter().find_map(|candidate| {
        let counts = counts(text, candidate, form);
        let above = counts.iter().take_while(|fields| **fields == 1).count();
        let (&fields, rest) = counts.get(above..)?.split_first()?;
        (above > 0 && rest.len() >= 2 && rest.iter().all(|other| *other == fields)).then(|| {
            let mut records = Records { text, delimiter: candidate, form };
            records.by_ref().take(above).for_each(|_| {});
            let blank = records.text.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            Title { at: text.len() - records.text.len() + blank, fields }
        })
    })
}

/// The columns of a text whose lines are words with blanks between them, three or more, or numbers; none of others.
pub(super) fn blanks(text: &str) -> Option<usize> {
    let lines = text.lines().filter(|line| !line.trim().is_empty()).take(RECORDS);
    let counts: Vec<usize> = lines.map(|line| line.split_ascii_whitespace().count()).collect();
    let (&columns, rest) = counts.split_first()?;
    let numbers = text.lines().nth(1)?.split_ascii_whitespace().all(|word| word.parse::<f64>().is_ok());
    let fits = rest.len() >= 2 && rest.iter().all(|count| *count == columns);
    (fits && (columns > 2 || (columns == 2 && numbers))).then_some(columns)
}

/// The fields of the first record of a text.
pub(super) fn fields(text: &[u8], delimiter: u8) -> usize {
    Records { text, delimiter, form: Form::default() }.next().map_or(0, |record| record.fields)
}

/// Whether the record at the start of `text` has a quoted field that never closes.
pub(super) fn open_quote(text: &[u8], delimiter: u8, form: Form) -> bool {
    !form.unquoted && Records { text, delimiter, form }.next().is_some_and(|record| record.open)
}

/// The records of a text by the rules the CSV parser follows: a quote counts only at the start of a field, a doubled
/// quote inside is a quote, blank lines are skipped.
struct Records<'a> {
    text: &'a [u8],
    delimiter: u8,
    form: Form,
}

struct Record {
    fields: usize,
    /// The text ended inside quotes.
    open: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Start,
    Plain,
    Quoted,
    QuoteInQuoted,
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            let blank = self.text.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            self.text = self.text.get(blank..).filter(|rest| !rest.is_empty())?;
            if self.form.comment.is_none() || self.text.first().copied() != self.form.comment {
                break;
            }
            let line = self.text.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count();
            self.text = self.text.get(line..).unwrap_or_default();
        }
        let mut fields = 1;
        let mut state = State::Start;
        for (at, &byte) in self.text.iter().enumerate() {
            let byte = if self.form.unquoted && byte == b'"' { b' ' } else { byte };
            state = match (state, byte) {
                (State::Quoted, b'"') => State::QuoteInQuoted,
                (State::Quoted, _) | (State::Start | State::QuoteInQuoted, b'"') => State::Quoted,
                (_, b'\n' | b'\r') => {
                    self.text = self.text.get(at..).unwrap_or_default();
                    return Some(Record { fields, open: false });
                }
                (_, byte) if byte == self.delimiter => {
                    fields += 1;
                    State::Start
                }
                _ => State::Plain,
            };
        }
        self.text = &[];
        Some(Record { fields, open: state == State::Quoted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delimiter(text: &[u8]) -> Option<u8> {
        super::delimiter(text, Form::default())
    }

    fn open_quote(text: &[u8], delimiter: u8) -> bool {
        super::open_quote(text, delimiter, Form::default())
    }

    #[test]
    fn each_delimiter_is_found() {
        for delimiter in CANDIDATES {
            let text = "a,b,c\n1,2,3\n4,5,6\n".replace(',', &char::from(delimiter).to_string());
            assert_eq!(self::delimiter(text.as_bytes()), Some(delimiter));
        }
        assert_eq!(delimiter(b"a\n1\n2\n"), None);
        assert_eq!(delimiter(b""), None);
    }

    #[test]
    fn delimiters_in_quotes_and_in_texts_do_not_count() {
        assert_eq!(delimiter(b"\"a,b,c\";d\n\"1,5,7\";2\n"), Some(b';'));
        assert_eq!(delimiter(b"text;label\nyes, no, perhaps;1\nwell, now;0\n"), Some(b';'));
        assert_eq!(delimiter(b"a;b\n1,5;2,5\n3,5;4,5\n"), Some(b';'));
        // Both stand in the header; only the tab splits every line alike.
        assert_eq!(delimiter(b"a, b\tc, d, e\n1\t2\n3\t4\n"), Some(b'\t'));
    }

    #[test]
    fn one_ragged_row_misleads_nobody() {
        assert_eq!(delimiter(b"a,b|c,d\n1,2,3\n4,5,6\n7,8\n"), Some(b','));
    }

    #[test]
    fn the_record_cut_by_the_window_does_not_count() {
        // Commas and semicolons both split the whole records alike; the commas of the last lie past the window.
        let text = format!("a,b,c;d\n1,2,3;4\nx;{},2,3\n", "y".repeat(WINDOW));
        assert_eq!(delimiter(text.as_bytes()), Some(b','));
    }

    #[test]
    fn open_quotes_are_seen() {
        assert!(open_quote(b"a,\"b\nc,d\n", b','));
        assert!(open_quote(b"a,\"b\"\"", b','));
        assert!(!open_quote(b"a,\"b\"\nc,\"d", b','));
        assert!(!open_quote(b"a,b\"c\n", b','));
        assert!(!open_quote(b"a,\"b\"\"\"", b','));
    }
}
