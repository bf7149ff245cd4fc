//! Elementwise non-linearities.

use super::math::{normal, sigmoid, tanh};
use super::{Kernel, Lane, disjoint, for_each_copy, read_write, vectorized};
use crate::wiring::Wiring;
use polytask_graph::Activation;
use std::ops::Range;

/// Keeps the logarithm of a probability finite.
const TINY: f32 = 1e-6;

/// `min(max(x + 3, 0), 6) / 6`
#[inline(always)]
fn hard_sigmoid(x: f32) -> f32 {
    (x + 3.0).clamp(0.0, 6.0) * (1.0 / 6.0)
}

/// `values = f(values)`
fn apply(kind: Activation, values: &mut [f32]) {
    let each = values.iter_mut();
    vectorized(
        #[inline(always)]
        || match kind {
            Activation::Linear => {}
            Activation::Relu => each.for_each(|v| *v = v.max(0.0)),
            Activation::Relu6 => each.for_each(|v| *v = v.clamp(0.0, 6.0)),
            Activation::Gelu => each.for_each(|v| *v *= normal(*v)[0]),
            Activation::Tanh => each.for_each(|v| *v = tanh(*v)),
            Activation::Sigmoid => each.for_each(|v| *v = sigmoid(*v)),
            Activation::Silu => each.for_each(|v| *v *= sigmoid(*v)),
            Activation::HardSigmoid => each.for_each(|v| *v = hard_sigmoid(*v)),
            Activation::HardSwish => each.for_each(|v| *v *= hard_sigmoid(*v)),
            Activation::SmoothStep => each.for_each(|v| {
                let x = v.clamp(-0.5, 0.5);
                *v = 0.5 + x * (1.5 - 2.0 * x * x);
            }),
            Activation::Entropy => each.for_each(|v| *v *= -(*v + TINY).ln()),
        },
    );
}

/// `values = f(values)`, and `slopes = f'(values)`, of those that [`from_output`] does not know: worked out together, one costs
/// little more than the other.
fn apply_with_slopes(kind: Activation, values: &mut [f32], slopes: &mut [f32]) {
    let each = values.iter_mut().zip(slopes);
    vectorized(
        #[inline(always)]
        || match kind {
            Activation::Linear
            | Activation::Relu
            | Activation::Relu6
            | Activation::Tanh
            | Activation::Sigmoid
            | Activation::HardSigmoid => {}
            Activation::Gelu => each.for_each(|(v, slope)| {
                let x = *v;
                let [cdf, pdf] = normal(x);
                (*v, *slope) = (x * cdf, cdf + x * pdf);
            }),
            Activation::Silu => each.for_each(|(v, slope)| {
                let x = *v;
                let s = sigmoid(x);
                (*v, *slope) = (x * s, s * (1.0 + x * (1.0 - s)));
            }),
            Activation::HardSwish => each.for_each(|(v, slope)| {
                let x = *v;
                let (inside, above) = (x > -3.0 && x < 3.0, if x >= 3.0 { 1.0 } else { 0.0 });
                *slope = if inside { x * (1.0 / 3.0) + 0.5 } else { above };
                *v = x * hard_sigmoid(x);
            }),
            Activation::SmoothStep => each.for_each(|(v, slope)| {
                let x = v.clamp(-0.5, 0.5);
                *slope = (1.5 - 6.0 * *v * *v).max(0.0);
                *v = 0.5 + x * (1.5 - 2.0 * x * x);
            }),
            Activation::Entropy => each.for_each(|(v, slope)| {
                let x = *v;
                let log = (x + TINY).ln();
                (*v, *slope) = (-x * log, -log - x / (x + TINY));
            }),
        },
    );
}

/// Multiplies a cotangent by `f'`. `seen` is the output `y` where [`from_output`] says so, else the slope.
fn pull_back(kind: Activation, cotangent: &mut [f32], seen: &[f32]) {
    let each = cotangent.iter_mut().zip(seen);
    vectorized(
        #[inline(always)]
        || match kind {
            Activation::Linear => {}
            Activation::Relu => each.for_each(|(c, y)| *c = if *y > 0.0 { *c } else { 0.0 }),
            Activation::Relu6 => each.for_each(|(c, y)| *c = if *y > 0.0 && *y < 6.0 { *c } else { 0.0 }),
            Activation::HardSigmoid => {
                each.for_each(|(c, y)| *c = if *y > 0.0 && *y < 1.0 { *c * (1.0 / 6.0) } else { 0.0 });
            }
            Activation::Tanh => each.for_each(|(c, y)| *c *= 1.0 - y * y),
            Activation::Sigmoid => each.for_each(|(c, y)| *c *= y * (1.0 - y)),
            Activation::Gelu
            | Activation::Silu
            | Activation::HardSwish
            | Activation::SmoothStep
            | Activation::Entropy => {
                each.for_each(|(c, slope)| *c *= slope);
            }
        },
    );
}

/// Whether the derivative is read off the output; otherwise it is saved.
pub(super) fn from_output(kind: Activation) -> bool {
    match kind {
        Activation::Linear
        | Activation::Relu
        | Activation::Relu6
        | Activation::Tanh
        | Activation::Sigmoid
        | Activation::HardSigmoid => true,
        Activation::Gelu | Activation::Silu | Activation::HardSwish | Activation::SmoothStep | Activation::Entropy => {
            false
        }
    }
}

/// What follows an op that has left its pre-activation in `out`, rectified already where it is relu. `saved` takes the slope
/// where the output does not tell it.
pub(super) fn follow(lane: &mut Lane<'_>, kind: Activation, out: Range<usize>, saved: Range<usize>) {
    match kind {
        Activation::Linear | Activation::Relu => {}
        Activation::Relu6
        | Activation::Gelu
        | Activation::Tanh
        | Activation::Sigmoid
        | Activation::Silu
        | Activation::HardSigmoid
        | Activation::HardSwish
        | Activation::SmoothStep
        | Activation::Entropy => match saved.is_empty() {
            true => apply(kind, &mut lane.arena[out]),
            false => {
                let [y, slopes] = disjoint(lane.arena, [out, saved]);
                apply_with_slopes(kind, y, slopes);
            }
        },
    }
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
        if self.kind == Activation::Relu {
            return vectorized(
                #[inline(always)]
                || y.iter_mut().zip(x).for_each(|(y, x)| *y = x.max(0.0)),
            );
        }
        y.copy_from_slice(x);
        follow(lane, self.kind, lane.range(w.out), lane.range(w.saved));
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        for copy in 0..w.copies {
            let own = lane.copies(w.cotangent, copy, 1);
            retrace(lane, self.kind, lane.range(w.out), lane.range(w.saved), own);
        }
        for_each_copy(lane, w.cotangent, flow, super::put);
    }
}
