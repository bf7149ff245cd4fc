//! One image file to pixels of a given size.

use super::{ImageShape, Mask, Resample, To};
use crate::guard::guarded;
use image::error::UnsupportedErrorKind;
use image::imageops::FilterType;
use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageBuffer, ImageDecoder, ImageError, ImageReader, Limits, Luma};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, Seek, SeekFrom};

/// What is done with an image whose sides have another ratio than those it is to have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fit {
    /// It is stretched: all of it stays in sight.
    #[default]
    Stretch,
    /// Both ends of its longer side are cut off.
    Crop,
    /// As PIL does it, which most pretrained encoders were trained with.
    Resample(Resample),
}

impl Fit {
    /// Whether an image that has the sides wanted stays as it is.
    pub fn keeps(self) -> bool {
        match self {
            Fit::Stretch | Fit::Crop | Fit::Resample(Resample { to: To::Sides, .. }) => true,
            Fit::Resample(Resample { to: To::Cover(_), .. }) => false,
        }
    }
}

/// Why an image cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageProblem {
    /// The path leads nowhere.
    #[error("there is no such file")]
    NoSuchFile,
    /// The operating system reported another failure.
    #[error("it cannot be read: {0}")]
    Io(String),
    /// Nothing in it.
    #[error("it is empty (0 bytes)")]
    Empty,
    /// Some other file.
    #[error("it is no {FORMATS} image")]
    UnknownFormat,
    /// A format that is read, in one of its kinds that are not.
    #[error("it is of a kind that is not read ({0}); save it as PNG")]
    Unsupported(String),
    /// An image whose pixels do not stand for numbers.
    #[error("{0}; a mask is a PNG of greys or with a palette, so that every pixel keeps its number")]
    NoMask(&'static str),
    /// Its header names more pixels than allowed; nothing was unpacked.
    #[error("it has {width} x {height} pixels, more than the {limit} allowed")]
    TooLarge {
        /// As the header says.
        width: u32,
        /// As the header says.
        height: u32,
        /// Pixels allowed.
        limit: u64,
    },
    /// A small file of a very large image; nothing was unpacked.
    #[error("it has {packed} bytes and unpacks to {bytes}, which is refused where `max_pixels` is {limit}")]
    Bomb {
        /// Bytes of the file.
        packed: u64,
        /// Bytes of its pixels.
        bytes: u64,
        /// Pixels allowed.
        limit: u64,
    },
    /// Cut short, or not what its header says.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

/// The formats that are read, in words.
pub const FORMATS: &str = "PNG, JPEG, WebP, GIF, BMP or TIFF";

/// Whether bytes begin like a file of one of the [formats](FORMATS).
pub fn is_image(bytes: &[u8]) -> bool {
    let webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
    // Two letters are too few: the size of what follows them is one of few.
    let bmp =
        bytes.starts_with(b"BM") && matches!(bytes.get(14..18), Some([12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0]));
    let starts: [&[u8]; 6] = [b"\x89PNG", b"\xFF\xD8\xFF", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"];
    webp || bmp || starts.iter().any(|start| bytes.starts_with(start))
}

/// What the header of an image says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Rows of pixels, as it is meant to be seen.
    pub height: usize,
    /// Columns of pixels, as it is meant to be seen.
    pub width: usize,
    /// Whether it has colours.
    pub color: bool,
}

/// Reads the header alone.
///
/// # Errors
/// Empty, of an unknown format, damaged, or larger than `max_pixels`.
pub fn look(file: impl BufRead + Seek, max_pixels: u64) -> Result<Look, ImageProblem> {
    let mut decoder = open(file, max_pixels)?;
    let (width, height) = decoder.dimensions();
    let color = !is_grey(decoder.color_type());
    let (height, width) = match is_turned(orientation(&mut decoder)) {
        true => (width, height),
        false => (height, width),
    };
    Ok(Look { height: height as usize, width: width as usize, color })
}

/// How an image is turned before it is shown, as its metadata say.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    orientation: Orientation,
    /// Rows and columns of pixels as they are stored.
    stored: [usize; 2],
}

/// How an image is turned; none of one that is shown as it is stored, or cannot be read.
pub(crate) fn turn(file: impl BufRead + Seek, max_pixels: u64) -> Option<Turn> {
    let mut decoder = open(file, max_pixels).ok()?;
    let (width, height) = decoder.dimensions();
    match orientation(&mut decoder) {
        Orientation::NoTransforms => None,
        orientation => Some(Turn { orientation, stored: [height as usize, width as usize] }),
    }
}

