//! `y = z / sqrt(1 + (z / limit)^2)` with `z = (x - center) * scale`.

use super::{Kernel, Lane, read_write, vectorized, with_each_copy};
use crate::wiring::Wiring;

pub(super) struct Squash {
    pub limit: f32,
    pub wiring: Wiring,
}

impl Squash {
    fn parameters<'a>(&self, lane: &Lane<'a>) -> [&'a [f32]; 2] {
        [0, 1].map(|i| &lane.values[self.wiring.parameters[i].value.clone()])
    }

    /// `1 / limit^2`
    fn curvature(&self) -> f32 {
        (self.limit * self.limit).recip()
    }
}

impl Kernel for Squash {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let ([center, scale], by) = (self.parameters(lane), self.curvature());
        let (x, y) = read_write(lane.arena, lane.range(w.inputs[0]), lane.range(w.out));
        let rows = x.chunks_exact(w.out.width).zip(y.chunks_exact_mut(w.out.width));
        vectorized(
            #[inline(always)]
            || {
                for (x, y) in rows {
                    for (((y, x), c), s) in y.iter_mut().zip(x).zip(center).zip(scale) {
                        let z = (x - c) * s;
                        *y = z / (1.0 + z * z * by).sqrt();
                    }
                }
            },
        );
    }

    /// `dz = dy r^3` with `r = 1 / sqrt(1 + (z / limit)^2)`; `dx = dz scale`, `dcenter = -sum dz scale`,
    /// `dscale = sum dz (x - center)`.
    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, width, by) = (&self.wiring, self.wiring.out.width, self.curvature());
        let [center, scale] = self.parameters(lane);
        let slope = |x: f32, c: f32, s: f32| {
            let z = (x - c) * s;
            let r = (1.0 + z * z * by).sqrt().recip();
            r * r * r
        };
        for (which, wire) in w.parameters.iter().enumerate() {
            for run in &wire.runs {
                for c in 0..run.len {
                    let dy = &lane.arena[lane.copies(w.cotangent, run.from + c, 1)];
                    let x = &lane.arena[lane.range(w.inputs[0])];
                    let gradient = &mut lane.gradient[wire.copy(run.to + c)];
                    if !run.accumulate {
                        gradient.fill(0.0);
                    }
                    for (x, dy) in x.chunks_exact(width).zip(dy.chunks_exact(width)) {
                        let each = gradient.iter_mut().zip(x).zip(dy).zip(center).zip(scale);
                        match which {
                            0 => each.for_each(|((((g, x), dy), c), s)| *g -= dy * slope(*x, *c, *s) * s),
                            _ => each.for_each(|((((g, x), dy), c), s)| *g += dy * slope(*x, *c, *s) * (x - c)),
                        }
                    }
                }
            }
        }
        let Some(flow) = &w.flows[0] else { return };
        with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
            let x = others.of(w.inputs[0]).chunks_exact(width);
            for ((x, dy), dx) in x.zip(dy.chunks_exact(width)).zip(dx.chunks_exact_mut(width)) {
                for ((((dx, x), dy), c), s) in dx.iter_mut().zip(x).zip(dy).zip(center).zip(scale) {
                    let own = dy * slope(*x, *c, *s) * s;
                    *dx = if accumulate { *dx + own } else { own };
                }
            }
        });
    }
}
