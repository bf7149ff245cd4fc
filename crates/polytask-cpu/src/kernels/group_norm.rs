//! Group normalisation: `y = activation(n * gain + bias)`, `n = (x - mean) * s`, `s = 1 / sqrt(var + epsilon)` over the
//! pixels of a row and the channels of a group, for sixteen rows at a time.

use super::conv2d::sum_pixels;
use super::{Kernel, Lane, activation, disjoint, read_write, vectorized};
use crate::wiring::{SIDE, Wiring};
use polytask_graph::Activation;
use std::ops::Range;

pub(super) struct GroupNorm {
    pub epsilon: f32,
    pub groups: usize,
    pub channels: usize,
    pub activation: Activation,
    /// Saved: for every group of every row its mean, then `s`; then the activation's slope where the output does not tell it.
    pub wiring: Wiring,
}

/// One feature of a block.
type Wide = [f32; SIDE];

/// One block of a part of the arena that has so many features.
fn part(all: Range<usize>, block: usize, width: usize) -> Range<usize> {
    all.start + block * width * SIDE..all.start + (block + 1) * width * SIDE
}

#[inline(always)]
fn wide(f: impl FnMut(usize) -> f32) -> Wide {
    std::array::from_fn(f)
}

impl GroupNorm {
    /// The channels of a group.
    fn range(&self, group: usize) -> Range<usize> {
        let each = self.channels / self.groups;
        group * each..(group + 1) * each
    }

    /// Features that are normalised together.
    fn count(&self) -> f32 {
        (self.wiring.out.width / self.groups) as f32
    }

    /// Mean and `s` of a group of one block.
    #[inline(always)]
    fn moments(&self, x: &[Wide], group: usize) -> [Wide; 2] {
        let range = self.range(group);
        let mut sum = [0.0; SIDE];
        for x in x.chunks_exact(self.channels).flat_map(|pixel| &pixel[range.clone()]) {
            (0..SIDE).for_each(|l| sum[l] += x[l]);
        }
        let mean = wide(|l| sum[l] / self.count());
        let mut squares = [0.0; SIDE];
        for x in x.chunks_exact(self.channels).flat_map(|pixel| &pixel[range.clone()]) {
            (0..SIDE).for_each(|l| squares[l] += (x[l] - mean[l]) * (x[l] - mean[l]));
        }
        [mean, wide(|l| 1.0 / (squares[l] / self.count() + self.epsilon).sqrt())]
    }

    /// Where the means and `s` are saved, and where the activation's slope.
    fn saved(&self, lane: &Lane<'_>) -> [Range<usize>; 2] {
        let saved = lane.range(self.wiring.saved);
        let own = 2 * self.groups * lane.elements(self.wiring.saved).filled(self.wiring.saved);
        let middle = (saved.start + own).min(saved.end);
        [saved.start..middle, middle..saved.end]
    }

    /// Number of blocks.
    fn blocks(&self, lane: &Lane<'_>) -> usize {
        lane.count(self.wiring.out).div_ceil(SIDE)
    }

    /// `dgain = sum c n`; turns the cotangent into that of x:
    /// `s * (c' - mean(c') - n * mean(c' n))` with `c' = c * gain`.
    #[inline(always)]
    fn pull(&self, x: &[Wide], moments: &[Wide], dy: &mut [Wide], gain: &[f32], mut gradient: impl FnMut(usize, f32)) {
        for group in 0..self.groups {
            let (mean, s) = (&moments[2 * group], &moments[2 * group + 1]);
            let (mut own, mut along) = ([0.0; SIDE], [0.0; SIDE]);
            for c in self.range(group) {
                let mut sum = [0.0; SIDE];
                for (x, dy) in x.iter().zip(&mut *dy).skip(c).step_by(self.channels) {
                    for l in 0..SIDE {
                        let n = (x[l] - mean[l]) * s[l];
                        sum[l] += dy[l] * n;
                        dy[l] *= gain[c];
                        own[l] += dy[l];
                        along[l] += dy[l] * n;
                    }
                }
                gradient(c, sum.iter().sum());
            }
            let count = self.count();
            for c in self.range(group) {
                for (x, dy) in x.iter().zip(&mut *dy).skip(c).step_by(self.channels) {
                    for l in 0..SIDE {
                        let n = (x[l] - mean[l]) * s[l];
                        dy[l] = s[l] * (dy[l] - own[l] / count - n * (along[l] / count));
                    }
                }
            }
        }
    }
}

