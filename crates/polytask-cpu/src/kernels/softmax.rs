//! Softmax over the features of a row.

use super::math::exp;
use super::noise::Mask;
use super::{Kernel, Lane, read_write, vectorized, with_each_copy};
use crate::wiring::Wiring;

pub(super) struct Softmax {
    pub dropout: f32,
    pub node: u64,
    pub wiring: Wiring,
}

impl Kernel for Softmax {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let noise = lane.noise.filter(|_| self.dropout > 0.0);
        let first = lane.elements(out).first;
        let mask = noise.map(|noise| Mask::new(noise, self.node, self.dropout));
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        vectorized(
            #[inline(always)]
            || {
                for (x, y) in x.chunks_exact(out.width).zip(y.chunks_exact_mut(out.width)) {
                    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = x - max);
                }
                // In one sweep over all rows, so that narrow gates fill whole vectors too.
                y.iter_mut().for_each(|y| *y = exp(*y));
                if let Some(mask) = mask {
                    y.chunks_exact_mut(out.width).zip(first..).for_each(|(y, row)| drop(y, mask, mask.row(row)));
                }
                for y in y.chunks_exact_mut(out.width) {
                    let scale = 1.0 / y.iter().sum::<f32>();
                    y.iter_mut().for_each(|y| *y *= scale);
                }
            },
        );
    }

    /// `dx = y * (dy - <dy, y>)`, which is 0 for what was left out.
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let width = w.out.width;
        with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
            let y = others.of(w.out);
            vectorized(
                #[inline(always)]
                || {
                    let rows = y.chunks_exact(width).zip(dy.chunks_exact(width)).zip(dx.chunks_exact_mut(width));
                    for ((y, dy), dx) in rows {
                        let mean: f32 = y.iter().zip(dy).map(|(y, dy)| y * dy).sum();
                        let each = dx.iter_mut().zip(y).zip(dy);
                        match accumulate {
                            true => each.for_each(|((dx, y), dy)| *dx += y * (dy - mean)),
                            false => each.for_each(|((dx, y), dy)| *dx = y * (dy - mean)),
                        }
                    }
                },
            );
        });
    }
}

/// Leaves out of a row what the mask drops, unless that is all.
fn drop(y: &mut [f32], mask: Mask, key: u32) {
    if (0..y.len()).any(|j| mask.keeps(key, j)) {
        y.iter_mut().enumerate().filter(|(j, _)| !mask.keeps(key, *j)).for_each(|(_, y)| *y = 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_its_share_and_never_all() {
        let (rows, width) = (10_000, 3);
        let mask = Mask::new(7, 1, 0.3);
        let mut y = vec![0.25f32; rows * width];
        y.chunks_exact_mut(width).enumerate().for_each(|(row, y)| drop(y, mask, mask.row(row)));
        let dropped = y.iter().filter(|y| **y == 0.0).count() as f64 / y.len() as f64;
        // A row that would lose all three, 0.3^3 of them, keeps them. Three standard deviations are 0.008.
        assert!((dropped - (0.3 - 0.027)).abs() < 0.008, "{dropped}");
        assert!(y.chunks_exact(width).all(|y| y.iter().any(|y| *y > 0.0)));
    }
}
