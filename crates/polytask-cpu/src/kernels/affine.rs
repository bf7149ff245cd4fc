//! `y = scale * x + shift` with fixed numbers.

use super::{Kernel, Lane, for_each_copy, read_write, vectorized};
use crate::wiring::Wiring;

pub(super) struct Affine {
    pub scale: f32,
    pub shift: f32,
    pub wiring: Wiring,
}

impl Kernel for Affine {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        vectorized(
            #[inline(always)]
            || y.iter_mut().zip(x).for_each(|(y, x)| *y = self.scale * x + self.shift),
        );
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let Some(flow) = &self.wiring.flows[0] else { return };
        for_each_copy(lane, self.wiring.cotangent, flow, |dy, dx, accumulate| {
            let each = dx.iter_mut().zip(dy);
            vectorized(
                #[inline(always)]
                || match accumulate {
                    true => each.for_each(|(dx, dy)| *dx += self.scale * dy),
                    false => each.for_each(|(dx, dy)| *dx = self.scale * dy),
                },
            );
        });
    }
}