impl Turn {
    /// Whether a mask of these sides was drawn on the image as it is stored, and is to be turned with it. One that has the
    /// sides of the turned image was drawn on that.
    fn takes(self, [height, width]: [usize; 2]) -> bool {
        let [rows, columns] = self.stored;
        !is_turned(self.orientation) || rows == columns || (height > width) == (rows > columns)
    }

    /// A mask turned with its image.
    pub(crate) fn of(self, mask: Mask) -> Mask {
        if !self.takes([mask.height, mask.width]) {
            return mask;
        }
        let (width, height) = (mask.width as u32, mask.height as u32);
        let Some(pixels) = ImageBuffer::<Luma<u16>, Vec<u16>>::from_raw(width, height, mask.values) else {
            return Mask { height: 0, width: 0, values: Vec::new() };
        };
        let mut image = DynamicImage::ImageLuma16(pixels);
        image.apply_orientation(self.orientation);
        let turned = image.into_luma16();
        Mask { height: turned.height() as usize, width: turned.width() as usize, values: turned.into_raw() }
    }
}

/// Unpacks an image, turns it as its metadata say, scales it (by a linear filter, as wide as what a pixel covers), and
/// makes it grey or coloured. What is transparent shows white, 16 bits become 8.
///
/// # Errors
/// Empty, of an unknown format, damaged, or larger than `max_pixels`, which is refused before anything is unpacked.
///
/// # Panics
/// If `into` does not have `shape.len()` bytes.
pub fn decode(
    file: impl BufRead + Seek,
    (shape, fit): (ImageShape, Fit),
    max_pixels: u64,
    into: &mut [u8],
) -> Result<(), ImageProblem> {
    let mut decoder = open(file, max_pixels)?;
    let orientation = orientation(&mut decoder);
    // Decoders are made to bear damaged files, but one that fails must not take the program with it.
    let image = guarded(|| DynamicImage::from_decoder(decoder));
    let image = image.unwrap_or_else(|| Err(ImageError::IoError(std::io::Error::other("it contradicts itself"))));
    let mut image = image.map_err(problem)?;
    image.apply_orientation(orientation);
    let image = on_white(image);
    // The colours first: scaling one channel is cheaper than scaling three, and 8 bits cheaper than 16.
    let image = match shape.channels {
        1 => DynamicImage::ImageLuma8(image.into_luma8()),
        _ => DynamicImage::ImageRgb8(image.into_rgb8()),
    };
    into.copy_from_slice(scaled(image, shape, fit).as_bytes());
    Ok(())
}

/// What a viewer shows of an image on white paper.
fn on_white(image: DynamicImage) -> DynamicImage {
    if !image.color().has_alpha() {
        return image;
    }
    let grey = is_grey(image.color());
    let mut pixels = image.into_rgba8();
    for pixel in pixels.pixels_mut() {
        let [colours @ .., alpha] = &mut pixel.0;
        let alpha = u32::from(*alpha);
        colours.iter_mut().for_each(|c| *c = ((u32::from(*c) * alpha + 255 * (255 - alpha) + 127) / 255) as u8);
    }
    let image = DynamicImage::ImageRgba8(pixels);
    if grey { DynamicImage::ImageLuma8(image.into_luma8()) } else { DynamicImage::ImageRgb8(image.into_rgb8()) }
}

/// Scales and recolours pixels that are unpacked already.
///
/// # Panics
/// If `from` or `into` does not have as many bytes as its shape.
pub(crate) fn convert(from: &[u8], is: ImageShape, (shape, fit): (ImageShape, Fit), into: &mut [u8]) {
    if is == shape && fit.keeps() {
        return into.copy_from_slice(from);
    }
    let (width, height) = (is.width as u32, is.height as u32);
    let pixels = match is.channels {
        1 => image::GrayImage::from_raw(width, height, from.to_vec()).map(DynamicImage::ImageLuma8),
        _ => image::RgbImage::from_raw(width, height, from.to_vec()).map(DynamicImage::ImageRgb8),
    };
    let image = pixels.unwrap_or_default();
    let image = match shape.channels {
        1 => DynamicImage::ImageLuma8(image.into_luma8()),
        _ => DynamicImage::ImageRgb8(image.into_rgb8()),
    };
    into.copy_from_slice(scaled(image, shape, fit).as_bytes());
}

