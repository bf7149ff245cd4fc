//! Two images in one, the way Multi-MNIST is made.

use super::{ImageShape, Pixels};
use crate::random::{OVERLAP, Random};

/// The side of the canvas, and where on it the second image begins.
const CANVAS: usize = 36;
const SECOND: usize = 6;
/// The side of MNIST's images, and of what is made of them.
pub const SIDE: usize = 28;

/// Lays one image at the upper left of a canvas of 36 x 36 and another 6 pixels below and to the right of it, takes the
/// larger of each two pixels, and scales the whole to 28 x 28 by taking the nearest pixel (Sener and Koltun, "Multi-Task
/// Learning as Multi-Objective Optimization", NeurIPS 2018, their Multi-MNIST).
///
/// Every image of `left` is there once and in its order; each is joined by one of `right`, drawn at random. Gives the
/// images, and which ones of `right` were drawn. Images that are not 28 x 28 and grey give none.
pub fn overlap(left: &Pixels, right: &Pixels, seed: u64, stream: u64) -> (Pixels, Vec<usize>) {
    let shape = ImageShape { height: SIDE, width: SIDE, channels: 1 };
    if left.shape() != shape || right.shape() != shape || right.rows() == 0 {
        return (Pixels::new(shape, Vec::new()), Vec::new());
    }
    let mut random = Random::new(seed, OVERLAP - stream);
    let drawn: Vec<usize> = (0..left.rows()).map(|_| random.below(right.rows() as u64) as usize).collect();
    let mut values = Vec::with_capacity(left.values().len());
    for (row, &other) in drawn.iter().enumerate() {
        let mut canvas = [0u8; CANVAS * CANVAS];
        for (image, from) in [(left.image(row), 0), (right.image(other), SECOND)] {
            for (y, line) in image.unwrap_or_default().chunks_exact(SIDE).enumerate() {
                let start = (y + from) * CANVAS + from;
                let under = canvas.get_mut(start..start + SIDE).unwrap_or_default();
                under.iter_mut().zip(line).for_each(|(under, pixel)| *under = (*under).max(*pixel));
            }
        }
        let nearest = |i: usize| (2 * i + 1) * CANVAS / (2 * SIDE);
        values.extend((0..SIDE * SIDE).filter_map(|at| canvas.get(nearest(at / SIDE) * CANVAS + nearest(at % SIDE))));
    }
    (Pixels::new(shape, values), drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(value: u8, at: (usize, usize)) -> Pixels {
        let mut image = vec![0; SIDE * SIDE];
        image[at.0 * SIDE + at.1] = value;
        Pixels::new(ImageShape { height: SIDE, width: SIDE, channels: 1 }, image)
    }

    #[test]
    fn the_larger_pixel_shows_at_its_scaled_place() {
        // On the canvas (10, 10) and (10, 16); row 10 of 36 is the nearest to row 8 of 28, column 16 to column 12.
        let (image, drawn) = overlap(&one(200, (10, 10)), &one(90, (4, 10)), 0, 0);
        assert_eq!(drawn, [0]);
        let shown: Vec<(usize, u8)> =
            image.values().iter().enumerate().filter(|(_, v)| **v > 0).map(|(i, v)| (i, *v)).collect();
        assert_eq!(shown, [(8 * SIDE + 8, 200), (8 * SIDE + 12, 90)]);
        let (image, _) = overlap(&one(200, (10, 10)), &one(90, (4, 4)), 0, 0);
        assert_eq!(image.values()[8 * SIDE + 8], 200);
    }

    #[test]
    fn draws_follow_the_seed_and_the_part() {
        let many = Pixels::new(ImageShape { height: SIDE, width: SIDE, channels: 1 }, vec![0; 50 * SIDE * SIDE]);
        let drawn = |seed, part| overlap(&many, &many, seed, part).1;
        assert_eq!(drawn(1, 0), drawn(1, 0));
        assert_ne!(drawn(1, 0), drawn(2, 0));
        assert_ne!(drawn(1, 0), drawn(1, 1));
        assert!(drawn(1, 0).iter().all(|row| *row < 50));
    }
}
