//! Elementwise non-linearities.

use super::math::{normal_cdf, normal_pdf, sigmoid, tanh};
use super::{Kernel, Lane, for_each_copy, read_write, vectorized};
use crate::plan::Wiring;
use polytask_graph::Activation;
use std::ops::Range;

/// Keeps the logarithm of a probability finite.
const TINY: f32 = 1e-6;

/// `values = f(values)`
pub(super) fn apply(kind: Activation, values: &mut [f32]) {
    let each = values.iter_mut();
    vectorized(|| match kind {
        Activation::Linear => {}
        Activation::Relu => each.for_each(|v| *v = v.max(0.0)),
        Activation::Gelu => each.for_each(|v| *v *= normal_cdf(*v)),
        Activation::Tanh => each.for_each(|v| *v = tanh(*v)),
        Activation::Sigmoid => each.for_each(|v| *v = sigmoid(*v)),
        Activation::Silu => each.for_each(|v| *v *= sigmoid(*v)),
        Activation::SmoothStep => each.for_each(|v| {
            let x = v.clamp(-0.5, 0.5);
            *v = 0.5 + x * (1.5 - 2.0 * x * x);
        }),
        Activation::Entropy => each.for_each(|v| *v *= -(*v + TINY).ln()),
    });
}

/// Multiplies a cotangent by `f'`. `seen` is the output `y` for relu, tanh and sigmoid, the input `x` for others.
pub(super) fn pull_back(kind: Activation, cotangent: &mut [f32], seen: &[f32]) {
    let each = cotangent.iter_mut().zip(seen);
    vectorized(|| match kind {
        Activation::Linear => {}
        Activation::Relu => each.for_each(|(c, y)| *c = if *y > 0.0 { *c } else { 0.0 }),
        Activation::Tanh => each.for_each(|(c, y)| *c *= 1.0 - y * y),
        Activation::Sigmoid => each.for_each(|(c, y)| *c *= y * (1.0 - y)),
        Activation::Gelu => each.for_each(|(c, x)| *c *= normal_cdf(*x) + x * normal_pdf(*x)),
        Activation::Silu => each.for_each(|(c, x)| {
            let s = sigmoid(*x);
            *c *= s * (1.0 + x * (1.0 - s));
        }),
        Activation::SmoothStep => each.for_each(|(c, x)| *c *= (1.5 - 6.0 * x * x).max(0.0)),
        Activation::Entropy => each.for_each(|(c, x)| *c *= -(x + TINY).ln() - x / (x + TINY)),
    });
}

/// Whether the derivative is read off the output; otherwise off the input.
pub(super) fn from_output(kind: Activation) -> bool {
    !matches!(kind, Activation::Gelu | Activation::Silu | Activation::SmoothStep | Activation::Entropy)
}

/// What follows an op that has left its pre-activation in `out`, rectified already where it is relu. `saved` takes the
/// pre-activation where the derivative needs it.
pub(super) fn follow(lane: &mut Lane<'_>, kind: Activation, out: Range<usize>, saved: Range<usize>) {
    if matches!(kind, Activation::Linear | Activation::Relu) {
        return;
    }
    if !saved.is_empty() {
        let (y, saved) = read_write(lane.arena, out.clone(), saved);
        saved.copy_from_slice(y);
    }
    apply(kind, &mut lane.arena[out]);
}

/// Turns the cotangent `own` of such an op into that of its pre-activation.
pub(super) fn retrace(
    lane: &mut Lane<'_>,
    kind: Activation,
    out: Range<usize>,
    saved: Range<usize>,
    own: Range<usize>,
) {
    if kind != Activation::Linear {
        let seen = if from_output(kind) { out } else { saved };
        let (seen, own) = read_write(lane.arena, seen, own);
        pull_back(kind, own, seen);
    }
}

pub(super) struct Elementwise {
    pub kind: Activation,
    pub wiring: Wiring,
}

impl Kernel for Elementwise {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (x, y) = read_write(lane.arena, lane.range(w.inputs[0]), lane.range(w.out));
        y.copy_from_slice(x);
        apply(self.kind, y);
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let seen = lane.range(if from_output(self.kind) { w.out } else { w.inputs[0] });
        for copy in 0..w.copies {
            let (seen, own) = read_write(lane.arena, seen.clone(), lane.copies(w.cotangent, copy, 1));
            pull_back(self.kind, own, seen);
        }
        for_each_copy(lane, w.cotangent, flow, super::put);
    }
}
