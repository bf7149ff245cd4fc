//! The elements around each one side by side.

use super::{Kernel, Lane, for_each_copy, parents, put, read_write};
use crate::wiring::Wiring;

pub(super) struct Neighbours {
    pub before: usize,
    pub after: usize,
    pub wiring: Wiring,
}

impl Neighbours {
    /// Calls `each(element, place, neighbour)` for every place of every element that has a neighbour.
    fn pairs(&self, offsets: &[u32], mut each: impl FnMut(usize, usize, usize)) {
        for own in parents(offsets) {
            for e in own.clone() {
                for place in 0..=self.before + self.after {
                    if own.start + self.before <= e + place && e + place < own.end + self.before {
                        each(e, place, e + place - self.before);
                    }
                }
            }
        }
    }
}

impl Kernel for Neighbours {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (d, width, offsets) = (input.width, out.width, &lane.elements(out).offsets);
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        y.fill(0.0);
        self.pairs(offsets, |e, place, n| {
            y[e * width + place * d..][..d].copy_from_slice(&x[n * d..][..d]);
        });
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let (d, width, offsets) = (w.inputs[0].width, w.out.width, &lane.elements(w.out).offsets);
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
            if !accumulate {
                into.fill(0.0);
            }
            self.pairs(offsets, |e, place, n| {
                put(&from[e * width + place * d..][..d], &mut into[n * d..][..d], true);
            });
        });
    }
}
