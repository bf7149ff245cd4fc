//! What a word is known by: itself, its beginning, its end and its shape.

use std::collections::HashMap;

/// Different values of one feature of words. An unknown one has the index one past the last.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Vocabulary(pub Vec<String>);

impl Vocabulary {
    /// Those that are there at least `least` times, the most frequent `most` of them, the most frequent first.
    pub(super) fn fit<'a>(values: impl Iterator<Item = (&'a str, usize)>, least: usize, most: usize) -> Self {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        values.for_each(|(value, count)| *counts.entry(value).or_default() += count);
        let mut counted: Vec<(&str, usize)> = counts.into_iter().filter(|(_, count)| *count >= least).collect();
        counted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        Vocabulary(counted.into_iter().take(most).map(|(value, _)| value.to_owned()).collect())
    }

    /// Adds words that are not there, until there are `most`.
    pub(super) fn extend<'a>(&mut self, words: impl IntoIterator<Item = &'a String>, most: usize) {
        let mut known: std::collections::HashSet<String> = self.0.iter().cloned().collect();
        for word in words {
            if self.0.len() < most && known.insert(word.clone()) {
                self.0.push(word.clone());
            }
        }
    }

    /// The number of indices, that of the unknown included.
    pub fn levels(&self) -> usize {
        self.0.len() + 1
    }

    /// Finds indices.
    pub(super) fn index(&self) -> HashMap<&str, u32> {
        self.0.iter().enumerate().map(|(at, value)| (value.as_str(), at as u32)).collect()
    }
}

/// A feature of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Feature {
    /// In lower case.
    Word,
    /// The first characters, this many.
    Prefix(usize),
    /// The last characters, this many.
    Suffix(usize),
    /// What kinds of characters it has.
    Shape,
}

/// The features of a word that training may not have seen.
pub(super) const PARTS: [Feature; 5] =
    [Feature::Prefix(2), Feature::Prefix(4), Feature::Suffix(2), Feature::Suffix(3), Feature::Shape];

impl Feature {
    /// The feature of a word.
    pub(super) fn of(self, word: &str) -> String {
        match self {
            Feature::Word => word.to_lowercase(),
            Feature::Prefix(length) => word.to_lowercase().chars().take(length).collect(),
            Feature::Suffix(length) => {
                let lower = word.to_lowercase();
                let skipped = lower.chars().count().saturating_sub(length);
                lower.chars().skip(skipped).collect()
            }
            Feature::Shape => shape(word),
        }
    }

    /// Its name in layers.
    pub(super) fn name(self) -> String {
        match self {
            Feature::Word => "word".into(),
            Feature::Prefix(length) => format!("prefix{length}"),
            Feature::Suffix(length) => format!("suffix{length}"),
            Feature::Shape => "shape".into(),
        }
    }
}

/// `X` for an upper-case letter, `x` for another, `d` for a digit, other characters as they are; of a run of one kind the
/// first three.
fn shape(word: &str) -> String {
    let mut shape = String::new();
    let (mut last, mut run) = (None, 0);
    for character in word.chars() {
        let kind = match character {
            c if c.is_uppercase() => 'X',
            c if c.is_alphabetic() => 'x',
            c if c.is_numeric() => 'd',
            c => c,
        };
        run = if last == Some(kind) { run + 1 } else { 1 };
        last = Some(kind);
        if run <= 3 {
            shape.push(kind);
        }
    }
    shape
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_of_words() {
        let all = |word: &str| PARTS.map(|feature| feature.of(word));
        assert_eq!(all("Größen"), ["gr", "größ", "en", "ßen", "Xxxx"]);
        assert_eq!(all("3.5"), ["3.", "3.5", ".5", "3.5", "d.d"]);
        assert_eq!(Feature::Word.of("NASA"), "nasa");
        assert_eq!(shape("McDonald's"), "XxXxxx'x");
    }

    #[test]
    fn rare_values_are_unknown() {
        let fitted = Vocabulary::fit([("a", 1), ("b", 2), ("c", 5), ("a", 1), ("d", 1)].into_iter(), 2, 2);
        assert_eq!(fitted.0, ["c", "a"]);
        assert_eq!((fitted.levels(), fitted.index().get("a"), fitted.index().get("d")), (3, Some(&1), None));
    }
}
