//! `y = scale * <a, b>` over the features of a row.

use super::{Kernel, Lane, around, dot, vectorized, with_each_copy};
use crate::wiring::Wiring;

pub(super) struct Dot {
    pub scale: f32,
    pub wiring: Wiring,
}

impl Kernel for Dot {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let width = w.inputs[0].width;
        let (others, y) = around(lane, lane.range(w.out));
        let [a, b] = [w.inputs[0], w.inputs[1]].map(|x| others.of(x).chunks_exact(width));
        vectorized(
            #[inline(always)]
            || y.iter_mut().zip(a).zip(b).for_each(|((y, a), b)| *y = self.scale * dot(a, b)),
        );
    }

    /// `da = scale dy b`, `db = scale dy a`
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let width = w.inputs[0].width;
        for (i, flow) in w.flows.iter().enumerate() {
            let Some(flow) = flow else { continue };
            with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
                let other = others.of(w.inputs[1 - i]).chunks_exact(width);
                vectorized(
                    #[inline(always)]
                    || {
                        for ((dx, other), dy) in dx.chunks_exact_mut(width).zip(other).zip(dy) {
                            let by = self.scale * dy;
                            match accumulate {
                                true => dx.iter_mut().zip(other).for_each(|(dx, x)| *dx += by * x),
                                false => dx.iter_mut().zip(other).for_each(|(dx, x)| *dx = by * x),
                            }
                        }
                    },
                );
            });
        }
    }
}