fn scaled(image: DynamicImage, shape: ImageShape, fit: Fit) -> DynamicImage {
    let (width, height) = (shape.width as u32, shape.height as u32);
    if (image.width(), image.height()) == (width, height) && fit.keeps() {
        return image;
    }
    match fit {
        Fit::Stretch => image.resize_exact(width, height, FilterType::Triangle),
        Fit::Crop => image.resize_to_fill(width, height, FilterType::Triangle),
        Fit::Resample(how) => {
            let is = [image.height() as usize, image.width() as usize];
            let pixels = how.apply(image.as_bytes(), is, [shape.height, shape.width], shape.channels);
            let scaled = match shape.channels {
                1 => image::GrayImage::from_raw(width, height, pixels).map(DynamicImage::ImageLuma8),
                _ => image::RgbImage::from_raw(width, height, pixels).map(DynamicImage::ImageRgb8),
            };
            scaled.unwrap_or_default()
        }
    }
}

/// Times its size that an image unpacks to, of those with more bytes than half of the pixels allowed.
const RATIO: u64 = 200;

/// A decoder whose header is read and whose size is allowed.
fn open<'a>(mut file: impl BufRead + Seek + 'a, max_pixels: u64) -> Result<impl ImageDecoder + 'a, ImageProblem> {
    let io = |error: std::io::Error| ImageProblem::Io(error.to_string());
    let packed = file.seek(SeekFrom::End(0)).map_err(io)?;
    file.rewind().map_err(io)?;
    if file.fill_buf().map_err(io)?.is_empty() {
        return Err(ImageProblem::Empty);
    }
    let reader = ImageReader::new(file).with_guessed_format().map_err(io)?;
    let mut decoder = reader.into_decoder().map_err(problem)?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > max_pixels {
        return Err(ImageProblem::TooLarge { width, height, limit: max_pixels });
    }
    if matches!(decoder.color_type(), ColorType::Rgb32F | ColorType::Rgba32F) {
        return Err(ImageProblem::Unsupported("pixels of fractions, whose range it does not say".to_owned()));
    }
    let bytes = decoder.total_bytes();
    if bytes > max_pixels / 2 && bytes > packed.saturating_mul(RATIO) {
        return Err(ImageProblem::Bomb { packed, bytes, limit: max_pixels });
    }
    // What lies behind the header may not ask for more either: 16 bits in 4 channels, and as much again to work in.
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(max_pixels.saturating_mul(16).saturating_add(1 << 20));
    decoder.set_limits(limits).map_err(problem)?;
    Ok(decoder)
}

fn orientation(decoder: &mut impl ImageDecoder) -> Orientation {
    // Metadata that cannot be read say nothing.
    decoder.orientation().unwrap_or(Orientation::NoTransforms)
}

/// Whether height and width change places.
fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
}

fn is_grey(color: ColorType) -> bool {
    matches!(color, ColorType::L8 | ColorType::La8 | ColorType::L16 | ColorType::La16)
}

