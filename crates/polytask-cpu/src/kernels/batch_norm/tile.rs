//! The passes over a few channels of a lane's values. Vector operations are called by name: closures and loops over numbers
//! do not always become what they should.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over counted registers are unrolled; iterators there are not always"
)]

use crate::wiring::SIDE;
use pulp::{Simd, WithSimd};

/// The values of `N` channels, and how a lane's last block is filled.
#[derive(Clone, Copy)]
pub(super) struct Tile<'a, const N: usize> {
    pub x: &'a [f32],
    pub channels: usize,
    pub first: usize,
    /// Features of a row.
    pub width: usize,
    /// 1 for the rows of the last block that there are, 0 for those that fill it up.
    pub last: [f32; SIDE],
    /// Pixels of all rows.
    pub count: f32,
}

impl<const N: usize> Tile<'_, N> {
    /// Vectors of a pixel, the tile's in it, and vectors up to the last block.
    #[inline(always)]
    fn places<S: Simd>(&self) -> (usize, std::ops::Range<usize>, usize) {
        let parts = SIDE / S::F32_LANES;
        let last = (self.x.len() / SIDE - self.width) * parts;
        (self.channels * parts, self.first * parts..(self.first + N) * parts, last)
    }

    /// A number for each channel as vectors.
    #[inline(always)]
    fn wide<S: Simd>(simd: S, of: [f32; N]) -> [S::f32s; N] {
        let mut wide = [simd.splat_f32s(0.0); N];
        for c in 0..N {
            wide[c] = simd.splat_f32s(of[c]);
        }
        wide
    }

    #[inline(always)]
    fn totals<S: Simd>(simd: S, wide: [S::f32s; N]) -> [f32; N] {
        let mut totals = [0.0; N];
        for c in 0..N {
            totals[c] = simd.reduce_sum_f32s(wide[c]);
        }
        totals
    }
}

/// Mean and variance. Measured from the mean of the first pixel, a channel that hardly varies around a large value loses
/// no digits.
pub(super) struct Moments<'a, const N: usize>(pub Tile<'a, N>);

impl<const N: usize> WithSimd for Moments<'_, N> {
    type Output = [[f32; N]; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [[f32; N]; 2] {
        let tile = self.0;
        let ((x, _), (mask, _)) = (S::as_simd_f32s(tile.x), S::as_simd_f32s(&tile.last));
        let (pixel, own, last) = tile.places::<S>();
        let parts = mask.len();
        let mut first = [0.0; N];
        for c in 0..N {
            let at = (tile.first + c) * SIDE;
            first[c] = tile.x.get(at..at + SIDE).map_or(0.0, |x| x.iter().sum::<f32>() / SIDE as f32);
        }
        let origin = Tile::<N>::wide(simd, first);
        let (mut sums, mut squares) = ([simd.splat_f32s(0.0); N], [simd.splat_f32s(0.0); N]);
        for x in x[..last].chunks_exact(pixel) {
            let x = &x[own.clone()];
            for c in 0..N {
                for part in 0..parts {
                    let v = simd.sub_f32s(x[c * parts + part], origin[c]);
                    sums[c] = simd.add_f32s(sums[c], v);
                    squares[c] = simd.mul_add_f32s(v, v, squares[c]);
                }
            }
        }
        for x in x[last..].chunks_exact(pixel) {
            let x = &x[own.clone()];
            for c in 0..N {
                for part in 0..parts {
                    let v = simd.mul_f32s(simd.sub_f32s(x[c * parts + part], origin[c]), mask[part]);
                    sums[c] = simd.add_f32s(sums[c], v);
                    squares[c] = simd.mul_add_f32s(v, v, squares[c]);
                }
            }
        }
        let (mut mean, mut variance) = (Tile::<N>::totals(simd, sums), Tile::<N>::totals(simd, squares));
        for c in 0..N {
            let shift = mean[c] / tile.count;
            mean[c] = first[c] + shift;
            variance[c] = (variance[c] / tile.count - shift * shift).max(0.0);
        }
        [mean, variance]
    }
}

/// `y = x * scale + shift`, at least `least`.
pub(super) struct Scale<'a, const N: usize> {
    pub tile: Tile<'a, N>,
    pub y: &'a mut [f32],
    pub factors: [[f32; N]; 2],
    pub least: f32,
}

impl<const N: usize> WithSimd for Scale<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ((x, _), (y, _)) = (S::as_simd_f32s(self.tile.x), S::as_mut_simd_f32s(self.y));
        let (pixel, own, _) = self.tile.places::<S>();
        let parts = SIDE / S::F32_LANES;
        let least = simd.splat_f32s(self.least);
        let (scale, shift) = (Tile::wide(simd, self.factors[0]), Tile::wide(simd, self.factors[1]));
        for (x, y) in x.chunks_exact(pixel).zip(y.chunks_exact_mut(pixel)) {
            let (x, y) = (&x[own.clone()], &mut y[own.clone()]);
            for c in 0..N {
                for at in c * parts..(c + 1) * parts {
                    y[at] = simd.max_f32s(simd.mul_add_f32s(x[at], scale[c], shift[c]), least);
                }
            }
        }
    }
}

/// `sum dy` and `sum dy (x - mean)`. Rows that are not there have no cotangent.
pub(super) struct Sums<'a, const N: usize> {
    pub tile: Tile<'a, N>,
    pub dy: &'a [f32],
    pub mean: [f32; N],
    /// Of the forward pass, where what it gave below 0 was cut off: no cotangent comes from there.
    pub rectified: Option<[[f32; N]; 2]>,
}

