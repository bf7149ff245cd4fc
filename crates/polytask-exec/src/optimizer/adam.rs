//! Adam and AdamW.

use crate::vectorized;

/// What a mean of `beta` falls short of 1 by after so many steps, `1 - beta^step`. In f64: in f32, 1 - 0.999^1 would already
/// lose four digits.
pub(super) fn correction(beta: f32, step: u64) -> f64 {
    1.0 - (f64::from(beta).ln() * step as f64).exp()
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Adam {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    /// `rate / (1 - beta1^t)`
    rate: f32,
    /// `1 / sqrt(1 - beta2^t)`
    second: f32,
    /// `1 - rate * decay`
    keep: f32,
}

impl Adam {
    pub(super) fn new(step: u64, rate: f64, beta1: f32, beta2: f32, epsilon: f32, decay: f32) -> Self {
        Adam {
            beta1,
            beta2,
            epsilon,
            rate: (rate / correction(beta1, step)) as f32,
            second: (1.0 / correction(beta2, step).sqrt()) as f32,
            keep: (1.0 - rate * f64::from(decay)) as f32,
        }
    }

    /// The same at a multiple of the learning rate.
    pub(super) fn faster(self, times: f32) -> Self {
        Adam { rate: self.rate * times, keep: 1.0 - (1.0 - self.keep) * times, ..self }
    }

    /// `m = b1 m + (1 - b1) g`; `v = b2 v + (1 - b2) g^2`; `w -= rate m^ / (sqrt(v^) + epsilon)` with
    /// `m^ = m / (1 - b1^t)`, `v^ = v / (1 - b2^t)`.
    pub(super) fn apply(&self, values: &mut [f32], gradient: &[f32], m: &mut [f32], v: &mut [f32], decays: bool) {
        let Adam { beta1, beta2, epsilon, rate, second, keep } = *self;
        let keep = if decays { keep } else { 1.0 };
        vectorized(
            #[inline(always)]
            || {
                for (((w, g), m), v) in values.iter_mut().zip(gradient).zip(m).zip(v) {
                    *m = beta1 * *m + (1.0 - beta1) * g;
                    *v = beta2 * *v + (1.0 - beta2) * (g * g);
                    *w = *w * keep - rate * *m / (v.sqrt() * second + epsilon);
                }
            },
        );
    }
}
