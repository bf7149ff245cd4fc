//! From stored pixels to the numbers of a batch.

use super::{Gallery, Pictures};
use crate::inputs::EncodeError;
use polytask_exec::{Bytes, Gather, Numbers};
use rayon::prelude::*;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Names the random draws of a training step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Of the run.
    pub seed: u64,
    /// Counted from 0.
    pub step: u64,
}

/// What is special about a step of training.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Names its random draws.
    pub draw: Draw,
    /// The images that are not in memory, unpacked beforehand.
    pub unpacked: Option<&'a Unpacked>,
    /// Nanoseconds that threads have spent on making images ready are added here.
    pub preparing: &'a AtomicU64,
    /// Rows that the step looks at besides its batch.
    pub held_out: &'a [u32],
}

/// The images of some rows, unpacked.
#[derive(Debug)]
pub struct Unpacked {
    /// Ascending.
    rows: Vec<u32>,
    /// By input; empty for those in memory.
    pixels: Vec<Vec<u8>>,
}

impl Unpacked {
    /// Unpacks what is not in memory of these rows.
    ///
    /// # Errors
    /// An image that cannot be used.
    pub fn new(galleries: &[Gallery], rows: &[u32]) -> Result<Self, EncodeError> {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        let unpack = |gallery: &Gallery| {
            let mut all = Vec::new();
            if gallery.memory().is_none() {
                let mut scratch = Vec::new();
                for row in &rows {
                    all.extend_from_slice(gallery.image(*row, &mut scratch)?);
                }
            }
            Ok(all)
        };
        let pixels = galleries.iter().map(unpack).collect::<Result<_, EncodeError>>()?;
        Ok(Unpacked { rows, pixels })
    }

    fn image(&self, input: usize, row: u32, len: usize) -> Option<&[u8]> {
        let at = self.rows.binary_search(&row).ok()?;
        self.pixels.get(input)?.get(at * len..(at + 1) * len)
    }
}

/// One input's images on their way into a batch.
#[derive(Debug)]
pub(crate) struct Gathering<'a> {
    pictures: &'a Pictures,
    /// Which of the image inputs it is.
    input: usize,
    /// None where images are to be seen as they are.
    draw: Option<Draw>,
    unpacked: Option<&'a Unpacked>,
    preparing: Option<&'a AtomicU64>,
}

impl<'a> Gathering<'a> {
    pub(crate) fn new(pictures: &'a Pictures, input: usize, step: Option<Step<'a>>) -> Self {
        let draw = step.map(|step| step.draw).filter(|_| pictures.image.augment.is_some());
        let (unpacked, preparing) = (step.and_then(|step| step.unpacked), step.map(|step| step.preparing));
        Gathering { pictures, input, draw, unpacked, preparing }
    }

    /// Name of the column.
    pub(crate) fn column(&self) -> &str {
        &self.pictures.column
    }

    /// Name of the graph's node.
    pub(crate) fn node(&self) -> &str {
        &self.pictures.node
    }

    /// As the lanes read them: the pixels themselves where nothing has to be done to them.
    pub(crate) fn numbers(&self) -> Numbers<'_> {
        match self.gallery().memory() {
            Some(pixels) if self.draw.is_none() => Numbers::Bytes(self.bytes(pixels.values())),
            _ => Numbers::Made(self),
        }
    }

    /// The labels of the pixels of some rows' images, moved as the images are; none where these stay where they are. There is
    /// room for all rows, of which only those asked for are filled: the system gives memory to what is touched alone.
    pub(crate) fn moved<T: Copy + Default + Send + Sync>(&self, labels: &[T], rows: &[&[u32]]) -> Option<Vec<T>> {
        let (draw, augment) = (self.draw?, self.pictures.image.augment.as_ref()?);
        let shape = self.gallery().shape();
        let pixels = shape.height * shape.width;
        let mut all = vec![T::default(); labels.len()];
        let place = |row: u32| row as usize * pixels..(row as usize + 1) * pixels;
        let moved: Vec<(u32, Vec<T>)> = rows
            .iter()
            .flat_map(|rows| rows.iter().copied())
            .collect::<Vec<_>>()
            .into_par_iter()
            .map(|row| (row, augment.place(draw, row, &labels[place(row)], shape)))
            .collect();
        moved.iter().for_each(|(row, own)| all[place(*row)].copy_from_slice(own));
        Some(all)
    }

    fn gallery(&self) -> &Gallery {
        &self.pictures.gallery
    }

    fn bytes<'b>(&'b self, values: &'b [u8]) -> Bytes<'b> {
        Bytes { values, scale: &self.pictures.scale, shift: &self.pictures.shift }
    }
}

impl Gather for Gathering<'_> {
    fn gather(&self, rows: &[u32], into: &mut [f32]) {
        let began = Instant::now();
        let gallery = self.gallery();
        let mut scratch = Vec::new();
        for (row, into) in rows.iter().zip(into.chunks_exact_mut(gallery.shape().len())) {
            let unpacked = self.unpacked.and_then(|unpacked| unpacked.image(self.input, *row, into.len()));
            let image = unpacked.unwrap_or_else(|| gallery.image_or_blank(*row, &mut scratch));
            match (self.draw, &self.pictures.image.augment) {
                (Some(draw), Some(augment)) => augment.apply(draw, *row, image, gallery.shape(), self.bytes(&[]), into),
                _ => self.bytes(&[]).convert(image, into),
            }
        }
        if let Some(preparing) = self.preparing {
            preparing.fetch_add(began.elapsed().as_nanos() as u64, Ordering::Relaxed);
        }
    }
}