/// The cotangent where `x * scale + shift` is above 0, worked out as the forward pass did.
#[inline(always)]
fn rectify<S: Simd>(simd: S, dy: S::f32s, x: S::f32s, scale: S::f32s, shift: S::f32s) -> S::f32s {
    let zero = simd.splat_f32s(0.0);
    simd.select_f32s(simd.less_than_f32s(zero, simd.mul_add_f32s(x, scale, shift)), dy, zero)
}

impl<const N: usize> WithSimd for Sums<'_, N> {
    type Output = [[f32; N]; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [[f32; N]; 2] {
        match self.rectified {
            Some(factors) => self.run::<S, true>(simd, factors),
            None => self.run::<S, false>(simd, [[0.0; N]; 2]),
        }
    }
}

impl<const N: usize> Sums<'_, N> {
    #[inline(always)]
    fn run<S: Simd, const RECTIFY: bool>(&self, simd: S, factors: [[f32; N]; 2]) -> [[f32; N]; 2] {
        let ((x, _), (dy, _)) = (S::as_simd_f32s(self.tile.x), S::as_simd_f32s(self.dy));
        let (pixel, own, _) = self.tile.places::<S>();
        let parts = SIDE / S::F32_LANES;
        let mean = Tile::wide(simd, self.mean);
        let (scale, shift) = (Tile::wide(simd, factors[0]), Tile::wide(simd, factors[1]));
        let (mut sums, mut along) = ([simd.splat_f32s(0.0); N], [simd.splat_f32s(0.0); N]);
        for (x, dy) in x.chunks_exact(pixel).zip(dy.chunks_exact(pixel)) {
            let (x, dy) = (&x[own.clone()], &dy[own.clone()]);
            for c in 0..N {
                for at in c * parts..(c + 1) * parts {
                    let dy = if RECTIFY { rectify(simd, dy[at], x[at], scale[c], shift[c]) } else { dy[at] };
                    sums[c] = simd.add_f32s(sums[c], dy);
                    along[c] = simd.mul_add_f32s(dy, simd.sub_f32s(x[at], mean[c]), along[c]);
                }
            }
        }
        [Tile::<N>::totals(simd, sums), Tile::<N>::totals(simd, along)]
    }
}

/// `dx = dy * own + (x - mean) * along + shift`, or `+=` that, for the rows that there are.
pub(super) struct Pull<'a, const N: usize> {
    pub tile: Tile<'a, N>,
    pub dy: &'a [f32],
    pub dx: &'a mut [f32],
    pub mean: [f32; N],
    /// `own`, `along` and `shift`.
    pub factors: [[f32; N]; 3],
    /// As in [`Sums`].
    pub rectified: Option<[[f32; N]; 2]>,
    pub accumulate: bool,
}

impl<const N: usize> WithSimd for Pull<'_, N> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match (self.rectified, self.accumulate) {
            (Some(factors), true) => self.run::<S, true, true>(simd, factors),
            (Some(factors), false) => self.run::<S, true, false>(simd, factors),
            (None, true) => self.run::<S, false, true>(simd, [[0.0; N]; 2]),
            (None, false) => self.run::<S, false, false>(simd, [[0.0; N]; 2]),
        }
    }
}

impl<const N: usize> Pull<'_, N> {
    #[inline(always)]
    fn run<S: Simd, const RECTIFY: bool, const ADD: bool>(self, simd: S, rectified: [[f32; N]; 2]) {
        let (x, dy) = (S::as_simd_f32s(self.tile.x).0, S::as_simd_f32s(self.dy).0);
        let (dx, mask) = (S::as_mut_simd_f32s(self.dx).0, S::as_simd_f32s(&self.tile.last).0);
        let (pixel, tile, last) = self.tile.places::<S>();
        let parts = mask.len();
        // `(x - mean) * along + shift` as `x * along + offset` would lose the digits of a large mean.
        let mean = Tile::wide(simd, self.mean);
        let [own, along, shift] = self.factors;
        let (own, along, shift) = (Tile::wide(simd, own), Tile::wide(simd, along), Tile::wide(simd, shift));
        let (scale, offset) = (Tile::wide(simd, rectified[0]), Tile::wide(simd, rectified[1]));
        let pixels = x.chunks_exact(pixel).zip(dy.chunks_exact(pixel)).zip(dx.chunks_exact_mut(pixel));
        for (i, ((x, dy), dx)) in pixels.enumerate() {
            let (x, dy, dx) = (&x[tile.clone()], &dy[tile.clone()], &mut dx[tile.clone()]);
            let in_last = i * pixel >= last;
            for c in 0..N {
                for part in 0..parts {
                    let at = c * parts + part;
                    let dy = if RECTIFY { rectify(simd, dy[at], x[at], scale[c], offset[c]) } else { dy[at] };
                    let rest = simd.mul_add_f32s(simd.sub_f32s(x[at], mean[c]), along[c], shift[c]);
                    let mut v = simd.mul_add_f32s(dy, own[c], rest);
                    if in_last {
                        v = simd.mul_f32s(v, mask[part]);
                    }
                    dx[at] = if ADD { simd.add_f32s(dx[at], v) } else { v };
                }
            }
        }
    }
}
