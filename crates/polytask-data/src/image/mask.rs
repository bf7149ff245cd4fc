//! Masks: a number for every pixel of an image, in a PNG file of greys or with a palette.

use super::{Fit, ImageProblem, Resample, To};
use png::{BitDepth, ColorType, Decoder, DecodingError, Limits, Transformations};
use std::io::{BufRead, Seek};

/// A number for every pixel of an image: its grey, or its place in the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// `height x width`, row-major.
    pub values: Vec<u16>,
}

impl Mask {
    /// Reads a PNG. Its numbers are those that are stored: of a palette the places, not the colours, of 16 bits all of
    /// them. Transparency is left out.
    ///
    /// # Errors
    /// Empty, no PNG, with colours, damaged, or larger than `max_pixels`, which is refused before anything is unpacked.
    pub fn read(mut file: impl BufRead + Seek, max_pixels: u64) -> Result<Self, ImageProblem> {
        let head = file.fill_buf().map_err(|error| ImageProblem::Io(error.to_string()))?;
        match head {
            [] => return Err(ImageProblem::Empty),
            _ if !head.starts_with(b"\x89PNG") => return Err(ImageProblem::NoMask("it is no PNG")),
            _ => {}
        }
        let limits = Limits {
            bytes: usize::try_from(max_pixels.saturating_mul(2).saturating_add(1 << 20)).unwrap_or(usize::MAX),
        };
        let mut decoder = Decoder::new_with_limits(file, limits);
        decoder.set_transformations(Transformations::IDENTITY);
        let header = decoder.read_header_info().map_err(problem)?;
        let (width, height) = (header.width, header.height);
        if u64::from(width) * u64::from(height) > max_pixels {
            return Err(ImageProblem::TooLarge { width, height, limit: max_pixels });
        }
        let samples = match header.color_type {
            ColorType::Grayscale | ColorType::Indexed => 1,
            ColorType::GrayscaleAlpha => 2,
            ColorType::Rgb | ColorType::Rgba => return Err(ImageProblem::NoMask("it has colours")),
        };
        let depth = header.bit_depth;
        let mut reader = decoder.read_info().map_err(problem)?;
        let damaged = || ImageProblem::Damaged("its header contradicts itself".to_owned());
        let mut bytes = vec![0; reader.output_buffer_size().ok_or_else(damaged)?];
        let line = reader.next_frame(&mut bytes).map_err(problem)?.line_size;
        let width = width as usize;
        let numbers = bytes.chunks_exact(line.max(1)).flat_map(|line| unpack(line, depth).step_by(samples).take(width));
        Ok(Mask { height: height as usize, width, values: numbers.collect() })
    }

    /// The mask with these sides; each pixel has the number of the nearest one.
    pub fn scaled(&self, [height, width]: [usize; 2], fit: Fit) -> Vec<u16> {
        let [rows, columns] = match fit {
            Fit::Stretch | Fit::Resample(Resample { to: To::Sides, .. }) => {
                [nearest(self.height, height, None), nearest(self.width, width, None)]
            }
            Fit::Resample(Resample { to: To::Cover([tall, wide]), .. }) => {
                let covers = (self.height as f64 / tall.max(1) as f64).min(self.width as f64 / wide.max(1) as f64);
                [nearest(self.height, height, Some(covers)), nearest(self.width, width, Some(covers))]
            }
            Fit::Crop => {
                // What one pixel covers, the same along both sides: all of the shorter one stays in sight.
                let covers = (self.height as f64 / height as f64).min(self.width as f64 / width as f64);
                [nearest(self.height, height, Some(covers)), nearest(self.width, width, Some(covers))]
            }
        };
        let line = |y: usize| self.values.get(y * self.width..(y + 1) * self.width).unwrap_or_default();
        let pixels = rows.into_iter().flat_map(|y| columns.iter().map(move |x| (y, *x)));
        pixels.map(|(y, x)| line(y).get(x).copied().unwrap_or(0)).collect()
    }
}

/// The pixel of a side that each of `count` pixels shows, each of which covers so many of them, or a share of all.
fn nearest(side: usize, count: usize, covers: Option<f64>) -> Vec<usize> {
    let covers = covers.unwrap_or(side as f64 / count as f64);
    let first = (side as f64 - covers * count as f64) / 2.0;
    let place = |i: usize| (first + (i as f64 + 0.5) * covers).max(0.0) as usize;
    (0..count).map(|i| place(i).min(side.saturating_sub(1))).collect()
}

/// The numbers of a line of pixels.
fn unpack(line: &[u8], depth: BitDepth) -> Box<dyn Iterator<Item = u16> + '_> {
    let few = |bits: u8| {
        let of = move |byte: &u8| {
            let byte = *byte;
            (1..=8 / bits).map(move |i| u16::from((byte >> (8 - i * bits)) & ((1 << bits) - 1)))
        };
        line.iter().flat_map(of)
    };
    match depth {
        BitDepth::One => Box::new(few(1)),
        BitDepth::Two => Box::new(few(2)),
        BitDepth::Four => Box::new(few(4)),
        BitDepth::Eight => Box::new(line.iter().map(|byte| u16::from(*byte))),
        BitDepth::Sixteen => Box::new(line.as_chunks::<2>().0.iter().map(|pair| u16::from_be_bytes(*pair))),
    }
}

