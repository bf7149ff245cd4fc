//! A range of features.

use super::{Kernel, Lane, for_each_copy, put, read_write};
use crate::plan::Wiring;

pub(super) struct Slice {
    pub start: usize,
    pub wiring: Wiring,
}

impl Kernel for Slice {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        for (x, y) in x.chunks_exact(input.width).zip(y.chunks_exact_mut(out.width)) {
            y.copy_from_slice(&x[self.start..self.start + out.width]);
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
            if !accumulate {
                into.fill(0.0);
            }
            for (from, into) in from.chunks_exact(w.out.width).zip(into.chunks_exact_mut(flow.into.width)) {
                put(from, &mut into[self.start..self.start + w.out.width], true);
            }
        });
    }
}
