//! Small rules for scalars: Adam (Kingma & Ba, ICLR 2015) for those that a method learns by itself, and the softmax.

use serde::{Deserialize, Serialize};

/// Moments of one scalar. Each has its own step count, so a scalar that sits a step out is untouched.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Adam {
    mean: f64,
    square: f64,
    steps: u32,
}

impl Adam {
    /// How far to move against `gradient`: `rate * m-hat / (sqrt(v-hat) + 1e-8)` with betas 0.9 and 0.999.
    pub(crate) fn step(&mut self, gradient: f64, rate: f64) -> f64 {
        let (b1, b2) = (0.9, 0.999_f64);
        self.steps = self.steps.saturating_add(1);
        let count = self.steps.min(1 << 30) as i32;
        self.mean = b1 * self.mean + (1.0 - b1) * gradient;
        self.square = b2 * self.square + (1.0 - b2) * gradient * gradient;
        let mean = self.mean / (1.0 - b1.powi(count));
        let square = self.square / (1.0 - b2.powi(count));
        rate * mean / (square.sqrt() + 1e-8)
    }
}

/// `softmax(z)`, shifted by the largest so that nothing overflows.
pub(crate) fn softmax(z: &[f64]) -> Vec<f64> {
    let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut p: Vec<f64> = z.iter().map(|v| (v - top).exp()).collect();
    let sum: f64 = p.iter().sum();
    p.iter_mut().for_each(|v| *v /= sum);
    p
}
