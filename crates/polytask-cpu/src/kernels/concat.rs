//! Inputs side by side.

use super::{Kernel, Lane, for_each_copy, put, read_write};
use crate::wiring::Wiring;

pub(super) struct Concat {
    /// Length of the pieces that each input gives, one after the other.
    pub runs: Vec<usize>,
    pub wiring: Wiring,
}

impl Kernel for Concat {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (out, all) = (self.wiring.out, self.runs.iter().sum());
        let mut start = 0;
        for (input, &run) in self.wiring.inputs.iter().zip(&self.runs) {
            let (x, y) = read_write(lane.arena, lane.range(*input), lane.range(out));
            for (x, y) in x.chunks_exact(run).zip(y.chunks_exact_mut(all)) {
                y[start..start + run].copy_from_slice(x);
            }
            start += run;
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, all) = (&self.wiring, self.runs.iter().sum());
        let mut start = 0;
        for (&run, flow) in self.runs.iter().zip(&w.flows) {
            if let Some(flow) = flow {
                for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
                    for (from, into) in from.chunks_exact(all).zip(into.chunks_exact_mut(run)) {
                        put(&from[start..start + run], into, accumulate);
                    }
                });
            }
            start += run;
        }
    }
}
