//! The logit of a product of probabilities: `z = logit(p)`, `p = prod_i sigmoid(x_i)`.

use super::{Kernel, Lane, Others, around, with_each_copy};
use crate::wiring::Wiring;

pub(super) struct AllOf {
    pub wiring: Wiring,
}

impl AllOf {
    /// `ln p` of one element, below 0. In f64, which heads of one output can afford: near `p = 1` the difference `1 - p`
    /// is all that is left.
    fn log(&self, others: Others<'_>, at: usize) -> f64 {
        let log = |x: f32| {
            let x = f64::from(x);
            x.min(0.0) - (-x.abs()).exp().ln_1p()
        };
        let sum: f64 = self.wiring.inputs.iter().map(|input| log(others.of(*input)[at])).sum();
        sum.min(-f64::MIN_POSITIVE)
    }
}

impl Kernel for AllOf {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (others, y) = around(lane, lane.range(self.wiring.out));
        for (at, y) in y.iter_mut().enumerate() {
            let log = self.log(others, at);
            *y = (log - (-log.exp_m1()).ln()) as f32;
        }
    }

    /// `dz / dx_i = (1 - sigmoid(x_i)) / (1 - p)`
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        for (input, flow) in w.inputs.iter().zip(&w.flows) {
            let Some(flow) = flow else { continue };
            with_each_copy(lane, w.cotangent, flow, |others, dy, dx, accumulate| {
                let x = others.of(*input);
                for (at, ((dx, x), dy)) in dx.iter_mut().zip(x).zip(dy).enumerate() {
                    let rest = -self.log(others, at).exp_m1();
                    let own = dy * (1.0 / (1.0 + f64::from(*x).exp()) / rest) as f32;
                    *dx = if accumulate { *dx + own } else { own };
                }
            });
        }
    }
}
