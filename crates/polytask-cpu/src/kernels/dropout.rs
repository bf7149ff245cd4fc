//! Dropout, with a mask that is a function of the step, the node and the row's place in the batch: no mask is stored,
//! and it does not depend on how the batch is cut into lanes.

use super::{Kernel, Lane, for_each_copy, read_write, vectorized};
use crate::plan::Wiring;

pub(super) struct Dropout {
    pub rate: f32,
    pub node: u64,
    pub wiring: Wiring,
}

impl Dropout {
    /// `into = from * mask / (1 - rate)`, or `into +=` that.
    fn mask(&self, noise: u64, first_row: usize, from: &[f32], into: &mut [f32], accumulate: bool) {
        let width = self.wiring.out.width;
        let keep = 1.0 / (1.0 - self.rate);
        let threshold = (f64::from(self.rate) * 4_294_967_296.0) as u32;
        vectorized(|| {
            for (row, (from, into)) in from.chunks_exact(width).zip(into.chunks_exact_mut(width)).enumerate() {
                let key = mix64(noise ^ mix64(self.node) ^ mix64((first_row + row) as u64 + 0x9e37_79b9)) as u32;
                for (j, (f, i)) in from.iter().zip(into).enumerate() {
                    let kept = if mix32(key.wrapping_add(j as u32)) >= threshold { f * keep } else { 0.0 };
                    *i = if accumulate { *i + kept } else { kept };
                }
            }
        });
    }
}

impl Kernel for Dropout {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (x, y) = read_write(lane.arena, input.range(lane.rows), out.range(lane.rows));
        match lane.noise {
            Some(noise) => self.mask(noise, lane.first_row, x, y, false),
            None => y.copy_from_slice(x),
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let (noise, first_row) = (lane.noise, lane.first_row);
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| match noise {
            Some(noise) => self.mask(noise, first_row, from, into, accumulate),
            None => super::put(from, into, accumulate),
        });
    }
}

/// A bijection of 64-bit words that leaves no visible order (the finaliser of SplitMix64, Steele et al. 2014).
fn mix64(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The same for 32-bit words (the "lowbias32" constants of C. Wellons's hash search).
#[inline(always)]
fn mix32(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}
