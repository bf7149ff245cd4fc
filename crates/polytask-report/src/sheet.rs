//! Small pictures of rows, inside the page.

use crate::block::Picture;
use crate::context::Context;
use base64::{Engine, engine::general_purpose::STANDARD};
use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

/// Pictures of a sheet.
const PICTURES: usize = 16;

/// Pixels of a side at most; larger pictures are taken every so many pixels.
const SIDE: usize = 64;

/// Places spread evenly over the rows.
pub fn sample(rows: usize) -> Vec<usize> {
    (0..rows).step_by(rows.div_ceil(PICTURES).max(1)).collect()
}

/// The pictures of some rows, by their places among those measured, each with its words; none where the model reads no
/// image, or several.
pub fn pictures(
    context: &Context<'_>,
    places: &[usize],
    words: impl Fn(usize) -> (String, Option<bool>),
) -> Vec<Picture> {
    let mut images = context.run.model.encoder.images();
    let Some((column, _)) = images.next().filter(|_| images.next().is_none()) else { return Vec::new() };
    let of = |&place: &usize| {
        let (words, right) = words(place);
        let (shape, pixels) = context.rows.data.features.pixels(column, context.measured.rows[place]).ok()??;
        let png = png(shape.height, shape.width, shape.channels, &pixels)?;
        Some(Picture { address: format!("data:image/png;base64,{}", STANDARD.encode(&png)), words, right })
    };
    places.iter().take(PICTURES).filter_map(of).collect()
}

/// A small PNG of pixels, `height x width x channels`.
fn png(height: usize, width: usize, channels: usize, pixels: &[u8]) -> Option<Vec<u8>> {
    let every = height.max(width).div_ceil(SIDE).max(1);
    let (rows, columns) = (height.div_ceil(every), width.div_ceil(every));
    let mut small = Vec::with_capacity(rows * columns * channels);
    for y in (0..height).step_by(every) {
        for x in (0..width).step_by(every) {
            small.extend_from_slice(pixels.get((y * width + x) * channels..(y * width + x + 1) * channels)?);
        }
    }
    let colour = if channels == 1 { ExtendedColorType::L8 } else { ExtendedColorType::Rgb8 };
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(&small, columns as u32, rows as u32, colour).ok()?;
    Some(png)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_pictures_become_small() {
        let png = png(200, 100, 3, &vec![7; 200 * 100 * 3]).unwrap();
        let read = image::load_from_memory(&png).unwrap();
        assert_eq!((read.width(), read.height()), (25, 50));
    }
}
