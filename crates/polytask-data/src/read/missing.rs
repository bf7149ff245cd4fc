//! Words that stand for a missing value.

use crate::read::Dialect;

/// Those of columns of numbers, in any case: the words that pandas knows, and a few that statistics offices write.
pub(super) const MISSING_WORDS: [&str; 20] = [
    "", "NA", "N/A", "n.a.", "n.a", "<NA>", "#NA", "#N/A", "#N/A N/A", "NaN", "-NaN", "NaT", "null", "None", "nil",
    "-", "--", ".", "?", "\\N",
];

/// Whether a text is one of them, in any case.
pub(super) fn is_missing_word(trimmed: &str) -> bool {
    MISSING_WORDS.iter().any(|word| word.eq_ignore_ascii_case(trimmed))
}

/// The words that mean "missing", blanks around them ignored.
#[derive(Debug)]
pub(super) struct MissingWords {
    given: Vec<String>,
    /// Whether the empty field is missing among texts: where a format has no null of its own.
    empty: bool,
}

impl MissingWords {
    /// For formats that have no null of their own.
    pub(super) fn of_plain_text(dialect: &Dialect) -> Self {
        Self { given: Self::given(dialect), empty: true }
    }

    /// For formats with a null: texts are taken at their word.
    pub(super) fn of_typed(dialect: &Dialect) -> Self {
        Self { given: Self::given(dialect), empty: false }
    }

    fn given(dialect: &Dialect) -> Vec<String> {
        dialect.missing.iter().flatten().map(|word| word.trim().to_owned()).collect()
    }

    /// Whether a text is missing.
    pub(super) fn hides(&self, text: &str) -> bool {
        if !self.empty && self.given.is_empty() {
            return false;
        }
        let text = text.trim();
        (self.empty && text.is_empty()) || self.is_given(text)
    }

    /// Whether a value of a column of numbers is missing.
    pub(super) fn hides_number(&self, trimmed: &str) -> bool {
        is_missing_word(trimmed) || self.is_given(trimmed)
    }

    /// Whether a value is one of the words that were given.
    pub(super) fn is_given(&self, trimmed: &str) -> bool {
        self.given.iter().any(|word| word == trimmed)
    }

    /// Whether a text that is there reads as if it were missing.
    pub(super) fn suspects(&self, text: &str) -> bool {
        let text = text.trim();
        !text.is_empty() && is_missing_word(text)
    }
}
