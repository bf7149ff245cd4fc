//! The gradient of a bias: sums over rows and pixels, by channel.
//!
//! Vector operations are called by name: a loop over numbers with a choice in it does not always become one of vectors.

#![allow(
    clippy::needless_range_loop,
    reason = "loops over counted registers are unrolled; iterators there are not always"
)]

use crate::wiring::SIDE;
use pulp::{Simd, WithSimd};

/// `dy = 0` where `y` is not above it, and `sums += sum over rows and pixels of dy`, by channel.
pub(super) fn rectify_and_sum(dy: &mut [f32], y: &[f32], sums: &mut [f32]) {
    pulp::Arch::new().dispatch(Rectified { dy, y, sums });
}

/// `sums += sum over rows and pixels of values`, by channel.
pub(in crate::kernels) fn sum_pixels(values: &[f32], sums: &mut [f32]) {
    pulp::Arch::new().dispatch(Plain { values, sums });
}

struct Rectified<'a> {
    dy: &'a mut [f32],
    y: &'a [f32],
    sums: &'a mut [f32],
}

struct Plain<'a> {
    values: &'a [f32],
    sums: &'a mut [f32],
}

/// Calls a function that works on so many channels with the first of each few.
macro_rules! by_channels {
    ($channels:expr, $some:ident, $($argument:expr),*) => {
        let (channels, mut first) = ($channels, 0);
        while first < channels {
            match channels - first {
                8.. => { $some::<S, 8>($($argument),*, first); first += 8 }
                4.. => { $some::<S, 4>($($argument),*, first); first += 4 }
                2.. => { $some::<S, 2>($($argument),*, first); first += 2 }
                _ => { $some::<S, 1>($($argument),*, first); first += 1 }
            }
        }
    };
}

impl WithSimd for Rectified<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ((dy, _), (y, _)) = (S::as_mut_simd_f32s(self.dy), S::as_simd_f32s(self.y));
        by_channels!(self.sums.len(), rectify, simd, dy, y, self.sums);
    }
}

impl WithSimd for Plain<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (values, _) = S::as_simd_f32s(self.values);
        by_channels!(self.sums.len(), add, simd, values, self.sums);
    }
}

#[inline(always)]
fn rectify<S: Simd, const N: usize>(simd: S, dy: &mut [S::f32s], y: &[S::f32s], sums: &mut [f32], first: usize) {
    let parts = SIDE / S::F32_LANES;
    let (pixel, own) = (sums.len() * parts, first * parts..(first + N) * parts);
    let zero = simd.splat_f32s(0.0);
    let mut wide = [zero; N];
    for (dy, y) in dy.chunks_exact_mut(pixel).zip(y.chunks_exact(pixel)) {
        let (dy, y) = (&mut dy[own.clone()], &y[own.clone()]);
        for c in 0..N {
            for at in c * parts..(c + 1) * parts {
                let left = simd.select_f32s(simd.less_than_f32s(zero, y[at]), dy[at], zero);
                dy[at] = left;
                wide[c] = simd.add_f32s(wide[c], left);
            }
        }
    }
    put(simd, wide, &mut sums[first..]);
}

#[inline(always)]
fn add<S: Simd, const N: usize>(simd: S, values: &[S::f32s], sums: &mut [f32], first: usize) {
    let parts = SIDE / S::F32_LANES;
    let (pixel, own) = (sums.len() * parts, first * parts..(first + N) * parts);
    let mut wide = [simd.splat_f32s(0.0); N];
    for values in values.chunks_exact(pixel) {
        let values = &values[own.clone()];
        for c in 0..N {
            for at in c * parts..(c + 1) * parts {
                wide[c] = simd.add_f32s(wide[c], values[at]);
            }
        }
    }
    put(simd, wide, &mut sums[first..]);
}

#[inline(always)]
fn put<S: Simd, const N: usize>(simd: S, wide: [S::f32s; N], sums: &mut [f32]) {
    for c in 0..N {
        sums[c] += simd.reduce_sum_f32s(wide[c]);
    }
}
