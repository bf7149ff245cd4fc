//! A range of features.

use super::{Kernel, Lane, for_each_copy, put, read_write};
use crate::wiring::Wiring;
use std::ops::Range;

pub(super) struct Slice {
    /// Which part of the pieces of the input that lie along the last axis, and how long these are.
    pub part: Range<usize>,
    pub run: usize,
    pub wiring: Wiring,
}

impl Kernel for Slice {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        for (x, y) in x.chunks_exact(self.run).zip(y.chunks_exact_mut(self.part.len())) {
            y.copy_from_slice(&x[self.part.clone()]);
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
            if !accumulate {
                into.fill(0.0);
            }
            for (from, into) in from.chunks_exact(self.part.len()).zip(into.chunks_exact_mut(self.run)) {
                put(from, &mut into[self.part.clone()], true);
            }
        });
    }
}
