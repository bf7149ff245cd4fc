//! The sweep of a convolution over blocks of sixteen rows: outputs that stay in registers while all that they read passes
//! by. Forward, outputs read the image; backward, its pixels read the outputs' cotangents.
//!
//! Vector operations stand in functions that are always inlined and in plain loops, never in a closure: one that the compiler
//! leaves a function of its own does not have the instructions it was dispatched for, and every operation in it becomes a
//! call.

use super::axis::{Axis, Tap, Tiling};
use crate::wiring::SIDE;
use pulp::{Simd, WithSimd};

/// A sweep over some blocks. Channels count per group.
pub(super) struct Sweep<'a> {
    pub rows: &'a Axis,
    pub columns: &'a Axis,
    /// Of the columns, in tiles of four and of two.
    pub tilings: &'a [Tiling; 2],
    pub groups: usize,
    /// Channels of the source and of the output.
    pub from: usize,
    pub to: usize,
    pub source: &'a [f32],
    pub out: &'a mut [f32],
    /// `window height x window width x channels of the image x all channels of the output`
    pub weight: &'a [f32],
    /// Width of the window.
    pub width: usize,
    /// Reads cotangents: the weight's last axis is that of the source.
    pub backward: bool,
    pub start: Start<'a>,
    /// Sums are cut off below 0 and above this.
    pub most: Option<f32>,
    /// A pixel outside the image.
    pub zeros: &'a [f32],
}

/// What outputs start from.
#[derive(Clone, Copy)]
pub(super) enum Start<'a> {
    Zero,
    Bias(&'a [f32]),
    /// What is there.
    Own,
}

/// Channels of a tile at most.
const WIDEST: usize = 6;

impl WithSimd for Sweep<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (source, _) = S::as_simd_f32s(self.source);
        let (zeros, _) = S::as_simd_f32s(self.zeros);
        let (out, _) = S::as_mut_simd_f32s(self.out);
        let image = self.rows.sources * self.columns.sources * self.groups * self.from * SIDE / S::F32_LANES;
        let result = self.rows.outputs * self.columns.outputs * self.groups * self.to * SIDE / S::F32_LANES;
        let mut work = Work {
            rows: self.rows,
            columns: self.columns,
            groups: self.groups,
            from: self.from,
            to: self.to,
            weight: self.weight,
            width: self.width,
            backward: self.backward,
            start: self.start,
            most: self.most,
            zeros,
            source: &[],
            out: &mut [],
        };
        // Tiles of four pixels and six channels fill thirty-two registers.
        let tiling = &self.tilings[if S::REGISTER_COUNT >= 32 { 0 } else { 1 }];
        for (source, out) in source.chunks_exact(image).zip(out.chunks_exact_mut(result)) {
            (work.source, work.out) = (source, out);
            work.block(simd, tiling);
        }
    }
}

/// A sweep over one block.
struct Work<'a, S: Simd> {
    rows: &'a Axis,
    columns: &'a Axis,
    groups: usize,
    from: usize,
    to: usize,
    weight: &'a [f32],
    width: usize,
    backward: bool,
    start: Start<'a>,
    most: Option<f32>,
    zeros: &'a [S::f32s],
    source: &'a [S::f32s],
    out: &'a mut [S::f32s],
}

