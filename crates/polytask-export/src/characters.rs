//! What Python has to know of characters to cut and read words as the program does: its own library says neither where words
//! end nor which marks are letters, and another version of Unicode.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use unicode_segmentation::UnicodeSegmentation;

/// Characters by what they are for the boundaries of words (UAX 29), and letters: of each kind the ranges, rising, by how far each
/// begins behind the end of the one before and how many it has, with blanks between.
pub(crate) type Characters = BTreeMap<&'static str, String>;

/// Where characters are that are more than themselves for words.
const PLANES: [RangeInclusive<u32>; 2] = [0..=0x1_FFFF, 0xE_0000..=0xE_0FFF];

/// The table.
pub(crate) fn characters() -> Characters {
    let mut all: BTreeMap<&str, Ranges> = BTreeMap::new();
    for character in PLANES.into_iter().flatten().filter_map(char::from_u32) {
        let mut add = |kind| all.entry(kind).or_default().add(u32::from(character));
        if let Some(kind) = kind(character) {
            add(kind);
        }
        // Pictures that a joiner joins (WB3c); some of them are letters as well.
        if joined(&['!', '\u{200d}', character]) && !joined(&['!', character]) {
            add("picture");
        }
        if character.is_alphabetic() {
            add("alphabetic");
        }
    }
    let written = |ranges: Ranges| ranges.steps.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    all.into_iter().map(|(kind, ranges)| (kind, written(ranges))).collect()
}

/// Whether no word ends within some characters.
fn joined(characters: &[char]) -> bool {
    let text: String = characters.iter().collect();
    text.split_word_bounds().nth(1).is_none()
}

/// What a character is, by which others it stays with.
fn kind(c: char) -> Option<&'static str> {
    let within = |a: char, b: char| joined(&[a, c, b]);
    let behind = |a: char| joined(&[a, c]);
    if !joined(&[c, '\u{308}']) {
        return Some("newline");
    }
    if behind('!') {
        return Some("extend");
    }
    if behind(' ') {
        return Some("space");
    }
    if behind('\u{1f1e6}') {
        return Some("regional");
    }
    if joined(&['a', ':', c]) {
        return Some(if joined(&['\u{5d0}', '"', c]) { "hebrew" } else { "letter" });
    }
    if joined(&['1', '.', c]) {
        return Some("numeric");
    }
    match (behind('a'), behind('\u{30a2}')) {
        (true, true) => return Some("underscore"),
        (false, true) => return Some("katakana"),
        _ => {}
    }
    match (within('a', 'a'), within('1', '1'), behind('\u{5d0}')) {
        (true, true, true) => Some("quote"),
        (true, true, false) => Some("point"),
        (true, false, _) => Some("colon"),
        (false, true, _) => Some("comma"),
        (false, false, _) => within('\u{5d0}', '\u{5d0}').then_some("double_quote"),
    }
}

#[derive(Default)]
struct Ranges {
    steps: Vec<u32>,
    /// Behind the last range.
    end: u32,
}

impl Ranges {
    /// Adds a character behind all others.
    fn add(&mut self, character: u32) {
        match self.steps.last_mut() {
            Some(count) if character == self.end => *count += 1,
            _ => self.steps.extend([character - self.end, 1]),
        }
        self.end = character + 1;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn characters_are_what_unicode_calls_them() {
        let all = characters();
        let is = |kind: &str, c: char| {
            let mut end = 0;
            let steps: Vec<u32> = all[kind].split(' ').map(|step| step.parse().unwrap()).collect();
            steps.chunks_exact(2).any(|step| {
                let start = end + step[0];
                end = start + step[1];
                (start..end).contains(&u32::from(c))
            })
        };
        for (kind, characters) in [
            ("newline", "\r\n\u{b}\u{85}\u{2028}"),
            ("extend", "\u{301}\u{93f}\u{94d}\u{ad}\u{feff}\u{200d}\u{1f3fd}"),
            ("space", " \u{3000}"),
            ("regional", "\u{1f1e6}"),
            ("letter", "aßж한\u{915}"),
            ("hebrew", "א"),
            ("numeric", "0٣९"),
            ("underscore", "_\u{202f}"),
            ("katakana", "ア"),
            ("quote", "'"),
            ("point", ".’"),
            ("colon", ":·"),
            ("comma", ",;"),
            ("double_quote", "\""),
            ("picture", "❤\u{1f600}"),
            ("alphabetic", "a\u{93f}ⅳ"),
        ] {
            for c in characters.chars() {
                assert!(is(kind, c), "{c:?} is no {kind}");
            }
        }
        assert!(!is("letter", 'ก') && !is("letter", '漢') && !is("letter", '1') && !is("alphabetic", '\u{94d}'));
        assert_eq!(all.len(), 16);
    }
}
