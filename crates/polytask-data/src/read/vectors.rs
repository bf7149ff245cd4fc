//! Word vectors in the text format of GloVe and fastText: a word and its numbers a line.

use std::collections::HashMap;
use std::path::Path;

use super::open_text;
use crate::error::DataError;
use crate::place::Place;

/// Vectors of some words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WordVectors {
    /// Numbers of each.
    pub width: usize,
    /// The words, in the order of the file.
    pub words: Vec<String>,
    /// `words x width`, row-major.
    pub values: Vec<f32>,
}

/// Reads the vectors of those words that `wanted` picks. A first line of two whole numbers (fastText, word2vec) is
/// passed over; of a word that is there twice the first line counts. gzip and zstd are known by their first bytes.
///
/// # Errors
/// The file cannot be read; a line with another number of values than the first, or with a word among them.
pub fn word_vectors(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<WordVectors, DataError> {
    let file = path.display().to_string();
    let text = open_text(path, &file)?;
    let mut vectors = WordVectors::default();
    let mut seen = HashMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_end();
        if line.is_empty() || (index == 0 && is_header(line)) {
            continue;
        }
        let bad = |reason: String| DataError::Vectors { place: Place::line(&file, index as u64 + 1), reason };
        // A few words of the common files hold blanks, so the numbers are counted from the end.
        let fields = line.split(' ').count();
        if vectors.width == 0 {
            vectors.width = fields - 1;
        }
        if fields <= vectors.width || vectors.width == 0 {
            let found = fields - 1;
            return Err(bad(format!("expected a word and {} numbers, found {found}", vectors.width.max(1))));
        }
        let mut numbers = line.rsplitn(vectors.width + 1, ' ');
        let last: Vec<&str> = numbers.by_ref().take(vectors.width).collect();
        let word = numbers.next().unwrap_or_default();
        // More numbers than the first line has, not a word with blanks in it.
        if let Some((_, extra)) = word.rsplit_once(' ')
            && extra.parse::<f32>().is_ok()
        {
            return Err(bad(format!("expected a word and {} numbers, found {}", vectors.width, fields - 1)));
        }
        if !wanted(word) || seen.contains_key(word) {
            continue;
        }
        for number in last.into_iter().rev() {
            match number.parse::<f32>() {
                Ok(value) if value.is_finite() => vectors.values.push(value),
                _ => return Err(bad(format!("`{number}` is no number"))),
            }
        }
        seen.insert(word.to_owned(), vectors.words.len());
        vectors.words.push(word.to_owned());
    }
    if vectors.width == 0 {
        return Err(DataError::Empty { file });
    }
    Ok(vectors)
}

/// `400000 300`
fn is_header(line: &str) -> bool {
    let numbers: Vec<&str> = line.split(' ').collect();
    matches!(numbers[..], [words, width] if words.parse::<u64>().is_ok() && width.parse::<u64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<WordVectors, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v.txt");
        std::fs::write(&path, text).unwrap();
        let prefix = format!("{}/", folder.path().display());
        word_vectors(&path, |word| word != "c").map_err(|e| e.to_string().replace(&prefix, ""))
    }

    #[test]
    fn wanted_words_are_read() {
        let text = "a 1 -2.5 3e-1\nc 9 9 9\n. . . 0 0 1\na 7 7 7\n";
        let words = vec!["a".to_owned(), ". . .".to_owned()];
        let vectors = WordVectors { width: 3, words, values: vec![1.0, -2.5, 0.3, 0.0, 0.0, 1.0] };
        assert_eq!(of(text), Ok(vectors.clone()));
        assert_eq!(of(&format!("4 3\n{text}")), Ok(vectors));
    }

    #[test]
    fn other_widths_are_refused() {
        assert_eq!(of("a 1 2\nb 1\n"), Err("v.txt line 2: expected a word and 2 numbers, found 1".into()));
        assert_eq!(of("a 1 2\nb 1 2 3\n"), Err("v.txt line 2: expected a word and 2 numbers, found 3".into()));
        assert_eq!(of("a 1 2\nb 1 x\n"), Err("v.txt line 2: `x` is no number".into()));
        assert_eq!(of("a\n"), Err("v.txt line 1: expected a word and 1 numbers, found 0".into()));
        assert_eq!(of("\n"), Err("v.txt is empty".into()));
    }
}
