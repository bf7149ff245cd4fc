//! Texts as fixed vectors, which every family of models reads as it reads numbers.

use super::Context;
use crate::inputs::{EncodeError, InputColumn};
use serde::{Deserialize, Serialize};

/// A text as the vector that a pretrained encoder which learns nothing makes of it, each feature standardised over the
/// training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoded {
    /// The encoder.
    pub context: Context,
    /// What is subtracted from each feature.
    pub mean: Vec<f32>,
    /// What each feature is multiplied by then.
    pub factor: Vec<f32>,
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
        let (mut mean, mut square) = (vec![0.0f64; width], vec![0.0f64; width]);
        let known: Vec<&[f32]> = rows
            .iter()
            .filter_map(|row| vectors.all.get(*row as usize))
            .map(|vector| vector.values.as_slice())
            .collect();
        let count = known.len().max(1) as f64;
        for vector in &known {
            mean.iter_mut().zip(*vector).for_each(|(mean, value)| *mean += f64::from(*value) / count);
        }
        for vector in &known {
            let each = square.iter_mut().zip(&mean).zip(*vector);
            each.for_each(|((square, mean), value)| *square += (f64::from(*value) - mean).powi(2) / count);
        }
        let factor = |square: &f64| if *square > 1e-12 { square.sqrt().recip() as f32 } else { 0.0 };
        let factor = square.iter().map(factor).collect();
        let mean = mean.into_iter().map(|mean| mean as f32).collect();
        let said = said(&source.column.name, &context, &vectors);
        Ok((Encoded { context, mean, factor }, said))
    }

    /// The features of every row, `rows x width`.
    pub(in crate::inputs) fn read(&self, source: &InputColumn<'_>) -> Result<Vec<f32>, EncodeError> {
        let vectors = self.context.of_rows(source, false)?;
        let mut values = Vec::with_capacity(vectors.all.len() * self.width());
        for vector in &vectors.all {
            let each = vector.values.iter().zip(&self.mean).zip(&self.factor);
            values.extend(each.map(|((value, mean), factor)| (value - mean) * factor));
        }
        Ok(values)
    }

    /// Features of a text.
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    pub(in crate::inputs) fn check(&self) -> Result<(), &'static str> {
        let width = self.context.checkpoint.shape.width;
        let finite = self.mean.iter().chain(&self.factor).all(|value| value.is_finite());
        match self.mean.len() == width && self.factor.len() == width && finite {
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
