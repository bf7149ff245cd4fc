//! `y_jk = cos(2 pi (f_jk x_j + p_jk))`.

use super::math::cosine;
use super::{Kernel, Lane, read_write, vectorized, with_each_copy};
use crate::wiring::Wiring;
use std::f32::consts::TAU;

pub(super) struct Periodic {
    /// Frequencies of a number.
    pub count: usize,
    pub wiring: Wiring,
}

/// The slope of [`cosine`] by turns: `-2 pi sin(2 pi t)`.
#[inline(always)]
fn slope(t: f32) -> f32 {
    TAU * cosine(t + 0.25)
}

impl Periodic {
    fn parameters<'a>(&self, lane: &Lane<'a>) -> [&'a [f32]; 2] {
        [0, 1].map(|i| &lane.values[self.wiring.parameters[i].value.clone()])
    }
}

impl Kernel for Periodic {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (w, count) = (&self.wiring, self.count);
        let [f, p] = self.parameters(lane);
        let (x, y) = read_write(lane.arena, lane.range(w.inputs[0]), lane.range(w.out));
        let rows = x.chunks_exact(w.inputs[0].width).zip(y.chunks_exact_mut(w.out.width));
        vectorized(
            #[inline(always)]
            || {
                for (x, y) in rows {
                    for ((y, x), (f, p)) in
                        y.chunks_exact_mut(count).zip(x).zip(f.chunks_exact(count).zip(p.chunks_exact(count)))
                    {
                        y.iter_mut().zip(f).zip(p).for_each(|((y, f), p)| *y = cosine(f * x + p));
                    }
                }
            },
        );
    }

    /// With `s = dy * slope`: `df = sum s x`, `dp = sum s`, `dx = sum_k s f`.
    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, count) = (&self.wiring, self.count);
        let [f, p] = self.parameters(lane);
        let (narrow, wide) = (w.inputs[0].width, w.out.width);
        for (which, wire) in w.parameters.iter().enumerate() {
            for run in &wire.runs {
                for c in 0..run.len {
                    let dy = &lane.arena[lane.copies(w.cotangent, run.from + c, 1)];
                    let x = &lane.arena[lane.range(w.inputs[0])];
                    let gradient = &mut lane.gradient[wire.copy(run.to + c)];
                    if !run.accumulate {
                        gradient.fill(0.0);
                    }
                    let rows = x.chunks_exact(narrow).zip(dy.chunks_exact(wide));
                    vectorized(
                        #[inline(always)]
                        || {
                            for (x, dy) in rows {
                                let own = f.chunks_exact(count).zip(p.chunks_exact(count));
                                let each = gradient.chunks_exact_mut(count).zip(dy.chunks_exact(count)).zip(x);
                                for (((g, dy), x), (f, p)) in each.zip(own) {
                                    let by = if which == 0 { *x } else { 1.0 };
                                    let each = g.iter_mut().zip(dy).zip(f).zip(p);
                                    each.for_each(|(((g, dy), f), p)| *g += dy * slope(f * x + p) * by);
                                }
                            }
                        },
                    );
                }
            }
        }
        let Some(flow) = &w.flows[0] else { return };
        with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
            let x = others.of(w.inputs[0]).chunks_exact(narrow);
            for ((x, dy), dx) in x.zip(dy.chunks_exact(wide)).zip(dx.chunks_exact_mut(narrow)) {
                let own = f.chunks_exact(count).zip(p.chunks_exact(count));
                for (((dx, x), dy), (f, p)) in dx.iter_mut().zip(x).zip(dy.chunks_exact(count)).zip(own) {
                    let sum: f32 = dy.iter().zip(f).zip(p).map(|((dy, f), p)| dy * slope(f * x + p) * f).sum();
                    *dx = if accumulate { *dx + sum } else { sum };
                }
            }
        });
    }
}
