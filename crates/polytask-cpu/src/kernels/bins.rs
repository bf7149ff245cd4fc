//! `y_jb = clamp((x_j - e_jb) / (e_j,b+1 - e_jb), 0, 1)`; 0 for a bin of no width.

use super::{Kernel, Lane, read_write, with_each_copy};
use crate::wiring::Wiring;

pub(super) struct Bins {
    pub bins: usize,
    pub wiring: Wiring,
}

/// One over the width of a bin.
#[inline(always)]
fn density(low: f32, high: f32) -> f32 {
    if high > low { (high - low).recip() } else { 0.0 }
}

impl Kernel for Bins {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (w, bins) = (&self.wiring, self.bins);
        let edges = &lane.values[w.parameters[0].value.clone()];
        let (x, y) = read_write(lane.arena, lane.range(w.inputs[0]), lane.range(w.out));
        for (x, y) in x.chunks_exact(w.inputs[0].width).zip(y.chunks_exact_mut(w.out.width)) {
            for ((x, y), edges) in x.iter().zip(y.chunks_exact_mut(bins)).zip(edges.chunks_exact(bins + 1)) {
                for ((y, low), high) in y.iter_mut().zip(edges).zip(&edges[1..]) {
                    *y = ((x - low) * density(*low, *high)).clamp(0.0, 1.0);
                }
            }
        }
    }

    /// `dx_j = sum_b dy_jb / (e_j,b+1 - e_jb)` over the bin that it lies in.
    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, bins) = (&self.wiring, self.bins);
        let Some(flow) = &w.flows[0] else { return };
        let edges = &lane.values[w.parameters[0].value.clone()];
        with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
            let x = others.of(w.inputs[0]).chunks_exact(w.inputs[0].width);
            for ((x, dy), dx) in x.zip(dy.chunks_exact(w.out.width)).zip(dx.chunks_exact_mut(w.inputs[0].width)) {
                let each = dx.iter_mut().zip(x).zip(dy.chunks_exact(bins)).zip(edges.chunks_exact(bins + 1));
                for (((dx, x), dy), edges) in each {
                    let slopes = edges.iter().zip(&edges[1..]).map(|(low, high)| match low <= x && x < high {
                        true => density(*low, *high),
                        false => 0.0,
                    });
                    let own: f32 = slopes.zip(dy).map(|(slope, dy)| slope * dy).sum();
                    *dx = if accumulate { *dx + own } else { own };
                }
            }
        });
    }
}
