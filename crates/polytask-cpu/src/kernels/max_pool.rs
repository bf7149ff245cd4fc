//! The largest value at every place of a window.

use super::places::{Places, Share};
use super::{Kernel, Lane, read_write, vectorized, with_each_copy};
use crate::wiring::{SIDE, Wiring};

pub(super) struct MaxPool {
    places: Places,
    channels: usize,
    /// Whether every pixel is in one window, so that its cotangent is written once.
    divided: bool,
    /// Whether no cotangent flows where the largest value is not above 0.
    rectifies: bool,
    wiring: Wiring,
}

impl MaxPool {
    pub(super) fn new(places: Places, channels: usize, rectifies: bool, wiring: Wiring) -> Self {
        let divided = places.divide(wiring.inputs[0].width / channels);
        MaxPool { places, channels, divided, rectifies, wiring }
    }
}

/// One feature of a block.
type Wide = [f32; SIDE];

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
                            let mut most = [f32::NEG_INFINITY; SIDE];
                            for Share { pixel, .. } in pixels {
                                let x = &x[pixel * self.channels + c];
                                for l in 0..SIDE {
                                    most[l] = if x[l] > most[l] { x[l] } else { most[l] };
                                }
                            }
                            *y = most;
                        }
                    }
                },
            );
        }
    }

    /// The cotangent goes to the first pixel that has the largest value.
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let (input, out) = (w.inputs[0], w.out);
        with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
            let write = self.divided && !accumulate;
            if !accumulate && !write {
                dx.fill(0.0);
            }
            let (dy, dx) = (dy.as_chunks::<SIDE>().0, dx.as_chunks_mut::<SIDE>().0);
            let seen = others.of(input).as_chunks::<SIDE>().0.chunks_exact(input.width);
            let seen = seen.zip(others.of(out).as_chunks::<SIDE>().0.chunks_exact(out.width));
            for ((dy, dx), (x, y)) in dy.chunks_exact(out.width).zip(dx.chunks_exact_mut(input.width)).zip(seen) {
                vectorized(
                    #[inline(always)]
                    || match write {
                        true => self.pull::<true>(x, y, dy, dx),
                        false => self.pull::<false>(x, y, dy, dx),
                    },
                );
            }
        });
    }
}

impl MaxPool {
    /// One block's cotangents, written or added.
    #[inline(always)]
    fn pull<const WRITE: bool>(&self, x: &[Wide], y: &[Wide], dy: &[Wide], dx: &mut [Wide]) {
        let channels = self.channels;
        let least = if self.rectifies { 0.0 } else { f32::NEG_INFINITY };
        let outputs = y.chunks_exact(channels).zip(dy.chunks_exact(channels));
        for ((y, dy), pixels) in outputs.zip(self.places.each()) {
            for (c, (y, dy)) in y.iter().zip(dy).enumerate() {
                let mut rest = *dy;
                for l in 0..SIDE {
                    let left = rest[l];
                    rest[l] = if y[l] <= least { 0.0 } else { left };
                }
                for Share { pixel, .. } in pixels {
                    let at = pixel * channels + c;
                    let (x, dx) = (&x[at], &mut dx[at]);
                    for l in 0..SIDE {
                        // Where x is the largest value, what is left is handed over.
                        let hit = x[l] == y[l];
                        let own = if hit { rest[l] } else { 0.0 };
                        rest[l] = if hit { 0.0 } else { rest[l] };
                        dx[l] = if WRITE { own } else { dx[l] + own };
                    }
                }
            }
        }
    }
}
