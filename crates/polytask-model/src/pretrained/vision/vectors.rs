//! Images as the vectors that an encoder makes of them: once for each distinct image, on all threads.

use super::{PLACES, VisionCheckpoint};
use crate::device::Device;
use crate::pretrained::cache::Key;
use crate::pretrained::known::Sizes;
use crate::pretrained::vectors::{Vector, Vectors};
use polytask_exec::{Batch, Bytes, Numbers};
use rayon::prelude::*;

/// Rows that share a vector register: a thread works on so many images together.
const TOGETHER: usize = 16;
/// Distinct images from which on the cache on disk is asked.
const WORTHWHILE: usize = 8;
/// Distinct images that are written to the cache together.
const BLOCK: usize = 512;
/// Distinct images from which on somebody is told how far it is.
const LONG: usize = 64;

impl VisionCheckpoint {
    /// The vectors of so many images, which do not depend on what is encoded together. `pixels` gives the bytes of one,
    /// [prepared](super::Preparation) and not normalised, into room for them; with `keep` vectors are remembered as long as the encoder is.
    ///
    /// # Errors
    /// Those of `pixels`; a network that cannot be built.
    pub fn vectors(
        &self,
        count: usize,
        pixels: impl Fn(usize, &mut Vec<u8>) -> Result<(), String> + Sync,
        keep: bool,
    ) -> Result<Vectors, String> {
        let setting = Key::of_images(&self.hash);
        let key = |scratch: &mut Vec<u8>, image: usize| {
            pixels(image, scratch)?;
            Ok::<Key, String>(Key::of_image(scratch).within(&setting))
        };
        let keys: Vec<Key> = (0..count).into_par_iter().map_init(Vec::new, key).collect::<Result<_, String>>()?;
        let sizes = Sizes { width: self.shape.width, worthwhile: WORTHWHILE, block: BLOCK, long: LONG };
        self.memo.vectors(&setting, &keys, keep, sizes, |images, [done, all]| {
            let mut made = Vec::with_capacity(images.len());
            let at_once = TOGETHER * rayon::current_num_threads().max(1);
            for some in images.chunks(at_once) {
                let unpack = |image: &usize| {
                    let mut own = Vec::new();
                    pixels(*image, &mut own).map(|()| own)
                };
                let unpacked: Vec<Vec<u8>> = some.par_iter().map(unpack).collect::<Result<_, String>>()?;
                made.extend(self.encode(&unpacked.concat(), at_once)?);
                sizes.tell(done + made.len(), all);
            }
            Ok(made)
        })
    }

    /// The features of images whose bytes stand one after the other.
    ///
    /// # Errors
    /// A network that cannot be built.
    pub fn features(&self, pixels: &[u8]) -> Result<Vec<Vec<f32>>, String> {
        let together = TOGETHER * rayon::current_num_threads().max(1);
        Ok(self.encode(pixels, together)?.into_iter().map(|vector| vector.values).collect())
    }

    fn encode(&self, pixels: &[u8], at_once: usize) -> Result<Vec<Vector>, String> {
        if !self.is_whole() {
            return Err(format!("the weights of the encoder {} are not at hand", self.short()));
        }
        let make = || {
            let (graph, parameters) = self.network().map_err(|error| error.to_string())?;
            Device::default().predicting(&graph, at_once, &parameters).map_err(|error| error.to_string())
        };
        let length: usize = self.shape.input.iter().product();
        let elements = self.shape.elements().unwrap_or(0) as u32;
        let (scale, shift): (Vec<f32>, Vec<f32>) = self.preparation.scaling().into_iter().unzip();
        self.engine.with(make, |session| {
            let mut vectors = Vec::new();
            for values in pixels.chunks(length * at_once) {
                let count = values.len() / length;
                let rows: Vec<u32> = (0..count as u32).collect();
                let offsets: Vec<u32> = (0..=count as u32).map(|row| row * elements).collect();
                let places: Vec<u32> = (0..count).flat_map(|_| 0..PLACES as u32).collect();
                let image = Numbers::Bytes(Bytes { values, scale: &scale, shift: &shift });
                let (inputs, offsets): (&[Numbers<'_>], &[&[u32]]) = match elements {
                    0 => (&[image], &[]),
                    _ => (&[image, Numbers::Index(&places)], &[&offsets]),
                };
                let outputs = session.predict(&Batch { inputs, targets: &[], offsets, rows: &rows });
                let task = outputs.tasks.first().ok_or("the encoder gave nothing")?;
                vectors.extend((0..count).map(|row| Vector { values: task.prediction.of(row).to_vec(), long: false }));
            }
            Ok(vectors)
        })
    }
}
