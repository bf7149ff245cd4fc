//! The largest value at every place of a window.

use super::places::{Places, Share};
use super::{Kernel, Lane, read_write, vectorized, with_each_copy};
use crate::plan::{SIDE, Wiring};

pub(super) struct MaxPool {
    pub places: Places,
    pub channels: usize,
    pub wiring: Wiring,
}

impl Kernel for MaxPool {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        let (x, y) = (x.as_chunks::<SIDE>().0, y.as_chunks_mut::<SIDE>().0);
        for (x, y) in x.chunks_exact(input.width).zip(y.chunks_exact_mut(out.width)) {
            vectorized(
                #[inline(always)]
                || {
                    for (y, pixels) in y.chunks_exact_mut(self.channels).zip(self.places.each()) {
                        for (c, y) in y.iter_mut().enumerate() {
                            *y = [f32::NEG_INFINITY; SIDE];
                            for Share { pixel, .. } in pixels {
                                let x = &x[pixel * self.channels + c];
                                for l in 0..SIDE {
                                    y[l] = if x[l] > y[l] { x[l] } else { y[l] };
                                }
                            }
                        }
                    }
                },
            );
        }
    }

    /// The cotangent goes to the first pixel that has the largest value.
    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, channels) = (&self.wiring, self.channels);
        let Some(flow) = &w.flows[0] else { return };
        let (input, out) = (w.inputs[0], w.out);
        with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
            if !accumulate {
                dx.fill(0.0);
            }
            let (dy, dx) = (dy.as_chunks::<SIDE>().0, dx.as_chunks_mut::<SIDE>().0);
            let seen = others.of(input).as_chunks::<SIDE>().0.chunks_exact(input.width);
            let seen = seen.zip(others.of(out).as_chunks::<SIDE>().0.chunks_exact(out.width));
            for ((dy, dx), (x, y)) in dy.chunks_exact(out.width).zip(dx.chunks_exact_mut(input.width)).zip(seen) {
                vectorized(
                    #[inline(always)]
                    || {
                        let outputs = y.chunks_exact(channels).zip(dy.chunks_exact(channels));
                        for ((y, dy), pixels) in outputs.zip(self.places.each()) {
                            for c in 0..channels {
                                let mut rest = dy[c];
                                for Share { pixel, .. } in pixels {
                                    let at = pixel * channels + c;
                                    route(&x[at], &y[c], &mut rest, &mut dx[at]);
                                }
                            }
                        }
                    },
                );
            }
        });
    }
}

/// Where `x` is the largest value `y`, hands over what is left.
#[inline(always)]
fn route(x: &[f32; SIDE], y: &[f32; SIDE], rest: &mut [f32; SIDE], dx: &mut [f32; SIDE]) {
    for l in 0..SIDE {
        let hit = x[l] == y[l];
        dx[l] += if hit { rest[l] } else { 0.0 };
        rest[l] = if hit { 0.0 } else { rest[l] };
    }
}
