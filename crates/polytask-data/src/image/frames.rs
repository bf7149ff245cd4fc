//! Whether a file holds several pictures: an animation, or the pages of a scan. The first alone is read.

use std::io::{BufRead, Read, Seek, SeekFrom};

/// Whether a file holds more than one picture; a file that cannot be read, or is of another format, does not.
pub(crate) fn has_more(mut file: impl BufRead + Seek) -> bool {
    let mut start = [0; 32];
    let mut read = 0;
    while let Ok(more @ 1..) = file.read(&mut start[read..]) {
        read += more;
    }
    if file.rewind().is_err() {
        return false;
    }
    let more = match &start {
        [b'G', b'I', b'F', b'8', ..] => gif(&mut file),
        [0x89, b'P', b'N', b'G', ..] => png(&mut file),
        [b'I', b'I', b'*', 0, ..] => tiff(&mut file, u16::from_le_bytes, u32::from_le_bytes),
        [b'M', b'M', 0, b'*', ..] => tiff(&mut file, u16::from_be_bytes, u32::from_be_bytes),
        // The second bit of the flags of the extended form says that it moves.
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', b'V', b'P', b'8', b'X', _, _, _, _, flags, ..] => {
            Some(flags & 2 != 0)
        }
        _ => Some(false),
    };
    more.unwrap_or(false)
}

fn bytes<const N: usize>(file: &mut impl Read) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes).ok().map(|()| bytes)
}

fn skip(file: &mut impl Seek, count: i64) -> Option<()> {
    file.seek_relative(count).ok()
}

/// Bytes of a table of colours, as the flags before it say.
fn colours(flags: u8) -> i64 {
    if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) }
}

/// Goes from block to block to the second picture.
fn gif(file: &mut (impl Read + Seek)) -> Option<bool> {
    let [.., flags, _, _] = bytes::<13>(file)?;
    skip(file, colours(flags))?;
    let mut pictures = 0;
    loop {
        match bytes::<1>(file)? {
            // A picture: where it lies, its colours, the least size of its codes.
            [b','] => {
                pictures += 1;
                if pictures > 1 {
                    return Some(true);
                }
                let [.., flags] = bytes::<9>(file)?;
                skip(file, colours(flags) + 1)?;
            }
            // An extension and its kind.
            [b'!'] => skip(file, 1)?,
            _ => return Some(false),
        }
        // Both are followed by blocks with their lengths before them, the last of length 0.
        while let [length @ 1..=255] = bytes::<1>(file)? {
            skip(file, i64::from(length))?;
        }
    }
}

/// The chunk that says how many pictures there are stands before the first of them.
fn png(file: &mut (impl Read + Seek)) -> Option<bool> {
    skip(file, 8)?;
    loop {
        let length = i64::from(u32::from_be_bytes(bytes(file)?));
        match &bytes::<4>(file)? {
            b"acTL" => return Some(u32::from_be_bytes(bytes(file)?) > 1),
            b"IDAT" | b"IEND" => return Some(false),
            _ => skip(file, length + 4)?,
        }
    }
}

/// Behind the entries of the first directory stands where the next one is.
fn tiff(file: &mut (impl Read + Seek), short: fn([u8; 2]) -> u16, long: fn([u8; 4]) -> u32) -> Option<bool> {
    skip(file, 4)?;
    let first = long(bytes(file)?);
    file.seek(SeekFrom::Start(u64::from(first))).ok()?;
    let entries = short(bytes(file)?);
    skip(file, 12 * i64::from(entries))?;
    Some(long(bytes(file)?) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::codecs::gif::GifEncoder;
    use image::{DynamicImage, Frame, ImageFormat};
    use std::io::Cursor;

    fn more(bytes: &[u8]) -> bool {
        has_more(Cursor::new(bytes))
    }

    #[test]
    fn one_picture_is_not_several() {
        let image = DynamicImage::new_rgb8(5, 3);
        for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Bmp] {
            let mut file = Cursor::new(Vec::new());
            image.write_to(&mut file, format).unwrap();
            assert!(!more(file.get_ref()), "{format:?}");
        }
        assert!(!more(b"") && !more(b"GIF89a") && !more(b"II*\0\x08\0\0\0"));
    }

    #[test]
    fn animations_and_pages_are_several() {
        let mut gif = Vec::new();
        let mut encoder = GifEncoder::new(&mut gif);
        encoder.encode_frames((0..2).map(|_| Frame::new(image::RgbaImage::new(5, 3)))).unwrap();
        drop(encoder);
        assert!(more(&gif));
        // Up to where the second picture begins there is one.
        let second = gif.iter().rposition(|byte| *byte == b',').unwrap();
        assert!(!more(&gif[..second]));

        let mut tiff = Cursor::new(Vec::new());
        DynamicImage::new_luma8(4, 4).write_to(&mut tiff, ImageFormat::Tiff).unwrap();
        let mut tiff = tiff.into_inner();
        let first = u32::from_le_bytes([tiff[4], tiff[5], tiff[6], tiff[7]]) as usize;
        let next = first + 2 + 12 * usize::from(u16::from_le_bytes([tiff[first], tiff[first + 1]]));
        tiff[next] = 8;
        assert!(more(&tiff));

        let mut png = Vec::new();
        let mut encoder = png::Encoder::new(&mut png, 1, 1);
        encoder.set_animated(2, 0).unwrap();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[1]).unwrap();
        writer.write_image_data(&[2]).unwrap();
        writer.finish().unwrap();
        assert!(more(&png));
        assert!(more(b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0\0\0\0\0"));
    }
}
