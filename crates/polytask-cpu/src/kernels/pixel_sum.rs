//! Pixels as weighted sums of pixels: average pooling, global pooling, upsampling.

use super::places::{Places, Share};
use super::{Kernel, Lane, for_each_copy, read_write, vectorized};
use crate::wiring::{SIDE, Wiring};

pub(super) struct PixelSum {
    pub places: Places,
    pub channels: usize,
    pub wiring: Wiring,
}

impl Kernel for PixelSum {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out, run) = (self.wiring.inputs[0], self.wiring.out, self.channels * SIDE);
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        y.fill(0.0);
        for (x, y) in x.chunks_exact(input.width * SIDE).zip(y.chunks_exact_mut(out.width * SIDE)) {
            vectorized(
                #[inline(always)]
                || {
                    for (y, pixels) in y.chunks_exact_mut(run).zip(self.places.each()) {
                        for Share { pixel, weight } in pixels {
                            let x = &x[pixel * run..][..run];
                            y.iter_mut().zip(x).for_each(|(y, x)| *y += weight * x);
                        }
                    }
                },
            );
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, run) = (&self.wiring, self.channels * SIDE);
        let Some(flow) = &w.flows[0] else { return };
        for_each_copy(lane, w.cotangent, flow, |dy, dx, accumulate| {
            if !accumulate {
                dx.fill(0.0);
            }
            let blocks = dy.chunks_exact(w.out.width * SIDE).zip(dx.chunks_exact_mut(flow.into.width * SIDE));
            for (dy, dx) in blocks {
                vectorized(
                    #[inline(always)]
                    || {
                        for (dy, pixels) in dy.chunks_exact(run).zip(self.places.each()) {
                            for Share { pixel, weight } in pixels {
                                let dx = &mut dx[pixel * run..][..run];
                                dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += weight * dy);
                            }
                        }
                    },
                );
            }
        });
    }
}
