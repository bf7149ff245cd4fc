//! Softmax over the features of a row.

use super::math::exp;
use super::{Kernel, Lane, read_write, vectorized, with_each_copy};
use crate::plan::Wiring;

pub(super) struct Softmax {
    pub wiring: Wiring,
}

impl Kernel for Softmax {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (x, y) = read_write(lane.arena, input.range(lane.rows), out.range(lane.rows));
        vectorized(
            #[inline(always)]
            || {
                for (x, y) in x.chunks_exact(out.width).zip(y.chunks_exact_mut(out.width)) {
                    let max = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = x - max);
                }
                // In one sweep over all rows, so that narrow gates fill whole vectors too.
                y.iter_mut().for_each(|y| *y = exp(*y));
                for y in y.chunks_exact_mut(out.width) {
                    let scale = 1.0 / y.iter().sum::<f32>();
                    y.iter_mut().for_each(|y| *y *= scale);
                }
            },
        );
    }

    /// `dx = y * (dy - <dy, y>)`
    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, rows) = (&self.wiring, lane.rows);
        let Some(flow) = &w.flows[0] else { return };
        let width = w.out.width;
        with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
            let y = others.get(w.out.range(rows));
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
