//! Vectors weighed by a gate: `y = sum_e gate_e x_e`.

use super::{Kernel, Lane, Others, around, dot, vectorized, with_each_copy};
use crate::wiring::{Slot, Wiring};

pub(super) struct Mixture {
    /// The first input is the gate; each of the others holds one vector or several side by side.
    pub wiring: Wiring,
}

impl Mixture {
    /// Every input that holds vectors, with the gate's feature that weighs its first.
    fn vectors(&self) -> impl Iterator<Item = (usize, Slot)> {
        let d = self.wiring.out.width;
        self.wiring.inputs[1..].iter().scan(0, move |first, &slot| {
            let own = *first;
            *first += slot.width / d;
            Some((own, slot))
        })
    }
}

impl Kernel for Mixture {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (d, gate) = (w.out.width, w.inputs[0]);
        let (others, y) = around(lane, lane.range(w.out));
        let gates = others.of(gate);
        for (i, (first, slot)) in self.vectors().enumerate() {
            let x = others.of(slot);
            let rows = gates.chunks_exact(gate.width).zip(x.chunks_exact(slot.width)).zip(y.chunks_exact_mut(d));
            vectorized(
                #[inline(always)]
                || {
                    for ((gates, x), y) in rows {
                        for (e, x) in x.chunks_exact(d).enumerate() {
                            let g = gates[first + e];
                            match i + e {
                                0 => y.iter_mut().zip(x).for_each(|(y, x)| *y = g * x),
                                _ => y.iter_mut().zip(x).for_each(|(y, x)| *y += g * x),
                            }
                        }
                    }
                },
            );
        }
    }

    /// `dgate_e = <dy, x_e>`, `dx_e = gate_e dy`
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (d, gate) = (w.out.width, w.inputs[0]);
        if let Some(flow) = &w.flows[0] {
            with_each_copy(lane, w.cotangent, flow, |others, dy, into, accumulate| {
                self.gate_gradient(others, dy, into, accumulate);
            });
        }
        for ((first, slot), flow) in self.vectors().zip(&w.flows[1..]) {
            let Some(flow) = flow else { continue };
            with_each_copy(lane, w.cotangent, flow, |others, dy, into, accumulate| {
                let gates = others.of(gate).chunks_exact(gate.width);
                let rows = gates.zip(dy.chunks_exact(d)).zip(into.chunks_exact_mut(slot.width));
                vectorized(
                    #[inline(always)]
                    || {
                        for ((gates, dy), dx) in rows {
                            for (dx, g) in dx.chunks_exact_mut(d).zip(&gates[first..]) {
                                let each = dx.iter_mut().zip(dy);
                                match accumulate {
                                    true => each.for_each(|(dx, dy)| *dx += g * dy),
                                    false => each.for_each(|(dx, dy)| *dx = g * dy),
                                }
                            }
                        }
                    },
                );
            });
        }
    }
}

impl Mixture {
    fn gate_gradient(&self, others: Others<'_>, dy: &[f32], into: &mut [f32], accumulate: bool) {
        let (d, width) = (self.wiring.out.width, self.wiring.inputs[0].width);
        for (first, slot) in self.vectors() {
            let x = others.of(slot).chunks_exact(slot.width);
            let rows = x.zip(dy.chunks_exact(d)).zip(into.chunks_exact_mut(width));
            vectorized(
                #[inline(always)]
                || {
                    for ((x, dy), into) in rows {
                        for (x, into) in x.chunks_exact(d).zip(&mut into[first..]) {
                            let product = dot(x, dy);
                            *into = if accumulate { *into + product } else { product };
                        }
                    }
                },
            );
        }
    }
}
