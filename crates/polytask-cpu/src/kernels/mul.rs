//! Elementwise product of two factors; one of width 1 multiplies every feature of the other.

use super::{Kernel, Lane, around, vectorized, with_each_copy};
use crate::wiring::Wiring;

pub(super) struct Mul {
    pub wiring: Wiring,
}

impl Kernel for Mul {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (others, y) = around(lane, lane.range(w.out));
        let [a, b] = [w.inputs[0], w.inputs[1]].map(|x| others.of(x));
        match (w.inputs[0].width, w.inputs[1].width) {
            (a_width, b_width) if a_width == b_width => {
                vectorized(
                    #[inline(always)]
                    || y.iter_mut().zip(a).zip(b).for_each(|((y, a), b)| *y = a * b),
                );
            }
            (1, _) => scale(a, b, y, false),
            _ => scale(b, a, y, false),
        }
    }

    /// `da = dy * b`, `db = dy * a`
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        for (i, flow) in w.flows.iter().enumerate() {
            let Some(flow) = flow else { continue };
            let (own, other) = (w.inputs[i], w.inputs[1 - i]);
            with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
                let factor = others.of(other);
                if own.width < w.out.width {
                    products(dy, factor, dx, accumulate);
                } else if other.width < w.out.width {
                    scale(factor, dy, dx, accumulate);
                } else {
                    let each = dx.iter_mut().zip(dy).zip(factor);
                    vectorized(
                        #[inline(always)]
                        || match accumulate {
                            true => each.for_each(|((dx, dy), f)| *dx += dy * f),
                            false => each.for_each(|((dx, dy), f)| *dx = dy * f),
                        },
                    );
                }
            });
        }
    }
}

/// A row's features times its factor: `into = factor * x`, or `+=`.
fn scale(factors: &[f32], x: &[f32], into: &mut [f32], accumulate: bool) {
    // Of sequences there may be none.
    let Some(width) = x.len().checked_div(factors.len()) else { return };
    let rows = x.chunks_exact(width).zip(into.chunks_exact_mut(width)).zip(factors);
    vectorized(
        #[inline(always)]
        || match accumulate {
            true => rows.for_each(|((x, into), f)| into.iter_mut().zip(x).for_each(|(i, x)| *i += f * x)),
            false => rows.for_each(|((x, into), f)| into.iter_mut().zip(x).for_each(|(i, x)| *i = f * x)),
        },
    );
}

/// A row's inner product: `into = <a, b>`, or `+=`.
fn products(a: &[f32], b: &[f32], into: &mut [f32], accumulate: bool) {
    let Some(width) = a.len().checked_div(into.len()) else { return };
    let rows = a.chunks_exact(width).zip(b.chunks_exact(width)).zip(into);
    vectorized(
        #[inline(always)]
        || {
            for ((a, b), into) in rows {
                let product = super::dot(a, b);
                *into = if accumulate { *into + product } else { product };
            }
        },
    );
}
