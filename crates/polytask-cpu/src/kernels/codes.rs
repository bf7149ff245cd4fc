//! Products over binary codes: choice `e` of a group weighs `prod_b (s_b if bit b of e is set, else 1 - s_b)`.

use super::{Kernel, Lane, read_write, vectorized, with_each_copy};
use crate::wiring::Wiring;
use polytask_graph::Op;

pub(super) struct Codes {
    pub choices: usize,
    pub wiring: Wiring,
}

/// Choices that are worked on together.
const WIDE: usize = 8;

/// Bit `b`'s factor for the choices from `first` on.
#[inline(always)]
fn factors(s: f32, b: usize, first: usize) -> [f32; WIDE] {
    std::array::from_fn(|e| if (first + e) >> b & 1 == 1 { s } else { 1.0 - s })
}

impl Kernel for Codes {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (s, r) = read_write(lane.arena, lane.range(input), lane.range(out));
        let groups = s.chunks_exact(Op::code_bits(self.choices)).zip(r.chunks_exact_mut(self.choices));
        vectorized(
            #[inline(always)]
            || {
                for (s, r) in groups {
                    for (block, r) in r.chunks_mut(WIDE).enumerate() {
                        let mut product = [1.0f32; WIDE];
                        for (b, s) in s.iter().enumerate() {
                            let factors = factors(*s, b, block * WIDE);
                            product.iter_mut().zip(factors).for_each(|(p, f)| *p *= f);
                        }
                        r.copy_from_slice(&product[..r.len()]);
                    }
                }
            },
        );
    }

    /// `ds_b = sum_e dr_e * (1 if bit b of e is set, else -1) * the other bits' factors`
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (choices, bits) = (self.choices, Op::code_bits(self.choices));
        let Some(flow) = &w.flows[0] else { return };
        with_each_copy(lane, w.cotangent, flow, |others, dr, ds, accumulate| {
            let s = others.of(w.inputs[0]).chunks_exact(bits);
            let groups = s.zip(dr.chunks_exact(choices)).zip(ds.chunks_exact_mut(bits));
            vectorized(
                #[inline(always)]
                || {
                    for ((s, dr), ds) in groups {
                        for (b, ds) in ds.iter_mut().enumerate() {
                            let mut sum = [0.0f32; WIDE];
                            for (block, dr) in dr.chunks(WIDE).enumerate() {
                                let mut product = [0.0f32; WIDE];
                                product[..dr.len()].copy_from_slice(dr);
                                for (other, s) in s.iter().enumerate() {
                                    let factors = match other == b {
                                        true => factors(1.0, b, block * WIDE).map(|set| 2.0 * set - 1.0),
                                        false => factors(*s, other, block * WIDE),
                                    };
                                    product.iter_mut().zip(factors).for_each(|(p, f)| *p *= f);
                                }
                                sum.iter_mut().zip(product).for_each(|(s, p)| *s += p);
                            }
                            let sum: f32 = sum.iter().sum();
                            *ds = if accumulate { *ds + sum } else { sum };
                        }
                    }
                },
            );
        });
    }
}