fn problem(error: DecodingError) -> ImageProblem {
    match error {
        DecodingError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ImageProblem::Damaged("it ends too early".to_owned())
        }
        DecodingError::IoError(error) => ImageProblem::Io(error.to_string()),
        error => ImageProblem::Damaged(error.to_string()),
    }
}

/// Numbers of pixels as a grey PNG: 8 bits where all fit, else 16.
///
/// # Errors
/// What the encoder says, for instance of sides that are 0.
///
/// # Panics
/// If there are not `height x width` numbers.
pub fn write_mask(values: &[u16], [height, width]: [usize; 2]) -> std::io::Result<Vec<u8>> {
    assert_eq!(values.len(), height * width, "a number for every pixel");
    let wide = values.iter().any(|value| *value > 255);
    let bytes: Vec<u8> = match wide {
        true => values.iter().flat_map(|value| value.to_be_bytes()).collect(),
        false => values.iter().map(|value| *value as u8).collect(),
    };
    write_png(&bytes, [height, width], ColorType::Grayscale, if wide { BitDepth::Sixteen } else { BitDepth::Eight })
}

/// Pixels as a PNG: grey with one channel, coloured with three.
///
/// # Errors
/// What the encoder says, for instance of sides that are 0.
pub fn write_image(pixels: &[u8], shape: super::ImageShape) -> std::io::Result<Vec<u8>> {
    let color = if shape.channels == 1 { ColorType::Grayscale } else { ColorType::Rgb };
    write_png(pixels, [shape.height, shape.width], color, BitDepth::Eight)
}

fn write_png(bytes: &[u8], [height, width]: [usize; 2], color: ColorType, depth: BitDepth) -> std::io::Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    let mut writer = encoder.write_header().map_err(std::io::Error::from)?;
    writer.write_image_data(bytes).map_err(std::io::Error::from)?;
    writer.finish().map_err(std::io::Error::from)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn read(bytes: &[u8]) -> Result<Mask, ImageProblem> {
        Mask::read(Cursor::new(bytes), 100)
    }

    /// A PNG of one line.
    fn line(bytes: &[u8], width: usize, color: ColorType, depth: BitDepth) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width as u32, 1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == ColorType::Indexed {
            encoder.set_palette(vec![9; 16 * 3]);
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(bytes).unwrap();
        writer.finish().unwrap();
        file
    }

    #[test]
    fn numbers_come_back_as_they_were_written() {
        for most in [200, 40_000u32] {
            let values: Vec<u16> = (0..12).map(|i| (i * most / 12) as u16).collect();
            let file = write_mask(&values, [3, 4]).unwrap();
            assert_eq!(read(&file), Ok(Mask { height: 3, width: 4, values }));
        }
    }

    #[test]
    fn palettes_give_places_and_few_bits_are_unpacked() {
        use BitDepth::{Eight, Four, One, Two};
        let values = |file: Vec<u8>| read(&file).unwrap().values;
        assert_eq!(values(line(&[0b1010_0000], 3, ColorType::Grayscale, One)), [1, 0, 1]);
        assert_eq!(values(line(&[0b0111_0010, 0b1100_0000], 5, ColorType::Indexed, Two)), [1, 3, 0, 2, 3]);
        assert_eq!(values(line(&[0x5a, 0x30], 3, ColorType::Indexed, Four)), [5, 10, 3]);
        assert_eq!(values(line(&[7, 255, 8, 0], 2, ColorType::GrayscaleAlpha, Eight)), [7, 8]);
    }

    #[test]
    fn what_is_no_mask_is_told() {
        assert_eq!(read(&[]), Err(ImageProblem::Empty));
        assert_eq!(read(b"a text"), Err(ImageProblem::NoMask("it is no PNG")));
        let colours = line(&[1, 2, 3], 1, ColorType::Rgb, BitDepth::Eight);
        assert_eq!(read(&colours), Err(ImageProblem::NoMask("it has colours")));
        let large = write_mask(&[0; 101], [101, 1]).unwrap();
        assert_eq!(read(&large), Err(ImageProblem::TooLarge { width: 1, height: 101, limit: 100 }));
        let whole = write_mask(&(0..100).collect::<Vec<_>>(), [10, 10]).unwrap();
        let cut = read(&whole[..whole.len() - 30]);
        assert!(matches!(cut, Err(ImageProblem::Damaged(_))), "{cut:?}");
    }

    #[test]
    fn scaling_takes_the_nearest_pixel() {
        let mask = Mask { height: 2, width: 4, values: vec![1, 2, 3, 4, 5, 6, 7, 8] };
        assert_eq!(mask.scaled([1, 2], Fit::Stretch), [6, 8]);
        assert_eq!(mask.scaled([4, 4], Fit::Stretch), [1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 5, 6, 7, 8]);
        // The middle of the longer side.
        assert_eq!(mask.scaled([2, 2], Fit::Crop), [2, 3, 6, 7]);
        assert_eq!(mask.scaled([1, 4], Fit::Crop).len(), 4);
    }
}
