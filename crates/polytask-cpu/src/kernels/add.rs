//! Elementwise sum.

use super::{Kernel, Lane, for_each_copy, put, read_write};
use crate::plan::Wiring;

pub(super) struct Add {
    pub wiring: Wiring,
}

impl Kernel for Add {
    fn forward(&self, lane: &mut Lane<'_>) {
        for (i, input) in self.wiring.inputs.iter().enumerate() {
            let (x, y) = read_write(lane.arena, lane.range(*input), lane.range(self.wiring.out));
            put(x, y, i > 0);
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        for flow in self.wiring.flows.iter().flatten() {
            for_each_copy(lane, self.wiring.cotangent, flow, put);
        }
    }
}