/// A few neighbouring outputs of one row and phase, and a few of their channels.
#[derive(Clone, Copy)]
struct Tile<'a> {
    row: (usize, &'a [Tap]),
    column: (usize, &'a [Tap]),
    /// Numbers within their phases.
    y: usize,
    x: usize,
    group: usize,
    /// First channel within its group.
    channel: usize,
    /// Which vector of a block's sixteen rows.
    part: usize,
}

impl<S: Simd> Work<'_, S> {
    /// Vectors a feature of a block fills.
    const PARTS: usize = SIDE / S::F32_LANES;

    #[inline(always)]
    fn block(&mut self, simd: S, tiling: &Tiling) {
        let (rows, columns) = (self.rows, self.columns);
        for (row, row_taps) in rows.phases.iter().enumerate() {
            for y in 0..rows.count(row) {
                for ((column, column_taps), tiles) in columns.phases.iter().enumerate().zip(tiling) {
                    for &(x, pixels) in tiles {
                        let (row, column) = ((row, row_taps.as_slice()), (column, column_taps.as_slice()));
                        let tile = Tile { row, column, y, x, group: 0, channel: 0, part: 0 };
                        match pixels {
                            4 => self.pixels::<4>(simd, tile),
                            2 => self.pixels::<2>(simd, tile),
                            _ => self.pixels::<1>(simd, tile),
                        }
                    }
                }
            }
        }
    }

    /// All channels of a tile's pixels.
    #[inline(always)]
    fn pixels<const PX: usize>(&mut self, simd: S, mut tile: Tile<'_>) {
        let tiles = self.to.div_ceil(WIDEST);
        for group in 0..self.groups {
            tile.group = group;
            for i in 0..tiles {
                let end = (i + 1) * self.to / tiles;
                tile.channel = i * self.to / tiles;
                for part in 0..Self::PARTS {
                    tile.part = part;
                    match end - tile.channel {
                        6 => self.tile::<PX, 6>(simd, tile),
                        5 => self.tile::<PX, 5>(simd, tile),
                        4 => self.tile::<PX, 4>(simd, tile),
                        3 => self.tile::<PX, 3>(simd, tile),
                        2 => self.tile::<PX, 2>(simd, tile),
                        _ => self.tile::<PX, 1>(simd, tile),
                    }
                }
            }
        }
    }

    #[inline(always)]
    fn tile<const PX: usize, const CH: usize>(&mut self, simd: S, tile: Tile<'_>) {
        let place = |p: usize| {
            let y = tile.row.0 + self.rows.step * tile.y;
            let x = tile.column.0 + self.columns.step * (tile.x + p);
            let pixel = y * self.columns.outputs + x;
            (pixel * self.groups * self.to + tile.group * self.to + tile.channel) * Self::PARTS + tile.part
        };
        let mut sums = [[simd.splat_f32s(0.0); CH]; PX];
        match self.start {
            Start::Zero => {}
            Start::Bias(bias) => {
                let bias = &bias[tile.group * self.to + tile.channel..][..CH];
                for c in 0..CH {
                    sums[0][c] = simd.splat_f32s(bias[c]);
                }
                sums = [sums[0]; PX];
            }
            Start::Own => {
                for (p, sums) in sums.iter_mut().enumerate() {
                    let own = &self.out[place(p)..][..(CH - 1) * Self::PARTS + 1];
                    for (sum, own) in sums.iter_mut().zip(own.iter().step_by(Self::PARTS)) {
                        *sum = *own;
                    }
                }
            }
        }
        for row_tap in tile.row.1 {
            let Some(y) = self.rows.source(tile.y, *row_tap) else { continue };
            // Taps side by side that read pixels side by side are one run of channels.
            let mut taps = tile.column.1;
            while let Some(first) = taps.first() {
                let begin = (tile.x * self.columns.stride) as isize + first.offset;
                let joined = self.joined(taps);
                let end = begin + ((PX - 1) * self.columns.stride + joined) as isize;
                let k = row_tap.k * self.width + first.k;
                if begin >= 0 && end <= self.columns.sources as isize {
                    let run = joined * self.from;
                    let mut read: [&[S::f32s]; PX] = [&[]; PX];
                    for (p, read) in read.iter_mut().enumerate() {
                        let pixel = y * self.columns.sources + begin as usize + p * self.columns.stride;
                        *read = self.pixel(pixel, tile.group, run);
                    }
                    self.add(simd, &mut sums, read, k, tile);
                    taps = &taps[joined..];
                } else {
                    let mut read: [&[S::f32s]; PX] = [&self.zeros[..self.from * Self::PARTS]; PX];
                    let mut inside = false;
                    for (p, read) in read.iter_mut().enumerate() {
                        if let Some(x) = self.columns.source(tile.x + p, *first) {
                            *read = self.pixel(y * self.columns.sources + x, tile.group, self.from);
                            inside = true;
                        }
                    }
                    if inside {
                        self.add(simd, &mut sums, read, k, tile);
                    }
                    taps = &taps[1..];
                }
            }
        }
        let (zero, most) = (simd.splat_f32s(0.0), simd.splat_f32s(self.most.unwrap_or(f32::INFINITY)));
        for (p, sums) in sums.iter().enumerate() {
            let own = &mut self.out[place(p)..][..(CH - 1) * Self::PARTS + 1];
            for (own, sum) in own.iter_mut().step_by(Self::PARTS).zip(sums) {
                *own = match self.most {
                    Some(_) => simd.min_f32s(simd.max_f32s(*sum, zero), most),
                    None => *sum,
                };
            }
        }
    }

    /// How many of the first taps have weights and sources side by side.
    #[inline(always)]
    fn joined(&self, taps: &[Tap]) -> usize {
        if self.groups > 1 || self.backward {
            return 1;
        }
        let next = |pair: &&[Tap]| pair[1].k == pair[0].k + 1 && pair[1].offset == pair[0].offset + 1;
        1 + taps.windows(2).take_while(next).count()
    }

    /// A number of channels from a group's first at a pixel on.
    #[inline(always)]
    fn pixel(&self, pixel: usize, group: usize, channels: usize) -> &[S::f32s] {
        &self.source[(pixel * self.groups + group) * self.from * Self::PARTS..][..channels * Self::PARTS]
    }

    /// Adds the products of a run of source channels with the weights from tap `k` on.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "rows are read side by side")]
    fn add<const PX: usize, const CH: usize>(
        &self,
        simd: S,
        sums: &mut [[S::f32s; CH]; PX],
        read: [&[S::f32s]; PX],
        k: usize,
        tile: Tile<'_>,
    ) {
        let run = read[0].len() / Self::PARTS;
        if self.backward {
            // A row of the weight for every output channel.
            let stride = self.groups * self.from;
            let mut rows: [&[f32]; CH] = [&[]; CH];
            for (c, row) in rows.iter_mut().enumerate() {
                let first = (k * self.to + tile.channel + c) * stride + tile.group * self.from;
                *row = &self.weight[first..][..run];
            }
            for j in 0..run {
                let mut weights = [0.0; CH];
                for c in 0..CH {
                    weights[c] = rows[c][j];
                }
                multiply::<S, PX, CH>(simd, sums, &read, j * Self::PARTS + tile.part, &weights);
            }
        } else {
            // A row of the weight for every source channel.
            let stride = self.groups * self.to;
            let rows = self.weight[k * self.from * stride..][..run * stride].chunks_exact(stride);
            for (j, row) in rows.enumerate() {
                let (weights, _) = row[tile.group * self.to + tile.channel..][..CH].as_chunks::<CH>();
                multiply::<S, PX, CH>(simd, sums, &read, j * Self::PARTS + tile.part, &weights[0]);
            }
        }
    }
}

/// Adds the products of one source channel, at `place` of what each pixel reads, with its weights.
#[inline(always)]
fn multiply<S: Simd, const PX: usize, const CH: usize>(
    simd: S,
    sums: &mut [[S::f32s; CH]; PX],
    read: &[&[S::f32s]; PX],
    place: usize,
    weights: &[f32; CH],
) {
    let mut source = [simd.splat_f32s(0.0); PX];
    for p in 0..PX {
        source[p] = read[p][place];
    }
    for c in 0..CH {
        let weight = simd.splat_f32s(weights[c]);
        for p in 0..PX {
            sums[p][c] = simd.mul_add_f32s(source[p], weight, sums[p][c]);
        }
    }
}