fn problem(error: ImageError) -> ImageProblem {
    match error {
        ImageError::Unsupported(error) => match error.kind() {
            UnsupportedErrorKind::Format(_) => ImageProblem::UnknownFormat,
            _ => ImageProblem::Unsupported(error.to_string()),
        },
        ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            ImageProblem::Damaged("it ends too early".to_owned())
        }
        error => ImageProblem::Damaged(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn small_files_of_large_images_are_refused() {
        use image::codecs::png::{CompressionType, FilterType, PngEncoder};
        let mut file = Vec::new();
        let encoder = PngEncoder::new_with_quality(&mut file, CompressionType::Best, FilterType::NoFilter);
        image::GrayImage::new(1000, 1000).write_with_encoder(encoder).unwrap();
        let packed = file.len() as u64;
        assert!(packed * RATIO < 1_000_000, "{packed}");
        let look = |limit| look(Cursor::new(&file), limit).map(|look| look.height);
        assert_eq!(look(1_000_000), Err(ImageProblem::Bomb { packed, bytes: 1_000_000, limit: 1_000_000 }));
        assert_eq!(look(2_000_000), Ok(1000));
    }

    /// A PNG of `height x width`, 10 grey above and 200 below the middle.
    fn png(height: u32, width: u32) -> Vec<u8> {
        let image =
            image::GrayImage::from_fn(width, height, |_, y| image::Luma([if 2 * y < height { 10 } else { 200 }]));
        let mut bytes = Vec::new();
        image.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
        bytes
    }

    fn decoded(bytes: &[u8], shape: (usize, usize, usize), fit: Fit) -> Result<Vec<u8>, ImageProblem> {
        let shape = ImageShape { height: shape.0, width: shape.1, channels: shape.2 };
        let mut into = vec![0; shape.len()];
        decode(Cursor::new(bytes), (shape, fit), 1000, &mut into).map(|()| into)
    }

    #[test]
    fn images_are_scaled_and_coloured() {
        let image = png(8, 4);
        // As by Pillow's bilinear filter.
        assert_eq!(decoded(&image, (2, 1, 1), Fit::Stretch).unwrap(), [37, 173]);
        assert_eq!(decoded(&image, (2, 1, 3), Fit::Stretch).unwrap(), [37, 37, 37, 173, 173, 173]);
        // The middle half of the height is left: the edge is where it was.
        let square = decoded(&image, (4, 4, 1), Fit::Crop).unwrap();
        assert_eq!(square, [[10; 8], [200; 8]].concat());
    }

    #[test]
    fn pixels_and_files_are_scaled_alike() {
        let shape = |height, width, channels| ImageShape { height, width, channels };
        let pixels: Vec<u8> = [[10; 16], [200; 16]].concat();
        let mut into = vec![0; 27];
        convert(&pixels, shape(8, 4, 1), (shape(3, 3, 3), Fit::Stretch), &mut into);
        assert_eq!(into, decoded(&png(8, 4), (3, 3, 3), Fit::Stretch).unwrap());
    }

    #[test]
    fn a_look_reads_the_header_alone() {
        let image = png(8, 4);
        let expected = Look { height: 8, width: 4, color: false };
        assert_eq!(look(Cursor::new(&image[..60]), 32), Ok(expected));
    }

    #[test]
    fn what_is_no_image_is_told() {
        let image = png(8, 4);
        assert_eq!(decoded(&[], (1, 1, 1), Fit::Crop), Err(ImageProblem::Empty));
        assert_eq!(decoded(b"not an image", (1, 1, 1), Fit::Crop), Err(ImageProblem::UnknownFormat));
        let cut = decoded(&image[..image.len() - 20], (1, 1, 1), Fit::Crop);
        assert!(matches!(cut, Err(ImageProblem::Damaged(_))), "{cut:?}");
    }

    #[test]
    fn bombs_are_refused_by_their_header() {
        // A header alone that tells of 50,000 x 50,000 pixels: to unpack them would be another error.
        let mut bomb = png(8, 4);
        bomb[16..24].copy_from_slice(&[0, 0, 0xC3, 0x50, 0, 0, 0xC3, 0x50]);
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        let large = ImageProblem::TooLarge { width: 50_000, height: 50_000, limit: 1000 };
        assert_eq!(decoded(&bomb, (1, 1, 1), Fit::Crop), Err(large.clone()));
        assert_eq!(look(Cursor::new(&bomb), 1000), Err(large));
    }

    fn crc32(bytes: &[u8]) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    }

    #[test]
    fn masks_are_turned_with_what_they_were_drawn_on() {
        let mask = || Mask { height: 2, width: 3, values: vec![1, 2, 3, 4, 5, 6] };
        let turned = |orientation, stored| Turn { orientation, stored }.of(mask());
        let quarter = Mask { height: 3, width: 2, values: vec![4, 1, 5, 2, 6, 3] };
        assert_eq!(turned(Orientation::Rotate90, [20, 30]), quarter);
        assert_eq!(turned(Orientation::Rotate90, [30, 20]), mask());
        assert_eq!(turned(Orientation::Rotate180, [20, 30]).values, [6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn what_is_transparent_shows_white() {
        let pixels = image::RgbaImage::from_fn(1, 3, |_, y| image::Rgba([200, 0, 0, [255, 0, 128][y as usize]]));
        let mut file = Cursor::new(Vec::new());
        DynamicImage::ImageRgba8(pixels).write_to(&mut file, image::ImageFormat::Png).unwrap();
        assert_eq!(
            decoded(file.get_ref(), (3, 1, 3), Fit::Stretch).unwrap(),
            [200, 0, 0, 255, 255, 255, 227, 127, 127]
        );
    }
}
