//! The gradient of a convolution's weights: `dW[ky, kx, i, o] = sum over rows and outputs of x[.., i] dy[.., o]`.
//!
//! A tile of a few input channels and a few output channels stays in registers while the outputs of a few image rows
//! pass by; sixteen rows' sums are added up at the end.

use super::axis::Axis;
use crate::wiring::SIDE;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Adds to the gradient what some blocks give. Channels count per group.
pub(super) struct WeightGradient<'a> {
    pub rows: &'a Axis,
    pub columns: &'a Axis,
    pub groups: usize,
    pub from: usize,
    pub to: usize,
    pub x: &'a [f32],
    pub dy: &'a [f32],
    pub gradient: &'a mut [f32],
    /// Height and width of the window.
    pub size: [usize; 2],
    /// Channels of the image, from one pixel to the next.
    pub x_pixel: usize,
}

/// Input and output channels of a tile at most.
const INPUTS: usize = 5;
const OUTPUTS: usize = 6;
/// Taps whose sums wait side by side.
const TAPS: usize = 8;
/// Outputs that pass by before the next tap has its turn: what they read stays in the nearest cache.
const OUTPUTS_AT_ONCE: usize = 64;
/// Scalars that a tile reads before the next one has its turn, a block at least: half of a second-level cache.
const SCALARS_AT_ONCE: usize = 128 * 1024;

type Sums<S> = [[<S as Simd>::f32s; OUTPUTS]; INPUTS];