impl Kernel for GroupNorm {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let [gain, bias] = [0, 1].map(|i| &lane.values[w.parameters[i].value.clone()]);
        let (x, y, [moments_at, saved]) = (lane.range(w.inputs[0]), lane.range(w.out), self.saved(lane));
        for block in 0..self.blocks(lane) {
            for group in 0..self.groups {
                let part_of = |all: &Range<usize>| part(all.clone(), block, w.out.width);
                let (x, y) = read_write(lane.arena, part_of(&x), part_of(&y));
                let x = x.as_chunks::<SIDE>().0;
                let y = y.as_chunks_mut::<SIDE>().0;
                let moments = vectorized(
                    #[inline(always)]
                    || {
                        let [mean, s] = self.moments(x, group);
                        for c in self.range(group) {
                            for (x, y) in x.iter().zip(&mut *y).skip(c).step_by(self.channels) {
                                (0..SIDE).for_each(|l| y[l] = (x[l] - mean[l]) * s[l] * gain[c] + bias[c]);
                            }
                        }
                        [mean, s]
                    },
                );
                if w.saved.width > 0 {
                    let saved = &mut lane.arena[part(moments_at.clone(), block, 2 * self.groups)][2 * group * SIDE..];
                    saved[..2 * SIDE].copy_from_slice(moments.as_flattened());
                }
            }
        }
        if self.activation == Activation::Relu {
            let y = &mut lane.arena[y.clone()];
            vectorized(
                #[inline(always)]
                || y.iter_mut().for_each(|y| *y = y.max(0.0)),
            );
        }
        activation::follow(lane, self.activation, y, saved);
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let gain = &lane.values[w.parameters[0].value.clone()];
        let (x, [moments_at, saved]) = (lane.range(w.inputs[0]), self.saved(lane));
        for copy in 0..w.copies {
            let own = lane.copies(w.cotangent, copy, 1);
            activation::retrace(lane, self.activation, lane.range(w.out), saved.clone(), own.clone());
            for (which, wire) in w.parameters.iter().enumerate() {
                for run in wire.runs.iter().filter(|r| (r.from..r.from + r.len).contains(&copy)) {
                    let gradient = &mut lane.gradient[wire.copy(run.to + copy - run.from)];
                    if !run.accumulate {
                        gradient.fill(0.0);
                    }
                    if which == 1 {
                        sum_pixels(&lane.arena[own.clone()], gradient);
                    }
                }
            }
            for block in 0..self.blocks(lane) {
                let [dy, x, moments] = disjoint(
                    lane.arena,
                    [
                        part(own.clone(), block, w.out.width),
                        part(x.clone(), block, w.out.width),
                        part(moments_at.clone(), block, 2 * self.groups),
                    ],
                );
                let (x, moments) = (x.as_chunks::<SIDE>().0, moments.as_chunks::<SIDE>().0);
                let gradient = &mut *lane.gradient;
                let add = |c: usize, sum: f32| {
                    let wire = &w.parameters[0];
                    for run in wire.runs.iter().filter(|r| (r.from..r.from + r.len).contains(&copy)) {
                        gradient[wire.copy(run.to + copy - run.from)][c] += sum;
                    }
                };
                vectorized(
                    #[inline(always)]
                    || self.pull(x, moments, dy.as_chunks_mut::<SIDE>().0, gain, add),
                );
            }
        }
        if let Some(flow) = &w.flows[0] {
            super::for_each_copy(lane, w.cotangent, flow, super::put);
        }
    }
}
