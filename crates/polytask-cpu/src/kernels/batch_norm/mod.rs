//! Batch normalisation: `y = activation(n * gain + bias)`, `n = (x - mean) * s`, `s = 1 / sqrt(var + epsilon)` for every
//! channel. While training, mean and variance are those over all pixels of the lane's rows: a lane is a ghost batch
//! (Hoffer et al. 2017), so lanes need not wait for each other. Otherwise they are running averages, which the update
//! moves by what the lanes leave as the "gradient" of these two parameters: their mean and (unbiased) variance times
//! their rows.

mod tile;

use super::{Kernel, Lane, activation, around, read_write};
use crate::wiring::{SIDE, Wiring};
use polytask_graph::Activation;
use std::ops::Range;
use tile::{Moments, Pull, Scale, Sums, Tile};

pub(super) struct BatchNorm {
    pub epsilon: f32,
    pub channels: usize,
    pub activation: Activation,
    /// Saved: every channel's mean, then its variance, then the activation's slope where the output does not tell it.
    pub wiring: Wiring,
}

/// Channels worked on at once: what they read stays in the nearer caches from one pass to the next.
const TILE: usize = 4;

/// Scalars a row that hold a lane's statistics, which it has once. A lane has at least [`SIDE`] rows.
pub(super) fn saved_width(channels: usize) -> usize {
    (2 * channels).div_ceil(SIDE)
}

impl BatchNorm {
    /// A few channels of the inputs of so many elements.
    fn tile<'a, const N: usize>(&self, x: &'a [f32], count: usize, first: usize) -> Tile<'a, N> {
        let width = self.wiring.out.width;
        let filled = count + SIDE - count.next_multiple_of(SIDE);
        Tile {
            x,
            channels: self.channels,
            first,
            width,
            last: std::array::from_fn(|l| f32::from(u8::from(l < filled))),
            count: (count * (width / self.channels)) as f32,
        }
    }

    /// What x is multiplied with, and what is added to it.
    fn factors<const N: usize>(&self, lane: &Lane<'_>, first: usize, [mean, variance]: [[f32; N]; 2]) -> [[f32; N]; 2] {
        let [gain, bias, ..] = self.values(lane);
        let scale: [f32; N] = std::array::from_fn(|c| gain[first + c] / (variance[c] + self.epsilon).sqrt());
        [scale, std::array::from_fn(|c| bias[first + c] - mean[c] * scale[c])]
    }

    fn values<'a>(&self, lane: &Lane<'a>) -> [&'a [f32]; 4] {
        [0, 1, 2, 3].map(|i| &lane.values[self.wiring.parameters[i].value.clone()])
    }

    /// A few channels forward.
    fn forward<const N: usize>(&self, lane: &mut Lane<'_>, first: usize) {
        let w = &self.wiring;
        let [.., means, variances] = self.values(lane);
        let some = |of: &[f32]| -> [f32; N] { std::array::from_fn(|c| of[first + c]) };
        let (count, input) = (lane.count(w.out), lane.range(w.inputs[0]));
        let [mean, variance] = match lane.noise {
            Some(_) => pulp::Arch::new().dispatch(Moments(self.tile(&lane.arena[input.clone()], count, first))),
            None => [some(means), some(variances)],
        };
        let factors = self.factors(lane, first, [mean, variance]);
        let least = if self.activation == Activation::Relu { 0.0 } else { f32::NEG_INFINITY };
        let (x, y) = read_write(lane.arena, input, lane.domains[w.out.domain].range(w.out));
        pulp::Arch::new().dispatch(Scale { tile: self.tile(x, count, first), y, factors, least });
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
        let rectified = (self.activation == Activation::Relu).then(|| self.factors(lane, first, [mean, variance]));
        let count = (elements * (w.out.width / self.channels)) as f32;
        for copy in 0..w.copies {
            let own = lane.copies(w.cotangent, copy, 1);
            let tile = self.tile(&lane.arena[x.clone()], elements, first);
            let dy = &lane.arena[own.clone()];
            let [sums, along] = pulp::Arch::new().dispatch(Sums { tile, dy, mean, rectified });
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
                let (dy, accumulate) = (others.get(own.clone()), run.accumulate);
                pulp::Arch::new().dispatch(Pull { tile, dy, dx, mean, factors, rectified, accumulate });
            }
        }
        let unbiased = count / (count - 1.0).max(1.0);
        for (wire, values) in w.parameters[2..].iter().zip([mean, variance.map(|v| v * unbiased)]) {
            for (gradient, value) in lane.gradient[wire.copy(0)][first..].iter_mut().zip(values) {
                *gradient = value * elements as f32;
            }
        }
    }

    /// Where the activation's slope is saved.
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
        // The cotangents of a rectified output are cut off where they are read.
        let others = if self.activation == Activation::Relu { 0 } else { self.wiring.copies };
        for copy in 0..others {
            let own = lane.copies(self.wiring.cotangent, copy, 1);
            activation::retrace(lane, self.activation, lane.range(self.wiring.out), self.saved(lane), own);
        }
        let tiled = self.channels - self.channels % TILE;
        (0..tiled).step_by(TILE).for_each(|first| self.backward::<TILE>(lane, first));
        (tiled..self.channels).for_each(|first| self.backward::<1>(lane, first));
    }
}
