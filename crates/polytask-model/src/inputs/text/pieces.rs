//! The pieces words are made of: learnt from the training rows, or those of a tokenizer that was read.

use crate::inputs::EncodeError;
use polytask_data::text::{Subwords, Tokenizer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

/// What splits words into pieces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Pieces {
    /// By merges that the training rows have taught.
    Learnt(Subwords),
    /// As a `tokenizer.json` says.
    Read(ReadPieces),
}

/// A tokenizer with the pieces that the training rows have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadPieces {
    /// The file.
    pub tokenizer: Tokenizer,
    /// Whether a word is read with a blank before it.
    pub blank: bool,
    /// Its indices of the pieces of the training rows, ascending: what others stand for has not been learnt.
    pub known: Vec<u32>,
}

impl Pieces {
    /// Reads a `tokenizer.json`, and finds out which of its pieces the words of the training rows have.
    ///
    /// Some tokenizers have words with the blank before them among their pieces. So words are read with a blank where that
    /// gives fewer pieces in all.
    pub(super) fn read<'a>(
        input: &str,
        path: &Path,
        words: impl Iterator<Item = &'a str>,
    ) -> Result<Self, EncodeError> {
        let fault = |reason: String| {
            let reason = format!("{}: {reason}", path.display());
            EncodeError::TextFile { input: input.to_owned(), reason }
        };
        let source = std::fs::read_to_string(path).map_err(|e| fault(e.to_string()))?;
        let tokenizer = Tokenizer::try_from(source).map_err(|e| fault(format!("it is no tokenizer.json: {e}")))?;
        let words: Vec<&str> = words.collect();
        let split = |blank: bool| {
            let mut known = BTreeSet::new();
            let mut count = 0;
            for word in &words {
                let pieces = tokenizer.pieces(&spelt(word, blank));
                let pieces = pieces.map_err(|e| fault(format!("it cannot split {word:?}: {e}")))?;
                count += pieces.len();
                known.extend(pieces);
            }
            Ok((count, known))
        };
        let (plain, spaced) = (split(false)?, split(true)?);
        let blank = spaced.0 < plain.0;
        let known: Vec<u32> = if blank { spaced.1 } else { plain.1 }.into_iter().collect();
        match known.is_empty() {
            true => Err(fault("the words of the training rows have no pieces in it".to_owned())),
            false => Ok(Pieces::Read(ReadPieces { tokenizer, blank, known })),
        }
    }

    /// The number of indices, that of unknown pieces included.
    pub fn levels(&self) -> usize {
        match self {
            Pieces::Learnt(subwords) => subwords.levels(),
            Pieces::Read(read) => read.known.len() + 1,
        }
    }

    /// The indices of the pieces of each word; none of one that cannot be split.
    pub(super) fn split<'a>(&self, words: impl Iterator<Item = Option<&'a str>>) -> Vec<Vec<u32>> {
        match self {
            Pieces::Learnt(subwords) => {
                let splitter = subwords.splitter();
                words.map(|word| word.map_or_else(Vec::new, |word| splitter.split(&word.to_lowercase()))).collect()
            }
            Pieces::Read(read) => words.map(|word| word.map_or_else(Vec::new, |word| read.split(word))).collect(),
        }
    }

    /// What does not hold of pieces that were read from a model.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self {
            Pieces::Learnt(subwords) => subwords.check(),
            Pieces::Read(read) if read.known.is_sorted_by(|a, b| a < b) => Ok(()),
            Pieces::Read(_) => Err("its known pieces are not in order"),
        }
    }
}

impl ReadPieces {
    fn split(&self, word: &str) -> Vec<u32> {
        let unknown = self.known.len() as u32;
        let index = |piece: u32| self.known.binary_search(&piece).map_or(unknown, |at| at as u32);
        self.tokenizer.pieces(&spelt(word, self.blank)).unwrap_or_default().into_iter().map(index).collect()
    }
}

fn spelt(word: &str, blank: bool) -> String {
    if blank { format!(" {word}") } else { word.to_owned() }
}
