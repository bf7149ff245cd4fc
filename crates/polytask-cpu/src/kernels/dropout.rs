//! Dropout. No mask is stored: the backward pass draws the same again.

use super::noise::Mask;
use super::{Kernel, Lane, for_each_copy, read_write, vectorized};
use crate::wiring::{SIDE, Wiring};

pub(super) struct Dropout {
    pub rate: f32,
    pub node: u64,
    pub wiring: Wiring,
}

impl Dropout {
    /// `into = from * mask / (1 - rate)`, or `into +=` that.
    fn mask(&self, noise: u64, first: usize, from: &[f32], into: &mut [f32], accumulate: bool) {
        let width = self.wiring.out.width;
        if self.wiring.out.blocked {
            return self.mask_blocks(noise, first, from, into, accumulate);
        }
        let keep = 1.0 / (1.0 - self.rate);
        let mask = Mask::new(noise, self.node, self.rate);
        vectorized(
            #[inline(always)]
            || {
                for (row, (from, into)) in from.chunks_exact(width).zip(into.chunks_exact_mut(width)).enumerate() {
                    let key = mask.row(first + row);
                    for (j, (f, i)) in from.iter().zip(into).enumerate() {
                        let kept = if mask.keeps(key, j) { f * keep } else { 0.0 };
                        *i = if accumulate { *i + kept } else { kept };
                    }
                }
            },
        );
    }
}

impl Dropout {
    /// The same mask for features that lie in blocks.
    fn mask_blocks(&self, noise: u64, first: usize, from: &[f32], into: &mut [f32], accumulate: bool) {
        let width = self.wiring.out.width;
        let keep = 1.0 / (1.0 - self.rate);
        let mask = Mask::new(noise, self.node, self.rate);
        let blocks = from.chunks_exact(width * SIDE).zip(into.chunks_exact_mut(width * SIDE));
        for (block, (from, into)) in blocks.enumerate() {
            let keys: [u32; SIDE] = std::array::from_fn(|l| mask.row(first + block * SIDE + l));
            vectorized(
                #[inline(always)]
                || {
                    let features = from.as_chunks::<SIDE>().0.iter().zip(into.as_chunks_mut::<SIDE>().0);
                    for (j, (from, into)) in features.enumerate() {
                        for l in 0..SIDE {
                            let kept = if mask.keeps(keys[l], j) { from[l] * keep } else { 0.0 };
                            into[l] = if accumulate { into[l] + kept } else { kept };
                        }
                    }
                },
            );
        }
    }
}

impl Kernel for Dropout {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let first = lane.elements(out).first;
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        match lane.noise {
            Some(noise) => self.mask(noise, first, x, y, false),
            None => y.copy_from_slice(x),
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let (noise, first) = (lane.noise, lane.elements(w.out).first);
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| match noise {
            Some(noise) => self.mask(noise, first, from, into, accumulate),
            None => super::put(from, into, accumulate),
        });
    }
}
