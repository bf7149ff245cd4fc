//! Gradient descent with momentum.

use crate::vectorized;

#[derive(Clone, Copy, Debug)]
pub(super) struct Sgd {
    pub rate: f32,
    pub momentum: f32,
    pub nesterov: bool,
}

impl Sgd {
    /// `v = momentum v + g`; `w -= rate v`, or `w -= rate (g + momentum v)`.
    pub(super) fn apply(&self, values: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        let Sgd { rate, momentum, nesterov } = *self;
        vectorized(
            #[inline(always)]
            || {
                if velocity.is_empty() {
                    values.iter_mut().zip(gradient).for_each(|(w, g)| *w -= rate * g);
                    return;
                }
                for ((w, g), v) in values.iter_mut().zip(gradient).zip(velocity) {
                    *v = momentum * *v + g;
                    *w -= rate * if nesterov { g + momentum * *v } else { *v };
                }
            },
        );
    }
}
