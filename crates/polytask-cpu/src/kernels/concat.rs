//! Inputs side by side.

use super::{Kernel, Lane, for_each_copy, put, read_write};
use crate::plan::Wiring;

pub(super) struct Concat {
    pub wiring: Wiring,
}

impl Kernel for Concat {
    fn forward(&self, lane: &mut Lane<'_>) {
        let out = self.wiring.out;
        let mut start = 0;
        for input in &self.wiring.inputs {
            let (x, y) = read_write(lane.arena, lane.range(*input), lane.range(out));
            for (x, y) in x.chunks_exact(input.width).zip(y.chunks_exact_mut(out.width)) {
                y[start..start + input.width].copy_from_slice(x);
            }
            start += input.width;
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let mut start = 0;
        for (input, flow) in w.inputs.iter().zip(&w.flows) {
            if let Some(flow) = flow {
                for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
                    for (from, into) in from.chunks_exact(w.out.width).zip(into.chunks_exact_mut(input.width)) {
                        put(&from[start..start + input.width], into, accumulate);
                    }
                });
            }
            start += input.width;
        }
    }
}
