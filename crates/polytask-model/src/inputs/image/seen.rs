//! Images as fixed vectors, which every family of models reads as it reads numbers.

use super::{Gallery, Image, View};
use crate::inputs::scales::Scales;
use crate::inputs::{EncodeError, InputColumn};
use crate::pretrained::Vectors;
use polytask_data::Table;
use serde::{Deserialize, Serialize};

/// An image as the vector that a pretrained encoder which learns nothing makes of it, each feature standardised over the
/// training rows. A missing image is the mean everywhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    /// What is made of pixels, and the encoder.
    pub image: Image,
    /// Of the vectors.
    #[serde(flatten)]
    pub scales: Scales,
}

impl Seen {
    /// Encodes every row of a column, and fits the scales on the training rows. Says how much was to do.
    pub(in crate::inputs) fn fit(
        image: Image,
        source: &InputColumn<'_>,
        gallery: &Gallery,
        rows: &[u32],
    ) -> Result<(Self, Vec<String>), EncodeError> {
        let name = &source.column.name;
        let (width, vectors) = (image.view(name)?.checkpoint.shape.width, vectors(&image, name, gallery, true)?);
        let (present, vectors) = vectors;
        let known = |row: &u32| Some(vectors.all[present.binary_search(row).ok()?].values.as_slice());
        let known: Vec<&[f32]> = rows.iter().filter_map(known).collect();
        if known.is_empty() {
            return Err(source.all_missing());
        }
        let (distinct, encoded) = (vectors.distinct, vectors.encoded);
        let said = match encoded {
            0 => format!("input `{name}`: the vectors of its {distinct} distinct images were in the cache"),
            _ if encoded == distinct => format!("input `{name}`: {distinct} distinct images were encoded"),
            _ => format!(
                "input `{name}`: {encoded} of {distinct} distinct images were encoded, the others were in the cache"
            ),
        };
        let scales = Scales::fit(&known, width);
        Ok((Seen { image, scales }, vec![said]))
    }

    /// The features of every row of a table, `rows x width`.
    pub(in crate::inputs) fn read(
        &self,
        table: &Table,
        name: &str,
        gallery: Option<&Gallery>,
    ) -> Result<Vec<f32>, EncodeError> {
        let own;
        let gallery = match gallery {
            Some(gallery) => gallery,
            None => {
                own = Gallery::load(table, name, super::Wanted::like(&self.image), &super::Limits::like(&self.image))?;
                &own
            }
        };
        let (present, vectors) = vectors(&self.image, name, gallery, false)?;
        let mut values = vec![0.0; table.rows() * self.width()];
        for (row, vector) in present.iter().zip(&vectors.all) {
            let into = &mut values[*row as usize * self.width()..][..self.width()];
            into.iter_mut().zip(self.scales.scaled(&vector.values)).for_each(|(into, value)| *into = value);
        }
        Ok(values)
    }

    /// Features of an image.
    pub fn width(&self) -> usize {
        self.scales.width()
    }

    pub(in crate::inputs) fn check(&self) -> Result<(), &'static str> {
        self.image.check()?;
        let width = self.image.encoder.as_ref().map(|view| view.checkpoint.shape.width);
        match width.is_some_and(|width| self.scales.fits(width)) {
            true => Ok(()),
            false => Err("the scales of its vectors do not fit its encoder"),
        }
    }

    /// The encoder.
    pub(in crate::inputs) fn view(&self) -> Option<&View> {
        self.image.encoder.as_deref()
    }

    /// The same to be changed.
    pub(in crate::inputs) fn view_mut(&mut self) -> Option<&mut View> {
        self.image.encoder.as_deref_mut()
    }
}

/// The rows that have an image, and the vectors of these.
fn vectors(image: &Image, name: &str, gallery: &Gallery, keep: bool) -> Result<(Vec<u32>, Vectors), EncodeError> {
    let failed = |reason: String| EncodeError::Encoder { input: name.to_owned(), reason };
    let present = gallery.present();
    let pixels = |at: usize, into: &mut Vec<u8>| {
        let mut scratch = Vec::new();
        let image = gallery.image(present[at], &mut scratch).map_err(|error| error.to_string())?;
        into.clear();
        into.extend_from_slice(image);
        Ok(())
    };
    let vectors = image.view(name)?.checkpoint.vectors(present.len(), pixels, keep).map_err(failed)?;
    Ok((present, vectors))
}
