//! Small pictures in all their forms.

use super::common::{Folder, Noise};
use flate2::write::GzEncoder;
use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage};
use std::io::{Cursor, Write};

/// Sides of a picture.
pub const SIDE: u32 = 8;

/// What a picture shows.
#[derive(Clone, Copy)]
pub struct Shown {
    /// A bright column rather than a row.
    pub bar: bool,
    /// Which one.
    pub place: u32,
}

impl Shown {
    pub fn kind(self) -> &'static str {
        if self.bar { "bar" } else { "dash" }
    }

    fn lit(self, x: u32, y: u32) -> bool {
        (if self.bar { x } else { y }) == self.place
    }
}

/// What the pictures 0 to n - 1 show: bars and dashes in turn, at places 1 to 6.
pub fn shown(n: usize) -> Vec<Shown> {
    (0..n).map(|i| Shown { bar: i % 2 == 0, place: 1 + (i as u32 / 2 * 5) % 6 }).collect()
}

/// A bright line in grey noise.
pub fn grey(shown: Shown, seed: u64) -> GrayImage {
    let mut noise = Noise(seed + 1);
    GrayImage::from_fn(SIDE, SIDE, |x, y| {
        let noise = (noise.next() * 100.0) as u8;
        Luma([if shown.lit(x, y) { 255 - noise / 4 } else { noise }])
    })
}

/// The same in colours: bars are red, dashes blue.
pub fn color(shown: Shown, seed: u64) -> RgbImage {
    let grey = grey(shown, seed);
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let value = grey.get_pixel(x, y).0[0];
        let low = if shown.lit(x, y) { 0 } else { value };
        Rgb(if shown.bar { [value, low, low] } else { [low, low, value] })
    })
}

/// A picture as a file.
pub fn file(image: impl Into<image::DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.into().write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

pub fn png(image: impl Into<image::DynamicImage>) -> Vec<u8> {
    file(image, ImageFormat::Png)
}

/// An IDX file.
pub fn idx(dims: &[usize], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    dims.iter().for_each(|size| bytes.extend((*size as u32).to_be_bytes()));
    bytes.extend(values);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// Pixels of the first `n` pictures, one after the other.
pub fn pixels(n: usize) -> Vec<u8> {
    shown(n).into_iter().enumerate().flat_map(|(i, shown)| grey(shown, i as u64).into_raw()).collect()
}

/// `pictures/bar/0.png`, `pictures/dash/1.png` and so on.
pub fn class_folders(folder: &Folder, name: &str, n: usize) {
    for kind in ["bar", "dash"] {
        std::fs::create_dir_all(folder.path(&format!("{name}/{kind}"))).unwrap();
    }
    for (i, shown) in shown(n).into_iter().enumerate() {
        folder.write(&format!("{name}/{}/{i}.png", shown.kind()), png(grey(shown, i as u64)));
    }
}

/// `photos/0.png` and so on, and `data.csv` with `photo`, `kind`, `place` and `part`.
pub fn photo_table(folder: &Folder, n: usize) {
    std::fs::create_dir_all(folder.path("photos")).unwrap();
    let mut text = "photo,kind,place,part\n".to_owned();
    for (i, shown) in shown(n).into_iter().enumerate() {
        folder.write(&format!("photos/{i}.png"), png(grey(shown, i as u64)));
        let part = ["train", "train", "valid", "train", "test"][i % 5];
        text.push_str(&format!("photos/{i}.png,{},{},{part}\n", shown.kind(), shown.place));
    }
    folder.write("data.csv", text);
}

/// A config for [`photo_table`].
pub const PHOTOS: &str = r#"
[data]
path = "data.csv"
split = { column = "part" }
[inputs]
photo = "image"
[tasks.kind]
[tasks.place]
[model]
trunk = [32]
[train]
epochs = 30
batch = 32
"#;
