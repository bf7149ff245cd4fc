//! Texts as the pieces that an encoder reads.

use super::folder::{Folder, TOKENIZER};
use super::{Build, CheckpointError, Shape};
use polytask_data::text::Tokenizer;
use serde::{Deserialize, Serialize};

/// Splits texts into pieces, with what a sequence begins and ends with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PieceReader {
    /// The `tokenizer.json`; what it cuts off and pads with is left out.
    pub tokenizer: Tokenizer,
    /// Pieces before a text, such as `[CLS]`.
    pub before: Vec<u32>,
    /// Pieces behind it, such as `[SEP]`.
    pub after: Vec<u32>,
    /// The piece of what is unknown, where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u32>,
}

impl PieceReader {
    pub(super) fn read(folder: &Folder, shape: &Shape) -> Result<Self, CheckpointError> {
        let path = folder.path.join(TOKENIZER);
        let fault = |reason: String| CheckpointError::File { path: path.clone(), reason };
        let source =
            std::fs::read_to_string(&path).map_err(|source| CheckpointError::Read { path: path.clone(), source })?;
        let tokenizer = Tokenizer::try_from(source).map_err(|e| fault(format!("it is no tokenizer.json: {e}")))?;
        if let Some(largest) = tokenizer.largest().filter(|largest| *largest as usize >= shape.vocabulary) {
            return Err(fault(format!(
                "it has a piece of number {largest}, and the encoder knows {} pieces, from 0 on; it is the tokenizer of another model",
                shape.vocabulary
            )));
        }
        if shape.build == Build::Table {
            let left_out = tokenizer.unknown();
            return Ok(PieceReader { tokenizer, before: Vec::new(), after: Vec::new(), left_out });
        }
        let (before, after) = tokenizer.around().map_err(|e| fault(format!("it cannot split a text: {e}")))?;
        match before.len() + after.len() < shape.positions {
            true => Ok(PieceReader { tokenizer, before, after, left_out: None }),
            false => Err(fault("it puts more around a text than the encoder has positions".to_owned())),
        }
    }

    /// The pieces of a text, without those around it.
    ///
    /// # Errors
    /// What the tokenizer says of a text that it cannot split.
    pub fn pieces(&self, text: &str) -> Result<Vec<u32>, String> {
        let mut pieces = self.tokenizer.pieces(text)?;
        pieces.retain(|piece| Some(*piece) != self.left_out);
        Ok(pieces)
    }

    /// Sequences of at most `most` pieces, those around them included, over the pieces of a text: one that holds the first of
    /// them, or with `windows` as many as it takes, each beginning a half of a window behind the one before. With each the place
    /// of its first piece.
    pub fn sequences(&self, pieces: &[u32], most: usize, windows: bool) -> Vec<(usize, Vec<u32>)> {
        let room = most.saturating_sub(self.before.len() + self.after.len()).max(1);
        let one = |start: usize| {
            let own = &pieces[start..pieces.len().min(start + room)];
            (start, [&self.before, own, &self.after].concat())
        };
        let mut all = vec![one(0)];
        let mut start = 0;
        while windows && start + room < pieces.len() {
            start += (room / 2).max(1);
            all.push(one(start));
        }
        all
    }
}
