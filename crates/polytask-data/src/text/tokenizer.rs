//! Tokenizers of others, as `tokenizer.json` describes them.

use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tokenizers::ModelWrapper;

/// A tokenizer that was read: byte-pair encoding, WordPiece, a unigram model or a list of words, with its own normaliser and
/// rules of splitting. What it puts around sentences, cuts off and pads with is left out, for it sees single words.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Tokenizer {
    /// The file as it was.
    source: Arc<str>,
    read: Arc<tokenizers::Tokenizer>,
}

impl Tokenizer {
    /// The indices of the pieces of a text.
    ///
    /// # Errors
    /// A piece that is not in the vocabulary of one that has no piece for these, and other things that the tokenizer says.
    pub fn pieces(&self, text: &str) -> Result<Vec<u32>, String> {
        let encoding = self.read.encode_fast(text, false).map_err(|e| e.to_string())?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The indices of the pieces that it puts before a text, such as `[CLS]`, and behind it.
    ///
    /// # Errors
    /// What the tokenizer says.
    pub fn around(&self) -> Result<(Vec<u32>, Vec<u32>), String> {
        let encoding = self.read.encode_fast("a", true).map_err(|e| e.to_string())?;
        let (ids, special) = (encoding.get_ids(), encoding.get_special_tokens_mask());
        let before = special.iter().take_while(|mark| **mark == 1).count();
        let after = special[before..].iter().rev().take_while(|mark| **mark == 1).count();
        Ok((ids[..before].to_vec(), ids[ids.len() - after..].to_vec()))
    }

    /// The index of the piece that stands for what is unknown, where the tokenizer has one.
    pub fn unknown(&self) -> Option<u32> {
        let word = match self.read.get_model() {
            ModelWrapper::BPE(model) => model.unk_token.clone()?,
            ModelWrapper::WordPiece(model) => model.unk_token.clone(),
            ModelWrapper::WordLevel(model) => model.unk_token.clone(),
            ModelWrapper::Unigram(_) => return self.unknown_unigram(),
        };
        self.read.token_to_id(&word)
    }

    /// A unigram model has the index itself, which the library does not hand out.
    fn unknown_unigram(&self) -> Option<u32> {
        #[derive(Deserialize)]
        struct File {
            model: Model,
        }
        #[derive(Deserialize)]
        struct Model {
            unk_id: Option<u32>,
        }
        serde_json::from_str::<File>(&self.source).ok()?.model.unk_id
    }

    /// The largest index of a piece; none where it knows none.
    pub fn largest(&self) -> Option<u32> {
        self.read.get_vocab(true).into_values().max()
    }

    /// The `tokenizer.json` of one that cuts texts so that with what is around them they have `most` pieces, and does not pad.
    ///
    /// With `bare` it puts nothing around them.
    ///
    /// # Errors
    /// What the tokenizer says.
    pub fn cutting(&self, most: usize, bare: bool) -> Result<String, String> {
        let mut own = self.read.as_ref().clone();
        if bare {
            own.with_post_processor(None::<tokenizers::PostProcessorWrapper>);
        }
        let cut = tokenizers::TruncationParams { max_length: most, ..Default::default() };
        own.with_truncation(Some(cut)).map_err(|e| e.to_string())?;
        own.to_string(false).map_err(|e| e.to_string())
    }

    /// Pieces it knows.
    pub fn len(&self) -> usize {
        self.read.get_vocab_size(true)
    }

    /// Whether it knows none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl TryFrom<String> for Tokenizer {
    type Error = String;

    /// Reads what a `tokenizer.json` holds.
    fn try_from(source: String) -> Result<Self, String> {
        let mut read: tokenizers::Tokenizer = source.parse().map_err(|e: tokenizers::Error| e.to_string())?;
        read.with_truncation(None).map_err(|e| e.to_string())?;
        read.with_padding(None);
        Ok(Tokenizer { source: source.into(), read: Arc::new(read) })
    }
}

impl From<Tokenizer> for String {
    fn from(tokenizer: Tokenizer) -> Self {
        tokenizer.source.as_ref().to_owned()
    }
}

impl PartialEq for Tokenizer {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tokenizer of {} pieces", self.len())
    }
}
