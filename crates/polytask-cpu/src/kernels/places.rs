//! Which pixels of an image each pixel of the next one reads.

use super::conv2d::Axis;
use polytask_graph::Interpolation;

/// For every output pixel the pixels it reads, and how much of each.
pub(super) struct Places {
    /// Where an output's pixels begin; one more than there are outputs.
    first: Vec<usize>,
    pixels: Vec<Share>,
}

/// A pixel that is read.
#[derive(Clone, Copy)]
pub(super) struct Share {
    pub pixel: usize,
    pub weight: f32,
}

impl Places {
    /// Equal shares of the pixels in a window, row by row.
    pub(super) fn window([rows, columns]: &[Axis; 2]) -> Self {
        Self::new([rows.outputs, columns.outputs], |y, x| {
            let inside = |axis: &Axis, m: usize| -> Vec<usize> {
                axis.phases[0].iter().filter_map(|tap| axis.source(m, *tap)).collect()
            };
            let (ys, xs) = (inside(rows, y), inside(columns, x));
            let weight = 1.0 / (ys.len() * xs.len()) as f32;
            let row = |y: &usize| xs.iter().map(|x| y * columns.sources + x).collect::<Vec<_>>();
            ys.iter().flat_map(row).map(|pixel| Share { pixel, weight }).collect()
        })
    }

    /// Equal shares of all pixels for a single output.
    pub(super) fn all(pixels: usize) -> Self {
        let weight = 1.0 / pixels as f32;
        Self::new([1, 1], |_, _| (0..pixels).map(|pixel| Share { pixel, weight }).collect())
    }

    /// An image of `[height, width]` enlarged.
    pub(super) fn enlarged([height, width]: [usize; 2], factor: [usize; 2], interpolation: Interpolation) -> Self {
        // Output pixel o has its centre at (o + 0.5) / factor - 0.5, counted between centres of the image's pixels.
        let along = |length: usize, factor: usize, o: usize| -> Vec<(usize, f32)> {
            if interpolation == Interpolation::Nearest {
                return vec![(o / factor, 1.0)];
            }
            let at = ((o as f32 + 0.5) / factor as f32 - 0.5).max(0.0);
            let low = (at as usize).min(length - 1);
            let (high, part) = ((low + 1).min(length - 1), at - low as f32);
            match high > low && part > 0.0 {
                true => vec![(low, 1.0 - part), (high, part)],
                false => vec![(low, 1.0)],
            }
        };
        Self::new([height * factor[0], width * factor[1]], |y, x| {
            let (ys, xs) = (along(height, factor[0], y), along(width, factor[1], x));
            let row = |(y, v): &(usize, f32)| {
                xs.iter().map(|(x, w)| Share { pixel: y * width + x, weight: v * w }).collect::<Vec<_>>()
            };
            ys.iter().flat_map(row).collect()
        })
    }

    fn new([height, width]: [usize; 2], mut shares: impl FnMut(usize, usize) -> Vec<Share>) -> Self {
        let (mut first, mut pixels) = (vec![0], Vec::new());
        for y in 0..height {
            for x in 0..width {
                pixels.extend(shares(y, x));
                first.push(pixels.len());
            }
        }
        Places { first, pixels }
    }

    /// Whether every one of so many pixels is read once.
    pub(super) fn divide(&self, pixels: usize) -> bool {
        let mut read = vec![false; pixels];
        self.pixels.len() == pixels && self.pixels.iter().all(|share| !std::mem::replace(&mut read[share.pixel], true))
    }

    /// The pixels of every output, in order.
    pub(super) fn each(&self) -> impl Iterator<Item = &[Share]> {
        self.first.windows(2).map(|ends| &self.pixels[ends[0]..ends[1]])
    }
}
