//! Small pictures of rows, inside the page.

use crate::block::Picture;
use crate::task::Context;
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
        Some(Picture { address: format!("data:image/png;base64,{}", base64(&png)), words, right })
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

/// RFC 4648.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for i in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= chunk.len() { letter as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_the_standard() {
        let all = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|text| base64(text.as_bytes()));
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]);
    }

    #[test]
    fn large_pictures_become_small() {
        let png = png(200, 100, 3, &vec![7; 200 * 100 * 3]).unwrap();
        let read = image::load_from_memory(&png).unwrap();
        assert_eq!((read.width(), read.height()), (25, 50));
    }
}
