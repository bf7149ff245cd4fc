//! Images as sequences of their pixels.

use super::{Kernel, Lane, for_each_copy, parents, put, read_write};
use crate::wiring::Wiring;

pub(super) struct Pixels {
    /// Elements of zeros before the first pixel.
    pub before: usize,
    pub wiring: Wiring,
}

impl Pixels {
    /// Calls `each(element, pixel)` for every element that stands for one, where pixels are counted over all images.
    fn pairs(&self, offsets: &[u32], mut each: impl FnMut(usize, usize)) {
        let pixels = self.wiring.inputs[0].width / self.wiring.out.width;
        for (image, own) in parents(offsets).enumerate() {
            let shown = own.skip(self.before).take(pixels).enumerate();
            shown.for_each(|(pixel, element)| each(element, image * pixels + pixel));
        }
    }
}

impl Kernel for Pixels {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (offsets, width) = (&lane.elements(out).offsets, out.width);
        let (x, y) =
            read_write(lane.arena, lane.domains[input.domain].range(input), lane.domains[out.domain].range(out));
        y.fill(0.0);
        self.pairs(offsets, |element, pixel| {
            y[element * width..][..width].copy_from_slice(&x[pixel * width..][..width]);
        });
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let (offsets, width) = (&lane.elements(w.out).offsets, w.out.width);
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
            if !accumulate {
                into.fill(0.0);
            }
            self.pairs(offsets, |element, pixel| {
                put(&from[element * width..][..width], &mut into[pixel * width..][..width], true);
            });
        });
    }
}
