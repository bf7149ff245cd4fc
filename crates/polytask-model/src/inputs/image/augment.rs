//! Training images changed at random.

use super::Draw;
use crate::section::{Augment, Flip};
use polytask_data::ImageShape;
use polytask_exec::Bytes;
use polytask_math::seed::SplitMix64;

/// What was drawn for one image: each output pixel shows the source at a place that is linear in its own.
struct Change {
    /// Of the source place (y, x) with the output place, both from their middles.
    matrix: [[f32; 2]; 2],
    /// Added to the source place.
    offset: [f32; 2],
    /// Multiplies the pixel.
    brightness: f32,
}

impl Augment {
    /// The image of `row` as step `draw.step` of a run sees it: the same whenever and on whatever thread it is asked for.
    pub(super) fn apply(
        &self,
        draw: Draw,
        row: u32,
        image: &[u8],
        shape: ImageShape,
        bytes: Bytes<'_>,
        into: &mut [f32],
    ) {
        let change = self.draw(&mut SplitMix64::of(draw.seed, &[draw.step, u64::from(row)]), shape);
        change.show(image, shape, bytes, into);
    }

    /// The labels of the pixels of the same image, moved as it is: each pixel has that of the place it shows most of.
    pub(super) fn place<T: Copy>(&self, draw: Draw, row: u32, labels: &[T], shape: ImageShape) -> Vec<T> {
        let change = self.draw(&mut SplitMix64::of(draw.seed, &[draw.step, u64::from(row)]), shape);
        let lines = [0, 1].map(|axis| Line::new(&change, axis, shape));
        let label = |at: usize| {
            let [y, x] = lines.map(|line| line.of(at / shape.width, at % shape.width).round() as usize);
            labels[y * shape.width + x]
        };
        (0..shape.height * shape.width).map(label).collect()
    }

    /// All is drawn whether it is used or not, so that one setting does not move the draws of another.
    fn draw(&self, random: &mut SplitMix64, shape: ImageShape) -> Change {
        let (horizontal, vertical) = match self.flip {
            None => (false, false),
            Some(Flip::Horizontal) => (true, false),
            Some(Flip::Vertical) => (false, true),
            Some(Flip::Both) => (true, true),
        };
        let sign = |random: &mut SplitMix64, flips: bool| if random.unit() < 0.5 && flips { -1.0 } else { 1.0 };
        let (flip_x, flip_y) = (sign(random, horizontal), sign(random, vertical));
        let most = self.shift as f64;
        let shift = [(); 2].map(|()| (random.unit() * (2.0 * most + 1.0)).floor() - most);
        let share = 1.0 - (1.0 - self.crop) * random.unit();
        // A part of the image stays inside it.
        let sides = [shape.height, shape.width];
        let place = sides.map(|side| (1.0 - share) * side as f64 * (random.unit() - 0.5));
        let (sin, cos) = (self.rotation * (2.0 * random.unit() - 1.0)).to_radians().sin_cos();
        let brightness = 1.0 + self.brightness * (2.0 * random.unit() - 1.0);
        let matrix = [[cos * flip_y, sin * flip_x], [-sin * flip_y, cos * flip_x]];
        Change {
            matrix: matrix.map(|row| row.map(|value| (value * share) as f32)),
            offset: [(shift[0] + place[0]) as f32, (shift[1] + place[1]) as f32],
            brightness: brightness as f32,
        }
    }
}

impl Change {
    fn show(&self, image: &[u8], shape: ImageShape, bytes: Bytes<'_>, into: &mut [f32]) {
        match shape.channels {
            1 => self.pixels::<1>(image, shape, into),
            _ => self.pixels::<3>(image, shape, into),
        }
        let value = |x: &mut f32, (scale, shift): (&f32, &f32)| {
            *x = (*x * self.brightness).clamp(0.0, 255.0) * scale + shift;
        };
        match (bytes.scale, bytes.shift) {
            // One loop over all pixels runs on full vectors.
            ([scale], [shift]) => into.iter_mut().for_each(|x| value(x, (scale, shift))),
            (scale, shift) => into
                .chunks_exact_mut(scale.len().max(1))
                .for_each(|pixel| pixel.iter_mut().zip(scale.iter().zip(shift)).for_each(|(x, by)| value(x, by))),
        }
    }

