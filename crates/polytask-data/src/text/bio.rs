//! Tags over tokens: what they say of spans.

use super::Span;

/// A tag taken apart: how a token stands in a span, and the span's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bio<'a> {
    /// Outside of all spans.
    Outside,
    /// The first token of a span.
    Begin(&'a str),
    /// A further token of a span.
    Inside(&'a str),
    /// The last of several tokens.
    End(&'a str),
    /// The only token of a span.
    Single(&'a str),
}

impl<'a> Bio<'a> {
    /// Reads `O`, `B-label`, `I-label`, and the letters of richer schemes: `E-` or `L-` for the last token of a span,
    /// `S-` or `U-` for the only one. None for anything else.
    pub fn read(tag: &'a str) -> Option<Self> {
        if tag == "O" {
            return Some(Bio::Outside);
        }
        let (letter, label) = tag.split_once('-').filter(|(_, label)| !label.is_empty())?;
        match letter {
            "B" => Some(Bio::Begin(label)),
            "I" | "M" => Some(Bio::Inside(label)),
            "E" | "L" => Some(Bio::End(label)),
            "S" | "U" => Some(Bio::Single(label)),
            _ => None,
        }
    }
}

/// A tag that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BioError {
    /// Its token, from 0.
    pub token: usize,
    /// What stands there.
    pub tag: String,
}

/// The spans of a sentence's tags in order, and the tokens where a span goes on that never began (an `I-x` behind
/// anything but `B-x` or `I-x`); there a span is taken to begin.
///
/// # Errors
/// The first tag that is none.
pub fn bio_spans<'a>(tags: impl IntoIterator<Item = &'a str>) -> Result<(Vec<Span>, Vec<usize>), BioError> {
    let (mut spans, mut repaired): (Vec<Span>, Vec<usize>) = Default::default();
    // Whether the span before may go on.
    let mut open = false;
    for (token, tag) in tags.into_iter().enumerate() {
        let read = Bio::read(tag).ok_or_else(|| BioError { token, tag: tag.to_owned() })?;
        let (label, begins, ends) = match read {
            Bio::Outside => {
                open = false;
                continue;
            }
            Bio::Begin(label) => (label, true, false),
            Bio::Inside(label) => (label, false, false),
            Bio::End(label) => (label, false, true),
            Bio::Single(label) => (label, true, true),
        };
        let before = spans.last_mut().filter(|span| open && span.label == label);
        match before {
            Some(span) if !begins => span.last = token,
            _ => {
                if !begins {
                    repaired.push(token);
                }
                spans.push(Span { first: token, last: token, label: label.to_owned() });
            }
        }
        open = !ends;
    }
    Ok((spans, repaired))
}

/// The tags of a sentence with these spans, `O`, `B-label` and `I-label`; of spans that overlap the first counts, what
/// reaches past the end is left out.
pub fn bio_tags(spans: &[Span], tokens: usize) -> Vec<String> {
    let mut tags = vec!["O".to_owned(); tokens];
    for span in spans {
        let Some(own) = tags.get_mut(span.first..=span.last).filter(|own| own.iter().all(|tag| tag == "O")) else {
            continue;
        };
        for (i, tag) in own.iter_mut().enumerate() {
            *tag = format!("{}-{}", if i == 0 { 'B' } else { 'I' }, span.label);
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(tags: &str) -> (Vec<(usize, usize, String)>, Vec<usize>) {
        let (spans, repaired) = bio_spans(tags.split(' ')).unwrap();
        (spans.into_iter().map(|s| (s.first, s.last, s.label)).collect(), repaired)
    }

    fn of(all: &[(usize, usize, &str)]) -> Vec<(usize, usize, String)> {
        all.iter().map(|(first, last, label)| (*first, *last, (*label).to_owned())).collect()
    }

    #[test]
    fn spans_of_tags() {
        assert_eq!(spans("O B-a I-a B-a O B-b"), (of(&[(1, 2, "a"), (3, 3, "a"), (5, 5, "b")]), vec![]));
        assert_eq!(spans("B-to-city I-to-city"), (of(&[(0, 1, "to-city")]), vec![]));
        // Richer schemes.
        assert_eq!(spans("S-a B-b I-b E-b S-b"), (of(&[(0, 0, "a"), (1, 3, "b"), (4, 4, "b")]), vec![]));
    }

    #[test]
    fn spans_that_never_began_begin_where_they_are_met() {
        assert_eq!(spans("I-a I-a O B-a I-b"), (of(&[(0, 1, "a"), (3, 3, "a"), (4, 4, "b")]), vec![0, 4]));
        assert_eq!(spans("S-a I-a"), (of(&[(0, 0, "a"), (1, 1, "a")]), vec![1]));
    }

    #[test]
    fn tags_that_are_none() {
        for tag in ["city", "B-", "-x", "b-x", ""] {
            assert_eq!(bio_spans(["O", tag]), Err(BioError { token: 1, tag: tag.to_owned() }));
        }
    }

    #[test]
    fn tags_of_spans() {
        let span = |first, last, label: &str| Span { first, last, label: label.into() };
        let tags = bio_tags(&[span(1, 2, "a"), span(2, 3, "b"), span(4, 4, "b"), span(5, 9, "c")], 6);
        assert_eq!(tags, ["O", "B-a", "I-a", "O", "B-b", "O"]);
    }
}
