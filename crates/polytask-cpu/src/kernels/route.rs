//! Values of one domain for the elements of another: spread and gather.

use super::{Kernel, Lane, for_each_copy, put, read_write};
use crate::domains::{Elements, first_in};
use crate::wiring::Wiring;

/// Which element each element takes its values from.
#[derive(Clone, Copy, Debug)]
pub(super) enum By {
    /// The one it lies in.
    Parent,
    /// The one it stands for in a product.
    Factor,
    /// The one that a column of the second input names by its position within the row.
    Index(usize),
}

pub(super) struct Route {
    pub by: By,
    pub wiring: Wiring,
}

impl Route {
    /// Calls `each(element, source)` for every element that has a source.
    fn pairs(&self, domains: &[Elements], indices: &[u32], mut each: impl FnMut(usize, usize)) {
        let (input, out) = (self.wiring.inputs[0].domain, self.wiring.out.domain);
        if let By::Parent = self.by {
            for source in 0..domains[input].count() {
                let own = first_in(domains, out, input, source)..first_in(domains, out, input, source + 1);
                own.for_each(|element| each(element, source));
            }
            return;
        }
        for (from, own) in domains[input].by_row.windows(2).zip(domains[out].by_row.windows(2)) {
            let (first, count) = (from[0] as usize, (from[1] - from[0]) as usize);
            for element in own[0] as usize..own[1] as usize {
                let position = match self.by {
                    By::Index(column) => indices[element * self.wiring.inputs[1].width + column] as usize,
                    _ => (element - own[0] as usize) % count,
                };
                if position < count {
                    each(element, first + position);
                }
            }
        }
    }

    /// The index input, if there is one.
    fn indices<'a>(&self, lane: &Lane<'a>) -> &'a [u32] {
        self.wiring.inputs.get(1).map_or(&[], |index| lane.indices(*index))
    }
}

impl Kernel for Route {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (domains, indices, width) = (lane.domains, self.indices(lane), out.width);
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        if let By::Index(_) = self.by {
            y.fill(0.0);
        }
        self.pairs(domains, indices, |element, source| {
            y[element * width..][..width].copy_from_slice(&x[source * width..][..width]);
        });
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let (domains, indices, width) = (lane.domains, self.indices(lane), w.out.width);
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
            if !accumulate {
                into.fill(0.0);
            }
            self.pairs(domains, indices, |element, source| {
                put(&from[element * width..][..width], &mut into[source * width..][..width], true);
            });
        });
    }
}
