//! Layer normalisation: `y = n * gain + bias`, `n = (x - mean) * s`, `s = 1 / sqrt(var + epsilon)` over a row.

use super::{Kernel, Lane, dot, put, read_write, sum_of, vectorized};
use crate::wiring::Wiring;

pub(super) struct LayerNorm {
    pub epsilon: f32,
    /// Saved a row: the normalised features `n`, then `s`.
    pub wiring: Wiring,
}

impl Kernel for LayerNorm {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (input, d) = (w.inputs[0], w.out.width);
        let gain = &lane.values[w.parameters[0].value.clone()];
        let bias = &lane.values[w.parameters[1].value.clone()];
        let (x_start, y_start) = (lane.range(input).start, lane.range(w.out).start);
        let saved_start = lane.range(w.saved).start;
        for row in 0..lane.count(w.out) {
            let (x, y) = read_write(lane.arena, place(x_start, row, d), place(y_start, row, d));
            let s = vectorized(
                #[inline(always)]
                || {
                    // Measured from the first feature, a row that hardly varies around a large value loses no digits.
                    let first = x[0];
                    y.iter_mut().zip(x).for_each(|(y, x)| *y = x - first);
                    let mean = sum_of(y, |v| v) / d as f32;
                    let var = sum_of(y, |v| (v - mean) * (v - mean)) / d as f32;
                    let s = 1.0 / (var + self.epsilon).sqrt();
                    y.iter_mut().for_each(|y| *y = (*y - mean) * s);
                    s
                },
            );
            if w.saved.width > 0 {
                let saved = place(saved_start, row, d + 1);
                let (n, kept) = read_write(lane.arena, place(y_start, row, d), saved);
                kept[..d].copy_from_slice(n);
                kept[d] = s;
            }
            let y = &mut lane.arena[place(y_start, row, d)];
            vectorized(
                #[inline(always)]
                || y.iter_mut().zip(gain).zip(bias).for_each(|((y, g), b)| *y = *y * g + b),
            );
        }
    }

    /// `dx = s * (c - mean(c) - n * mean(c * n))` with `c = dy * gain`; `dgain = sum dy * n`; `dbias = sum dy`.
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let d = w.out.width;
        let (rows, start) = (lane.count(w.out), lane.range(w.cotangent).start);
        let saved_start = lane.range(w.saved).start;
        for wire in &w.parameters {
            for run in wire.runs.iter().filter(|run| !run.accumulate) {
                (0..run.len).for_each(|c| lane.gradient[wire.copy(run.to + c)].fill(0.0));
            }
        }
        for copy in 0..w.copies {
            for row in 0..rows {
                let dy = place(start, copy * rows + row, d);
                let saved = place(saved_start, row, d + 1);
                for (which, wire) in w.parameters.iter().enumerate() {
                    for run in wire.runs.iter().filter(|r| (r.from..r.from + r.len).contains(&copy)) {
                        let gradient = &mut lane.gradient[wire.copy(run.to + copy - run.from)];
                        let (dy, n) = (&lane.arena[dy.clone()], &lane.arena[saved.clone()][..d]);
                        match which {
                            0 => {
                                vectorized(
                                    #[inline(always)]
                                    || gradient.iter_mut().zip(dy).zip(n).for_each(|((g, dy), n)| *g += dy * n),
                                );
                            }
                            _ => vectorized(
                                #[inline(always)]
                                || put(dy, gradient, true),
                            ),
                        }
                    }
                }
                let gain = &lane.values[w.parameters[0].value.clone()];
                let (saved, dy) = read_write(lane.arena, saved, dy);
                let (n, s) = (&saved[..d], saved[d]);
                vectorized(
                    #[inline(always)]
                    || {
                        dy.iter_mut().zip(gain).for_each(|(c, g)| *c *= g);
                        let mean = sum_of(dy, |c| c) / d as f32;
                        let along = dot(dy, n) / d as f32;
                        dy.iter_mut().zip(n).for_each(|(c, n)| *c = s * (*c - mean - n * along));
                    },
                );
            }
        }
        if let Some(flow) = &w.flows[0] {
            super::for_each_copy(lane, w.cotangent, flow, put);
        }
    }
}

fn place(start: usize, row: usize, width: usize) -> std::ops::Range<usize> {
    start + row * width..start + (row + 1) * width
}
