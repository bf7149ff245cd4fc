//! Batch normalisation: `y = activation(n * gain + bias)`, `n = (x - mean) * s`, `s = 1 / sqrt(var + epsilon)` for every
//! channel. While training, mean and variance are those over all pixels of the lane's rows: a lane is a ghost batch
//! (Hoffer et al. 2017), so lanes need not wait for each other. Otherwise they are running averages, which the update
//! moves by what the lanes leave as the "gradient" of these two parameters: their mean and (unbiased) variance times
//! their rows.

use super::{Kernel, Lane, activation, around, read_write, vectorized};
use crate::plan::{SIDE, Wiring};
use polytask_graph::Activation;
use std::ops::Range;

pub(super) struct BatchNorm {
    pub epsilon: f32,
    pub channels: usize,
    pub activation: Activation,
    /// Saved: every channel's mean, then its variance, then the pre-activation where its derivative needs it.
    pub wiring: Wiring,
}

/// One feature of a block.
type Wide = [f32; SIDE];

/// Channels worked on at once: what they read stays in the nearer caches from one pass to the next.
const TILE: usize = 4;

/// Scalars a row that hold a lane's statistics, which it has once. A lane has at least [`SIDE`] rows.
pub(super) fn saved_width(channels: usize) -> usize {
    (2 * channels).div_ceil(SIDE)
}

/// The values of a few channels, and how a lane's last block is filled.
#[derive(Clone, Copy)]
struct Tile<'a> {
    x: &'a [Wide],
    channels: usize,
    first: usize,
    /// Vectors in a block.
    block: usize,
    /// 1 for the rows of the last block that there are, 0 for those that fill it up.
    last: Wide,
    /// Pixels of all rows.
    count: f32,
}

impl Tile<'_> {
    /// Mean and variance. Measured from the mean of the first pixel, a channel that hardly varies around a large value
    /// loses no digits.
    #[inline(always)]
    fn moments<const N: usize>(self) -> [[f32; N]; 2] {
        let origin: [f32; N] =
            std::array::from_fn(|c| self.x.get(self.first + c).map_or(0.0, |x| x.iter().sum::<f32>() / SIDE as f32));
        let (mut sums, mut squares) = ([[0.0f32; SIDE]; N], [[0.0f32; SIDE]; N]);
        self.blocks(|block, mask| {
            for pixel in block.chunks_exact(self.channels) {
                for (c, x) in pixel[self.first..self.first + N].iter().enumerate() {
                    for l in 0..SIDE {
                        let v = (x[l] - origin[c]) * mask[l];
                        sums[c][l] += v;
                        squares[c][l] += v * v;
                    }
                }
            }
        });
        let total = |wide: &Wide| wide.iter().sum::<f32>() / self.count;
        let shift: [f32; N] = std::array::from_fn(|c| total(&sums[c]));
        [
            std::array::from_fn(|c| origin[c] + shift[c]),
            std::array::from_fn(|c| (total(&squares[c]) - shift[c] * shift[c]).max(0.0)),
        ]
    }

    /// Calls `each` with every block and which of its rows there are.
    #[inline(always)]
    fn blocks(&self, mut each: impl FnMut(&[Wide], &Wide)) {
        let blocks = self.x.len() / self.block;
        for (i, block) in self.x.chunks_exact(self.block).enumerate() {
            each(block, if i + 1 == blocks { &self.last } else { &[1.0; SIDE] });
        }
    }

    /// `y = x * scale + shift`, at least `least`.
    #[inline(always)]
    fn scale<const N: usize>(&self, y: &mut [Wide], [scale, shift]: [[f32; N]; 2], least: f32) {
        for (x, y) in self.x.chunks_exact(self.channels).zip(y.chunks_exact_mut(self.channels)) {
            let range = self.first..self.first + N;
            for (c, (x, y)) in x[range.clone()].iter().zip(&mut y[range]).enumerate() {
                for l in 0..SIDE {
                    y[l] = (x[l] * scale[c] + shift[c]).max(least);
                }
            }
        }
    }

    /// `sum c` and `sum c (x - mean)`. Rows that are not there have no cotangent.
    #[inline(always)]
    fn sums<const N: usize>(&self, dy: &[Wide], mean: [f32; N]) -> [[f32; N]; 2] {
        let (mut sums, mut along) = ([[0.0f32; SIDE]; N], [[0.0f32; SIDE]; N]);
        for (x, dy) in self.x.chunks_exact(self.channels).zip(dy.chunks_exact(self.channels)) {
            let range = self.first..self.first + N;
            for (c, (x, dy)) in x[range.clone()].iter().zip(&dy[range]).enumerate() {
                for l in 0..SIDE {
                    sums[c][l] += dy[l];
                    along[c][l] += dy[l] * (x[l] - mean[c]);
                }
            }
        }
        [sums.map(|s| s.iter().sum()), along.map(|s| s.iter().sum())]
    }

    /// `dx = c * own + (x - mean) * along + shift`, or `+=` that, for the rows that there are.
    #[inline(always)]
    fn pull<const N: usize>(
        &self,
        dy: &[Wide],
        dx: &mut [Wide],
        mean: [f32; N],
        [own, along, shift]: [[f32; N]; 3],
        accumulate: bool,
    ) {
        let pairs = dy.chunks_exact(self.block).zip(dx.chunks_exact_mut(self.block));
        let mut pairs = pairs;
        self.blocks(|x, mask| {
            let Some((dy, dx)) = pairs.next() else { return };
            let pixels = dy.chunks_exact(self.channels).zip(dx.chunks_exact_mut(self.channels));
            for (x, (dy, dx)) in x.chunks_exact(self.channels).zip(pixels) {
                for c in 0..N {
                    let (x, dy, dx) = (&x[self.first + c], &dy[self.first + c], &mut dx[self.first + c]);
                    for l in 0..SIDE {
                        let v = (dy[l] * own[c] + ((x[l] - mean[c]) * along[c] + shift[c])) * mask[l];
                        dx[l] = if accumulate { dx[l] + v } else { v };
                    }
                }
            }
        });
    }
}

