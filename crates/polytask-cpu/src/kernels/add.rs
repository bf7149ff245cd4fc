//! Elementwise sum.

use super::{Kernel, Lane, around, for_each_copy, put, vectorized};
use crate::wiring::Wiring;

pub(super) struct Add {
    pub wiring: Wiring,
}

impl Kernel for Add {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (others, y) = around(lane, lane.range(w.out));
        let rest = match w.inputs.as_slice() {
            // The common case in one sweep.
            [a, b, rest @ ..] => {
                let (a, b) = (others.of(*a), others.of(*b));
                vectorized(
                    #[inline(always)]
                    || y.iter_mut().zip(a).zip(b).for_each(|((y, a), b)| *y = a + b),
                );
                rest
            }
            [only] => {
                y.copy_from_slice(others.of(*only));
                &[]
            }
            [] => &[],
        };
        rest.iter().for_each(|x| {
            vectorized(
                #[inline(always)]
                || put(others.of(*x), y, true),
            )
        });
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        for flow in self.wiring.flows.iter().flatten() {
            for_each_copy(lane, self.wiring.cotangent, flow, put);
        }
    }
}