    fn pixels<const C: usize>(&self, image: &[u8], shape: ImageShape, into: &mut [f32]) {
        let (image, into) = (image.as_chunks::<C>().0, into.as_chunks_mut::<C>().0);
        let [y, x] = [0, 1].map(|axis| Line::new(self, axis, shape));
        match y.is_whole() && x.is_whole() {
            true => {
                let columns: Vec<usize> = (0..shape.width).map(|at| x.of(0, at) as usize).collect();
                for (at, into) in into.chunks_exact_mut(shape.width).enumerate() {
                    let from = &image[y.of(at, 0) as usize * shape.width..][..shape.width];
                    into.iter_mut().zip(&columns).for_each(|(into, at)| *into = from[*at].map(f32::from));
                }
            }
            false => mix(image, shape, [y, x], into),
        }
    }
}

/// Each pixel a mixture of the four around its place.
fn mix<const C: usize>(image: &[[u8; C]], shape: ImageShape, [y, x]: [Line; 2], into: &mut [[f32; C]]) {
    // The lower of two neighbours is never the last pixel; in a line of one pixel they are the same.
    let low = |place: f32, side: usize| (place as i32).min(side.saturating_sub(2) as i32);
    let [down, right] = [(shape.height > 1) as usize * shape.width, (shape.width > 1) as usize];
    // All places of a row first, which runs on full vectors.
    let mut places = vec![(0usize, 0.0, 0.0); shape.width];
    for (row, into) in into.chunks_exact_mut(shape.width).enumerate() {
        for (column, place) in places.iter_mut().enumerate() {
            let [y, x] = [y.of(row, column), x.of(row, column)];
            let lows = [low(y, shape.height), low(x, shape.width)];
            let first = lows[0] as usize * shape.width + lows[1] as usize;
            *place = (first, y - lows[0] as f32, x - lows[1] as f32);
        }
        for ((first, y, x), into) in places.iter().zip(into) {
            let [a, b, c, d] = [0, right, down, down + right].map(|by| image[*first + by].map(f32::from));
            *into = std::array::from_fn(|i| {
                let [above, below] = [[a[i], b[i]], [c[i], d[i]]].map(|[left, right]| left * (1.0 - x) + right * x);
                above * (1.0 - y) + below * y
            });
        }
    }
}

/// One coordinate of the places that output pixels show; beyond the edge it is the edge.
#[derive(Clone, Copy)]
struct Line {
    /// With the output's row and column, from the middle.
    slopes: [f32; 2],
    middle: [f32; 2],
    axis: usize,
    offset: f32,
    last: f32,
}

impl Line {
    fn new(change: &Change, axis: usize, shape: ImageShape) -> Self {
        let last = [(shape.height - 1) as f32, (shape.width - 1) as f32];
        let (slopes, offset) = (change.matrix[axis], change.offset[axis]);
        Line { slopes, middle: last.map(|last| last / 2.0), axis, offset, last: last[axis] }
    }

    fn of(&self, row: usize, column: usize) -> f32 {
        let [down, right] = [row as f32 - self.middle[0], column as f32 - self.middle[1]];
        let [a, b] = self.slopes;
        (a * down + b * right + self.middle[self.axis] + self.offset).clamp(0.0, self.last)
    }

