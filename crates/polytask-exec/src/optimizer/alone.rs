//! The step that an optimiser would make of one task's gradient alone.

use super::adam::correction;
use super::{OptimizerState, Rule};
use std::ops::Range;

/// How far a gradient would move each parameter if the next step were for it alone: `rate g` for gradient descent, `rate g /
/// (sqrt(v) + epsilon)` for Adam, with the squares of the steps before and this gradient's in `v`. Momentum is left out: it
/// belongs to no task.
#[derive(Clone, Copy, Debug)]
pub enum Alone<'a> {
    /// Gradient descent.
    Plain {
        /// Learning rate.
        rate: f32,
    },
    /// `v = kept squares + new g^2`.
    Adam {
        /// Learning rate.
        rate: f32,
        /// Added to the root.
        epsilon: f32,
        /// The running mean of squares, flat as the parameters are.
        squares: &'a [f32],
        /// Share of it in `v`.
        kept: f32,
        /// Share of this gradient's square.
        new: f32,
    },
}

impl<'a> Alone<'a> {
    /// From where an optimiser of this rule stands.
    pub fn new(rule: Rule, state: &'a OptimizerState, rate: f64) -> Self {
        match (rule, state.moments.get(1)) {
            (Rule::Adam { beta2, epsilon, .. }, Some(squares)) => {
                let correction = correction(beta2, state.step + 1);
                let beta2 = f64::from(beta2);
                let (kept, new) = ((beta2 / correction) as f32, ((1.0 - beta2) / correction) as f32);
                Alone::Adam { rate: rate as f32, epsilon, squares, kept, new }
            }
            (Rule::Adam { .. } | Rule::Sgd { .. }, _) => Alone::Plain { rate: rate as f32 },
        }
    }

    /// `values = start - step(gradient)`, of the parameters that stand at `at` among all.
    pub fn apply(&self, at: Range<usize>, start: &[f32], gradient: &[f32], values: &mut [f32]) {
        let moved = values.iter_mut().zip(start).zip(gradient);
        match *self {
            Alone::Plain { rate } => moved.for_each(|((v, w), g)| *v = w - rate * g),
            Alone::Adam { rate, epsilon, squares, kept, new } => {
                moved.zip(&squares[at]).for_each(|(((v, w), g), s)| {
                    *v = w - rate * g / ((kept * s + new * g * g).sqrt() + epsilon);
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Optimizer;
    use super::*;

    /// With no mean of gradients the rule's own step is the step of the gradient alone.
    #[test]
    fn it_is_the_rules_own_step_without_momentum() {
        let rules = [
            Rule::Sgd { momentum: 0.0, nesterov: false },
            Rule::Adam { beta1: 0.0, beta2: 0.9, epsilon: 1e-4, decay: 0.0 },
        ];
        for rule in rules {
            let mut optimizer = Optimizer::new(rule, 3);
            let mut values = [1.0f32, -2.0, 0.5];
            for step in 0..5 {
                let gradient = [0.3 + step as f32, -0.1, 0.02];
                let start = values;
                let mut alone = [0.0; 2];
                Alone::new(rule, optimizer.state(), 0.1).apply(1..3, &start[1..], &gradient[1..], &mut alone);
                optimizer.step(0.1, &mut values, &gradient);
                for (a, b) in alone.iter().zip(&values[1..]) {
                    assert!((a - b).abs() < 1e-6, "{rule:?}, step {step}: {a} {b}");
                }
            }
        }
    }
}