impl WithSimd for WeightGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let parts = SIDE / S::F32_LANES;
        let (x, _) = S::as_simd_f32s(self.x);
        let (dy, _) = S::as_simd_f32s(self.dy);
        let (from, to) = (self.from, self.to);
        let [height, width] = self.size;
        let output_tiles = to.div_ceil(OUTPUTS);
        let wide = to.div_ceil(output_tiles);
        // Sums and what they are made of fit the registers.
        let most = match S::REGISTER_COUNT >= 32 {
            true => {
                if wide < OUTPUTS {
                    INPUTS
                } else {
                    INPUTS - 1
                }
            }
            false => 2,
        };
        let input_tiles = from.div_ceil(most);
        // What a tile reads stays in the second-level cache from one row of the window to the next.
        let pixels = [self.rows.sources * self.columns.sources, self.rows.outputs * self.columns.outputs];
        let a_block = (pixels[0] * most.min(from) + pixels[1] * wide) * SIDE;
        let blocks = (SCALARS_AT_ONCE / a_block.max(1)).max(1);
        let (image, result) = (pixels[0] * self.x_pixel * parts, pixels[1] * self.groups * to * parts);
        let mut sums: [Sums<S>; TAPS] = [[[simd.splat_f32s(0.0); OUTPUTS]; INPUTS]; TAPS];
        for (x, dy) in x.chunks(blocks * image).zip(dy.chunks(blocks * result)) {
            for (group, o) in (0..self.groups).flat_map(|group| (0..output_tiles).map(move |o| (group, o))) {
                let outputs = o * to / output_tiles..(o + 1) * to / output_tiles;
                for i in 0..input_tiles {
                    let inputs = i * from / input_tiles..(i + 1) * from / input_tiles;
                    let view = View::<S> {
                        rows: self.rows,
                        columns: self.columns,
                        x,
                        dy,
                        x_pixel: self.x_pixel * parts,
                        dy_pixel: self.groups * to * parts,
                        x_first: (group * from + inputs.start) * parts,
                        dy_first: (group * to + outputs.start) * parts,
                    };
                    for ky in 0..height {
                        for first in (0..width).step_by(TAPS) {
                            let taps = first..width.min(first + TAPS);
                            sums[..taps.len()].fill([[simd.splat_f32s(0.0); OUTPUTS]; INPUTS]);
                            view.taps(simd, ky, taps.clone(), inputs.len(), outputs.len(), &mut sums);
                            for (kx, sums) in taps.zip(&sums) {
                                for (row, sums) in inputs.clone().zip(sums) {
                                    let row = ((ky * width + kx) * from + row) * self.groups * to + group * to;
                                    let gradient = &mut self.gradient[row + outputs.start..row + outputs.end];
                                    for (g, sum) in gradient.iter_mut().zip(sums) {
                                        *g += simd.reduce_sum_f32s(*sum);
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What a tile reads.
struct View<'a, S: Simd> {
    rows: &'a Axis,
    columns: &'a Axis,
    x: &'a [S::f32s],
    dy: &'a [S::f32s],
    /// Vectors from one pixel to the next.
    x_pixel: usize,
    dy_pixel: usize,
    /// The tile's first channel.
    x_first: usize,
    dy_first: usize,
}

impl<S: Simd> View<'_, S> {
    const PARTS: usize = SIDE / S::F32_LANES;

    /// Some taps of one row of the window, over all blocks.
    #[inline(always)]
    fn taps(&self, simd: S, ky: usize, taps: Range<usize>, inputs: usize, outputs: usize, sums: &mut [Sums<S>; TAPS]) {
        let (rows, columns) = (self.rows, self.columns);
        let image = rows.sources * columns.sources * self.x_pixel;
        let result = rows.outputs * columns.outputs * self.dy_pixel;
        let (row_tap, column_taps) = (rows.phases[0][ky], &columns.phases[0]);
        let valid = rows.valid(0, row_tap.offset);
        let at_once = (OUTPUTS_AT_ONCE / columns.outputs).max(1);
        for (x, dy) in self.x.chunks_exact(image).zip(self.dy.chunks_exact(result)) {
            for first in valid.clone().step_by(at_once) {
                let ys = first..valid.end.min(first + at_once);
                for (kx, sums) in taps.clone().zip(&mut *sums) {
                    let tap = column_taps[kx];
                    let xs = columns.valid(0, tap.offset);
                    if xs.is_empty() {
                        continue;
                    }
                    let source = (ys.start * rows.stride) as isize + row_tap.offset;
                    let begin = (xs.start * columns.stride) as isize + tap.offset;
                    let pixel = source as usize * columns.sources + begin as usize;
                    let x = &x[(pixel * self.x_pixel + self.x_first)..];
                    let dy = &dy[(ys.start * columns.outputs + xs.start) * self.dy_pixel + self.dy_first..];
                    let count = [ys.len(), xs.len()];
                    macro_rules! tile {
                        ($inputs:literal) => {
                            match outputs {
                                6 => self.tile::<$inputs, 6>(simd, x, dy, count, sums),
                                5 => self.tile::<$inputs, 5>(simd, x, dy, count, sums),
                                4 => self.tile::<$inputs, 4>(simd, x, dy, count, sums),
                                3 => self.tile::<$inputs, 3>(simd, x, dy, count, sums),
                                2 => self.tile::<$inputs, 2>(simd, x, dy, count, sums),
                                _ => self.tile::<$inputs, 1>(simd, x, dy, count, sums),
                            }
                        };
                    }
                    match inputs {
                        5 => tile!(5),
                        4 => tile!(4),
                        3 => tile!(3),
                        2 => tile!(2),
                        _ => tile!(1),
                    }
                }
            }
        }
    }

    /// Some outputs of a few rows, from the given places on.
    #[inline(always)]
    fn tile<const IN: usize, const OUT: usize>(
        &self,
        simd: S,
        x: &[S::f32s],
        dy: &[S::f32s],
        [lines, count]: [usize; 2],
        all: &mut Sums<S>,
    ) {
        let mut sums = [[simd.splat_f32s(0.0); OUT]; IN];
        for i in 0..IN {
            for o in 0..OUT {
                sums[i][o] = all[i][o];
            }
        }
        let x_step = self.columns.stride * self.x_pixel;
        for line in 0..lines {
            let x = &x[line * self.rows.stride * self.columns.sources * self.x_pixel..];
            let dy = &dy[line * self.columns.outputs * self.dy_pixel..];
            for n in 0..count {
                let x = &x[n * x_step..][..IN * Self::PARTS];
                let dy = &dy[n * self.dy_pixel..][..OUT * Self::PARTS];
                for part in 0..Self::PARTS {
                    let mut own = [simd.splat_f32s(0.0); OUT];
                    for o in 0..OUT {
                        own[o] = dy[o * Self::PARTS + part];
                    }
                    for i in 0..IN {
                        let x = x[i * Self::PARTS + part];
                        for o in 0..OUT {
                            sums[i][o] = simd.mul_add_f32s(x, own[o], sums[i][o]);
                        }
                    }
                }
            }
        }
        for i in 0..IN {
            for o in 0..OUT {
                all[i][o] = sums[i][o];
            }
        }
    }
}
