//! Random numbers as functions of what they are for: the step, the node, the row's place in the batch. They need not be
//! stored, and do not depend on how the batch is cut into lanes.

use polytask_math::seed::mix;

/// Which features a node drops in a step.
#[derive(Clone, Copy)]
pub(super) struct Mask {
    stream: u64,
    threshold: u32,
}

impl Mask {
    /// Drops this share of the features.
    pub(super) fn new(noise: u64, node: u64, rate: f32) -> Self {
        Mask { stream: noise ^ mix(node), threshold: (f64::from(rate) * 4_294_967_296.0) as u32 }
    }

    /// The key of a row of the batch.
    #[inline(always)]
    pub(super) fn row(self, row: usize) -> u32 {
        mix(self.stream ^ mix(row as u64 + 0x9e37_79b9)) as u32
    }

    /// Whether the row of this key keeps feature `j`.
    #[inline(always)]
    pub(super) fn keeps(self, key: u32, j: usize) -> bool {
        mix32(key.wrapping_add(j as u32)) >= self.threshold
    }
}

/// A bijection of 32-bit words that leaves no visible order (the "lowbias32" constants of C. Wellons's hash search).
#[inline(always)]
fn mix32(mut x: u32) -> u32 {
    x = (x ^ (x >> 16)).wrapping_mul(0x7feb_352d);
    x = (x ^ (x >> 15)).wrapping_mul(0x846c_a68b);
    x ^ (x >> 16)
}

/// Draw number `i` of a stream: uniform, above 0 and below 1.
pub(super) fn uniform(stream: u64, i: u64) -> f32 {
    let bits = mix(stream ^ mix(i.wrapping_add(0x9e37_79b9))) >> 41;
    (bits as f32 + 0.5) / 8_388_608.0 // 2^23: exact in f32, the half too
}
