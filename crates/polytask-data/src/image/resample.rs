//! Images scaled as PIL scales them (`Image.resize`), to the bit: every output pixel is a weighted mean of those that its filter
//! covers, the filter as wide as what a pixel of the output covers; first along rows, then along columns, each time in whole
//! numbers.

use serde::{Deserialize, Serialize};

/// How an image is scaled for an encoder that was trained on images scaled so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resample {
    /// How far a pixel is seen.
    pub filter: Filter,
    /// What becomes of it.
    pub to: To,
}

/// The weight of a pixel by its distance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Filter {
    /// `1 - |x|` up to 1.
    Bilinear,
    /// The cubic of Keys (1981) up to 2, with a slope of -1/2.
    Bicubic,
}

/// To what size an image is scaled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// To what is wanted, whatever its sides' ratio.
    Sides,
    /// With its own ratio so that it just covers these sides; what is wanted is cut from the middle.
    Cover([usize; 2]),
}

/// Bits behind the point of a weight.
const BITS: u32 = 22;

impl Filter {
    fn support(self) -> f64 {
        match self {
            Filter::Bilinear => 1.0,
            Filter::Bicubic => 2.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        const SLOPE: f64 = -0.5;
        let x = x.abs();
        match self {
            Filter::Bilinear => (1.0 - x).max(0.0),
            Filter::Bicubic if x < 1.0 => ((SLOPE + 2.0) * x - (SLOPE + 3.0)) * x * x + 1.0,
            Filter::Bicubic if x < 2.0 => (((x - 5.0) * x + 8.0) * x - 4.0) * SLOPE,
            Filter::Bicubic => 0.0,
        }
    }

    /// For each of `outputs` pixels in a line of `inputs`: the first that it reads, and the shares of those from there on.
    pub fn shares(self, inputs: usize, outputs: usize) -> Vec<(usize, Vec<f64>)> {
        let scale = inputs as f64 / outputs as f64;
        let stretch = scale.max(1.0);
        let reach = self.support() * stretch;
        let tap = |output: usize| {
            let middle = (output as f64 + 0.5) * scale;
            let first = (middle - reach + 0.5).max(0.0) as usize;
            let end = ((middle + reach + 0.5) as usize).min(inputs).max(first + 1);
            let weights: Vec<f64> = (first..end).map(|i| self.weight((i as f64 - middle + 0.5) / stretch)).collect();
            let sum: f64 = weights.iter().sum();
            (first, weights.iter().map(|weight| if sum == 0.0 { *weight } else { weight / sum }).collect())
        };
        (0..outputs).map(tap).collect()
    }

    /// The same in whole numbers.
    fn taps(self, inputs: usize, outputs: usize) -> Vec<(usize, Vec<i64>)> {
        let whole = |share: &f64| (share * f64::from(1u32 << BITS) + if *share < 0.0 { -0.5 } else { 0.5 }) as i64;
        let all = self.shares(inputs, outputs).into_iter();
        all.map(|(first, shares)| (first, shares.iter().map(whole).collect())).collect()
    }
}

/// A line's weighted mean as a byte.
fn byte(sum: i64) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

/// `pixels` of `[height, width]` and so many channels, scaled to other sides.
fn resize(pixels: &[u8], [height, width]: [usize; 2], to: [usize; 2], channels: usize, filter: Filter) -> Vec<u8> {
    const HALF: i64 = 1 << (BITS - 1);
    let mut wide = Vec::new();
    let pixels = if to[1] == width {
        pixels
    } else {
        wide.reserve(height * to[1] * channels);
        let taps = filter.taps(width, to[1]);
        for row in pixels.chunks_exact(width * channels) {
            for (first, weights) in &taps {
                for c in 0..channels {
                    let seen = row[first * channels + c..].iter().step_by(channels);
                    wide.push(byte(HALF + seen.zip(weights).map(|(p, w)| i64::from(*p) * w).sum::<i64>()));
                }
            }
        }
        &wide
    };
    if to[0] == height {
        return pixels.to_vec();
    }
    let run = to[1] * channels;
    let mut out = Vec::with_capacity(to[0] * run);
    let mut sums = vec![0i64; run];
    for (first, weights) in filter.taps(height, to[0]) {
        sums.fill(HALF);
        for (row, weight) in pixels[first * run..].chunks_exact(run).zip(&weights) {
            sums.iter_mut().zip(row).for_each(|(sum, p)| *sum += i64::from(*p) * weight);
        }
        out.extend(sums.iter().map(|sum| byte(*sum)));
    }
    out
}

impl Resample {
    /// The pixels of an image of sides `is` with the sides `wanted`.
    pub(super) fn apply(self, pixels: &[u8], is: [usize; 2], wanted: [usize; 2], channels: usize) -> Vec<u8> {
        let To::Cover(cover) = self.to else { return resize(pixels, is, wanted, channels, self.filter) };
        let sides = covering(is, cover).map(|side| side.max(1));
        // Whoever asks for more than what was scaled sees the edges repeated by scaling it that far.
        let sides = [sides[0].max(wanted[0]), sides[1].max(wanted[1])];
        let scaled = resize(pixels, is, sides, channels, self.filter);
        let [top, left] = [0, 1].map(|axis| middle(sides[axis] - wanted[axis]));
        let rows = scaled.chunks_exact(sides[1] * channels).skip(top).take(wanted[0]);
        rows.flat_map(|row| &row[left * channels..(left + wanted[1]) * channels]).copied().collect()
    }
}

/// The smallest sides of the ratio of `is` that cover `[height, width]`; the longer side is rounded down.
fn covering([height, width]: [usize; 2], [tall, wide]: [usize; 2]) -> [usize; 2] {
    match tall * width >= wide * height {
        true => [tall, (tall * width / height.max(1)).max(wide)],
        false => [(wide * height / width.max(1)).max(tall), wide],
    }
}

/// Half of what is over, a half rounded to the even number as Python does.
fn middle(over: usize) -> usize {
    match over % 4 {
        3 => over.div_ceil(2),
        _ => over / 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_cover_what_is_wanted() {
        assert_eq!(covering([300, 500], [256, 256]), [256, 426]);
        assert_eq!(covering([500, 300], [256, 256]), [426, 256]);
        assert_eq!(covering([10, 10], [7, 5]), [7, 7]);
        assert_eq!([0, 1, 2, 3, 4, 5].map(middle), [0, 0, 1, 2, 2, 2]);
    }

    #[test]
    fn a_grey_image_stays_grey() {
        let grey = vec![77; 9 * 5 * 3];
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            for to in [[3, 4], [20, 31], [9, 2], [1, 1]] {
                assert!(resize(&grey, [9, 5], to, 3, filter).iter().all(|p| *p == 77));
            }
        }
    }
}
