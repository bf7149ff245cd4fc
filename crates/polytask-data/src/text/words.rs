//! Texts into words, with the place of each.

use serde::{Deserialize, Serialize};
use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// What the tokens of a text are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Splitter {
    /// Words, numbers and single marks by the word boundaries of Unicode (UAX 29).
    #[default]
    Words,
    /// What stands between white space.
    Whitespace,
    /// Characters as people see them (extended grapheme clusters), white space left out.
    Characters,
}

impl Splitter {
    /// The bytes of each token, in order.
    pub fn split(self, text: &str) -> Vec<Range<usize>> {
        let place = |(start, part): (usize, &str)| start..start + part.len();
        let dark = |(_, part): &(usize, &str)| !part.trim().is_empty();
        match self {
            Splitter::Words => text.split_word_bound_indices().filter(dark).map(place).collect(),
            Splitter::Characters => text.grapheme_indices(true).filter(dark).map(place).collect(),
            Splitter::Whitespace => {
                let base = text.as_ptr() as usize;
                text.split_whitespace().map(|part| place((part.as_ptr() as usize - base, part))).collect()
            }
        }
    }
}

/// Turns places in bytes into places in characters (Unicode scalar values), and back.
#[derive(Debug)]
pub struct Characters<'a> {
    text: &'a str,
    /// Where each character begins; empty where every character is one byte.
    starts: Vec<usize>,
}

impl<'a> Characters<'a> {
    /// Those of a text.
    pub fn new(text: &'a str) -> Self {
        let starts = if text.is_ascii() { Vec::new() } else { text.char_indices().map(|(at, _)| at).collect() };
        Characters { text, starts }
    }

    /// The number of characters before a byte.
    pub fn at(&self, byte: usize) -> usize {
        match self.starts.is_empty() {
            true => byte.min(self.text.len()),
            false => self.starts.partition_point(|start| *start < byte),
        }
    }

    /// The byte that a character begins at, the text's length for the one past the last; none beyond.
    pub fn byte(&self, character: usize) -> Option<usize> {
        let count = if self.starts.is_empty() { self.text.len() } else { self.starts.len() };
        match character {
            past if past > count => None,
            end if end == count => Some(self.text.len()),
            _ if self.starts.is_empty() => Some(character),
            _ => self.starts.get(character).copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(splitter: Splitter, text: &str) -> Vec<&str> {
        splitter.split(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn words_by_the_rules_of_unicode() {
        let text = "Don't wake me at 6:30, it's 3.5°C — Größe «naïve» 日本.";
        assert_eq!(
            words(Splitter::Words, text),
            [
                "Don't", "wake", "me", "at", "6", ":", "30", ",", "it's", "3.5", "°", "C", "—", "Größe", "«", "naïve",
                "»", "日", "本", "."
            ]
        );
        assert_eq!(words(Splitter::Whitespace, " a  b,\tc\n"), ["a", "b,", "c"]);
        assert_eq!(words(Splitter::Characters, "e\u{301}a b"), ["e\u{301}", "a", "b"]);
        assert!(words(Splitter::Words, " \n").is_empty());
    }

    #[test]
    fn places_in_bytes_and_in_characters() {
        for text in ["plain text", "Größe in °C, 日本"] {
            let characters = Characters::new(text);
            for (count, (at, _)) in text.char_indices().enumerate() {
                assert_eq!(characters.at(at), count);
                assert_eq!(characters.byte(count), Some(at));
            }
            let all = text.chars().count();
            assert_eq!((characters.at(text.len()), characters.byte(all)), (all, Some(text.len())));
            assert_eq!(characters.byte(all + 1), None);
        }
    }
}