    /// Whether it follows its own axis pixel by pixel, forwards or backwards, so that nothing is mixed.
    fn is_whole(&self) -> bool {
        self.slopes[self.axis].abs() == 1.0 && self.slopes[1 - self.axis] == 0.0 && self.offset.fract() == 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape { height: 3, width: 4, channels: 1 };
    const IMAGE: [u8; 12] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    fn seen(augment: Augment, step: u64, row: u32) -> Vec<f32> {
        let mut into = vec![0.0; SHAPE.len()];
        let bytes = Bytes { values: &[], scale: &[1.0], shift: &[0.0] };
        augment.apply(Draw { seed: 3, step }, row, &IMAGE, SHAPE, bytes, &mut into);
        into
    }

    /// How many of 1000 images satisfy a condition.
    fn count(augment: Augment, condition: impl Fn(&[f32]) -> bool) -> usize {
        (0..1000).filter(|row| condition(&seen(augment, 0, *row))).count()
    }

    #[test]
    fn nothing_asked_for_changes_nothing() {
        let expected: Vec<f32> = IMAGE.iter().map(|v| f32::from(*v)).collect();
        assert_eq!(seen(Augment::default(), 1, 2), expected);
    }

    #[test]
    fn half_of_the_images_are_mirrored() {
        let mirrored = |image: &[f32]| image[..4] == [4.0, 3.0, 2.0, 1.0];
        let horizontal = Augment { flip: Some(Flip::Horizontal), ..Augment::default() };
        let found = count(horizontal, mirrored);
        // 1000 fair draws have a standard deviation of 16.
        assert!((420..580).contains(&found), "{found}");
        assert_eq!(count(horizontal, |image| mirrored(image) || image[..4] == [1.0, 2.0, 3.0, 4.0]), 1000);
        let both = Augment { flip: Some(Flip::Both), ..Augment::default() };
        let turned = count(both, |image| image[..4] == [12.0, 11.0, 10.0, 9.0]);
        assert!((180..320).contains(&turned), "{turned}");
    }

    #[test]
    fn shifts_are_whole_pixels_and_repeat_the_edge() {
        let shifts = Augment { shift: 1, ..Augment::default() };
        let right_down = [1.0, 1.0, 2.0, 3.0, 1.0, 1.0, 2.0, 3.0, 5.0, 5.0, 6.0, 7.0];
        // Nine shifts are equally likely.
        let found = count(shifts, |image| image == right_down);
        assert!((60..160).contains(&found), "{found}");
        assert_eq!(count(shifts, |image| image.iter().all(|v| v.fract() == 0.0)), 1000);
    }

    #[test]
    fn labels_of_pixels_move_with_their_image() {
        let augment = Augment { flip: Some(Flip::Both), shift: 1, rotation: 90.0, ..Augment::default() };
        for row in 0..100 {
            let shown = seen(augment, 2, row);
            let labels = augment.place(Draw { seed: 3, step: 2 }, row, &IMAGE, SHAPE);
            // Between pixels the image is a mixture of up to four, the label that of the nearest.
            for (shown, label) in shown.iter().zip(&labels) {
                assert!((shown - f32::from(*label)).abs() <= 2.5 + 1e-3, "{shown} is labelled {label}");
            }
        }
        let plain = Augment { flip: Some(Flip::Horizontal), shift: 1, ..Augment::default() };
        for row in 0..20 {
            let labels = plain.place(Draw { seed: 3, step: 2 }, row, &IMAGE, SHAPE);
            assert_eq!(seen(plain, 2, row), labels.iter().map(|v| f32::from(*v)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_quarter_turn_and_a_part() {
        let quarter = Change { matrix: [[0.0, 1.0], [-1.0, 0.0]], offset: [0.0; 2], brightness: 1.0 };
        let shape = ImageShape { height: 2, width: 2, channels: 3 };
        let (image, mut into) = ([0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32], [0.0; 12]);
        let bytes = Bytes { values: &[], scale: &[1.0, 1.0, 2.0], shift: &[0.0, 0.0, 1.0] };
        quarter.show(&image, shape, bytes, &mut into);
        // What was at the upper left is at the lower left now.
        assert_eq!(into, [10.0, 11.0, 25.0, 30.0, 31.0, 65.0, 0.0, 1.0, 5.0, 20.0, 21.0, 45.0]);

        let half = Augment { crop: 0.5, ..Augment::default() };
        let spread = |image: &[f32]| image[11] - image[0];
        // A part of half the sides or more shows half of the rise from corner to corner or more, and not more than all; half
        // a pixel at the edge is the edge.
        assert_eq!(count(half, |image| (4.2..=11.0).contains(&spread(image))), 1000);
        assert!(count(half, |image| spread(image) < 7.0) > 50);
    }

    #[test]
    fn brightness_stays_within_its_share() {
        let brighter = Augment { brightness: 0.5, ..Augment::default() };
        assert_eq!(count(brighter, |image| (6.0..=18.0).contains(&image[11])), 1000);
        assert!(count(brighter, |image| image[11] > 12.0) > 400);
    }

    #[test]
    fn draws_hang_on_seed_step_and_row_alone() {
        let augment = Augment { rotation: 20.0, shift: 2, ..Augment::default() };
        assert_eq!(seen(augment, 5, 6), seen(augment, 5, 6));
        assert_ne!(seen(augment, 5, 6), seen(augment, 6, 5));
        assert_ne!(seen(augment, 5, 6), seen(augment, 5, 7));
    }
}