impl BatchNorm {
    /// A few channels of the inputs of so many elements.
    fn tile<'a>(&self, x: &'a [f32], count: usize, first: usize) -> Tile<'a> {
        let width = self.wiring.out.width;
        let filled = count + SIDE - count.next_multiple_of(SIDE);
        Tile {
            x: x.as_chunks::<SIDE>().0,
            channels: self.channels,
            first,
            block: width,
            last: std::array::from_fn(|l| f32::from(u8::from(l < filled))),
            count: (count * (width / self.channels)) as f32,
        }
    }

    fn values<'a>(&self, lane: &Lane<'a>) -> [&'a [f32]; 4] {
        [0, 1, 2, 3].map(|i| &lane.values[self.wiring.parameters[i].value.clone()])
    }

    /// A few channels forward.
    fn forward<const N: usize>(&self, lane: &mut Lane<'_>, first: usize) {
        let w = &self.wiring;
        let [gain, bias, means, variances] = self.values(lane);
        let some = |of: &[f32]| -> [f32; N] { std::array::from_fn(|c| of[first + c]) };
        let count = lane.count(w.out);
        let (x, y) = read_write(lane.arena, lane.range(w.inputs[0]), lane.range(w.out));
        let tile = self.tile(x, count, first);
        let least = if self.activation == Activation::Relu { 0.0 } else { f32::NEG_INFINITY };
        let [mean, variance] = vectorized(
            #[inline(always)]
            || {
                let [mean, variance] = match lane.noise {
                    Some(_) => tile.moments::<N>(),
                    None => [some(means), some(variances)],
                };
                let scale: [f32; N] = std::array::from_fn(|c| gain[first + c] / (variance[c] + self.epsilon).sqrt());
                let shift = std::array::from_fn(|c| bias[first + c] - mean[c] * scale[c]);
                tile.scale(y.as_chunks_mut::<SIDE>().0, [scale, shift], least);
                [mean, variance]
            },
        );
        if w.saved.width > 0 {
            let saved = &mut lane.values_mut(w.saved)[first..];
            saved[..N].copy_from_slice(&mean);
            saved[self.channels..][..N].copy_from_slice(&variance);
        }
    }

    /// A few channels backward, for all copies of the cotangent.
    fn backward<const N: usize>(&self, lane: &mut Lane<'_>, first: usize) {
        let w = &self.wiring;
        let saved = &lane.arena[lane.range(w.saved)][first..];
        let mean: [f32; N] = std::array::from_fn(|c| saved[c]);
        let variance: [f32; N] = std::array::from_fn(|c| saved[self.channels + c]);
        let s = variance.map(|v| 1.0 / (v + self.epsilon).sqrt());
        let [gain, ..] = self.values(lane);
        let (x, elements) = (lane.range(w.inputs[0]), lane.count(w.out));
        let count = (elements * (w.out.width / self.channels)) as f32;
        for copy in 0..w.copies {
            let own = lane.copies(w.cotangent, copy, 1);
            let tile = self.tile(&lane.arena[x.clone()], elements, first);
            let dy = lane.arena[own.clone()].as_chunks::<SIDE>().0;
            let [sums, along] = vectorized(
                #[inline(always)]
                || tile.sums::<N>(dy, mean),
            );
            for (which, wire) in w.parameters[..2].iter().enumerate() {
                for run in wire.runs.iter().filter(|r| (r.from..r.from + r.len).contains(&copy)) {
                    let gradient = &mut lane.gradient[wire.copy(run.to + copy - run.from)][first..first + N];
                    for (c, gradient) in gradient.iter_mut().enumerate() {
                        let sum = if which == 0 { along[c] * s[c] } else { sums[c] };
                        *gradient = if run.accumulate { *gradient + sum } else { sum };
                    }
                }
            }
            let Some(flow) = &w.flows[0] else { continue };
            let factors = [
                std::array::from_fn(|c| gain[first + c] * s[c]),
                std::array::from_fn(|c| -gain[first + c] * s[c] * s[c] * s[c] * along[c] / count),
                std::array::from_fn(|c| -gain[first + c] * s[c] * sums[c] / count),
            ];
            for run in flow.runs.iter().filter(|r| (r.from..r.from + r.len).contains(&copy)) {
                let into = lane.copies(flow.into, run.to + copy - run.from, 1);
                let (others, dx) = around(lane, into);
                let tile = self.tile(others.get(x.clone()), elements, first);
                let (dy, dx) = (others.get(own.clone()).as_chunks::<SIDE>().0, dx.as_chunks_mut::<SIDE>().0);
                vectorized(
                    #[inline(always)]
                    || tile.pull::<N>(dy, dx, mean, factors, run.accumulate),
                );
            }
        }
        let unbiased = count / (count - 1.0).max(1.0);
        for (wire, values) in w.parameters[2..].iter().zip([mean, variance.map(|v| v * unbiased)]) {
            for (gradient, value) in lane.gradient[wire.copy(0)][first..].iter_mut().zip(values) {
                *gradient = value * elements as f32;
            }
        }
    }

    /// Where the pre-activation is saved.
    fn saved(&self, lane: &Lane<'_>) -> Range<usize> {
        let saved = lane.range(self.wiring.saved);
        let own = lane.elements(self.wiring.saved).filled(self.wiring.saved) * saved_width(self.channels);
        saved.start + own..saved.end
    }
}

impl Kernel for BatchNorm {
    fn forward(&self, lane: &mut Lane<'_>) {
        let tiled = self.channels - self.channels % TILE;
        (0..tiled).step_by(TILE).for_each(|first| self.forward::<TILE>(lane, first));
        (tiled..self.channels).for_each(|first| self.forward::<1>(lane, first));
        activation::follow(lane, self.activation, lane.range(self.wiring.out), self.saved(lane));
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        if self.wiring.copies == 0 {
            return;
        }
        for copy in 0..self.wiring.copies {
            let own = lane.copies(self.wiring.cotangent, copy, 1);
            activation::retrace(lane, self.activation, lane.range(self.wiring.out), self.saved(lane), own);
        }
        let tiled = self.channels - self.channels % TILE;
        (0..tiled).step_by(TILE).for_each(|first| self.backward::<TILE>(lane, first));
        (tiled..self.channels).for_each(|first| self.backward::<1>(lane, first));
    }
}
