//! Texts as fixed vectors, which every family of models reads as it reads numbers.

use super::Context;
use crate::inputs::scales::Scales;
use crate::inputs::{EncodeError, InputColumn};
use serde::{Deserialize, Serialize};

/// A text as the vector that a pretrained encoder which learns nothing makes of it, each feature standardised over the
/// training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoded {
    /// The encoder.
    pub context: Context,
    /// Of the vectors.
    #[serde(flatten)]
    pub scales: Scales,
}

impl Encoded {
    /// Encodes every row of a column, and fits the scales on the training rows. Says how much was to do.
    pub(in crate::inputs) fn fit(
        context: Context,
        source: &InputColumn<'_>,
        rows: &[u32],
    ) -> Result<(Self, Vec<String>), EncodeError> {
        let vectors = context.of_rows(source, true)?;
        let width = context.checkpoint.shape.width;
        let known = rows.iter().filter_map(|row| vectors.all.get(*row as usize));
        let known: Vec<&[f32]> = known.map(|vector| vector.values.as_slice()).collect();
        let scales = Scales::fit(&known, width);
        let said = said(&source.column.name, &context, &vectors);
        Ok((Encoded { context, scales }, said))
    }

    /// The features of every row, `rows x width`.
    pub(in crate::inputs) fn read(&self, source: &InputColumn<'_>) -> Result<Vec<f32>, EncodeError> {
        let vectors = self.context.of_rows(source, false)?;
        let mut values = Vec::with_capacity(vectors.all.len() * self.width());
        for vector in &vectors.all {
            values.extend(self.scales.scaled(&vector.values));
        }
        Ok(values)
    }

    /// Features of a text.
    pub fn width(&self) -> usize {
        self.scales.width()
    }

    pub(in crate::inputs) fn check(&self) -> Result<(), &'static str> {
        match self.scales.fits(self.context.checkpoint.shape.width) {
            true => self.context.check(),
            false => Err("the scales of its vectors do not fit its encoder"),
        }
    }
}

/// How much was encoded, and how many texts are longer than what is read of them.
pub(in crate::inputs) fn said(input: &str, context: &Context, vectors: &crate::pretrained::Vectors) -> Vec<String> {
    let (distinct, encoded) = (vectors.distinct, vectors.encoded);
    let mut said = vec![match encoded {
        0 => format!("input `{input}`: the vectors of its {distinct} distinct texts were in the cache"),
        _ if encoded == distinct => format!("input `{input}`: {distinct} distinct texts were encoded"),
        _ => format!(
            "input `{input}`: {encoded} of {distinct} distinct texts were encoded, the others were in the cache"
        ),
    }];
    let most = context.encoding.pieces;
    match (vectors.long(), context.encoding.long) {
        (0, _) => {}
        (long, crate::section::LongTexts::Cut) => {
            said.push(format!("input `{input}`: {long} texts are longer than max_pieces = {most} and were cut"));
        }
        (long, crate::section::LongTexts::Windows) => {
            said.push(format!(
                "input `{input}`: {long} texts are longer than max_pieces = {most} and were read in windows"
            ));
        }
    }
    said
}
