//! The input as it is, with nothing flowing back.

use super::{Kernel, Lane, read_write};
use crate::wiring::Wiring;

pub(super) struct StopGradient {
    pub wiring: Wiring,
}

impl Kernel for StopGradient {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        y.copy_from_slice(x);
    }

    fn backward(&self, _: &mut Lane<'_>) {}
}
