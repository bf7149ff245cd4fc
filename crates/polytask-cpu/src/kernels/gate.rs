//! Channels of an image times numbers of the row's own.

use super::{Kernel, Lane, around, vectorized, with_each_copy};
use crate::wiring::{SIDE, Wiring};

pub(super) struct Gate {
    pub wiring: Wiring,
}

/// One feature of a block.
type Wide = [f32; SIDE];

impl Kernel for Gate {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (others, y) = around(lane, lane.range(w.out));
        let [x, gate] = [w.inputs[0], w.inputs[1]].map(|input| others.of(input));
        self.scale(x, gate, y, false);
    }

    /// `dx = dy * gate`, `dgate = sum over pixels of dy * x`
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (image, gate) = (w.inputs[0], w.inputs[1]);
        if let Some(flow) = &w.flows[0] {
            with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
                self.scale(dy, others.of(gate), dx, accumulate);
            });
        }
        if let Some(flow) = &w.flows[1] {
            with_each_copy(lane, w.cotangent, flow, |others, dy, dgate, accumulate| {
                if !accumulate {
                    dgate.fill(0.0);
                }
                let (x, dy) = (others.of(image).as_chunks::<SIDE>().0, dy.as_chunks::<SIDE>().0);
                let blocks = x.chunks_exact(image.width).zip(dy.chunks_exact(image.width));
                let gates = dgate.as_chunks_mut::<SIDE>().0.chunks_exact_mut(gate.width);
                for ((x, dy), dgate) in blocks.zip(gates) {
                    vectorized(
                        #[inline(always)]
                        || {
                            for (x, dy) in x.chunks_exact(gate.width).zip(dy.chunks_exact(gate.width)) {
                                for ((x, dy), sum) in x.iter().zip(dy).zip(&mut *dgate) {
                                    for l in 0..SIDE {
                                        sum[l] += x[l] * dy[l];
                                    }
                                }
                            }
                        },
                    );
                }
            });
        }
    }
}

impl Gate {
    /// `into = x * gate` in every pixel, or `+=`.
    fn scale(&self, x: &[f32], gate: &[f32], into: &mut [f32], accumulate: bool) {
        let (width, channels) = (self.wiring.inputs[0].width, self.wiring.inputs[1].width);
        let (x, gate) = (x.as_chunks::<SIDE>().0, gate.as_chunks::<SIDE>().0);
        let blocks = x.chunks_exact(width).zip(into.as_chunks_mut::<SIDE>().0.chunks_exact_mut(width));
        for ((x, into), gate) in blocks.zip(gate.chunks_exact(channels)) {
            vectorized(
                #[inline(always)]
                || match accumulate {
                    true => each::<true>(x, gate, into),
                    false => each::<false>(x, gate, into),
                },
            );
        }
    }
}

#[inline(always)]
fn each<const ADD: bool>(x: &[Wide], gate: &[Wide], into: &mut [Wide]) {
    for (x, into) in x.chunks_exact(gate.len()).zip(into.chunks_exact_mut(gate.len())) {
        for ((x, gate), into) in x.iter().zip(gate).zip(into) {
            for l in 0..SIDE {
                let product = x[l] * gate[l];
                into[l] = if ADD { into[l] + product } else { product };
            }
        }
    }
}
