//! What is known of a column before it is read.

/// What a column is declared to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Numbers: a word is an error.
    Number,
    /// Text exactly as written: `01` stays `01`.
    Text,
    /// Images, or their paths exactly as written.
    Image,
}
