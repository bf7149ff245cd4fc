//! The strictly convex problem of Nash-MTL and FairGrad, by Newton's method.

use crate::gramian::{Gramian, dot};
use polytask_math::algebra::Cholesky;

/// Keeps the minimum finite where gradients cancel exactly: relative to each gradient's own squared norm.
const RIDGE: f64 = 1e-10;
const ROUNDS: usize = 200;

/// The `w > 0` with `(G w)_i = w_i^(-1/alpha)` for all `i`: alpha-fair weights. All of `G`'s diagonal must be positive.
///
/// It is the minimiser of `0.5 w^T G w - sum_i phi(w_i)` with `phi' = w^(-1/alpha)`, which is strictly convex. Where a
/// combination of the gradients vanishes no solution exists (the weights grow without end); a ridge of 1e-10 of each
/// squared norm then bounds them.
pub(crate) fn proportional(gramian: &Gramian, alpha: f64) -> Vec<f64> {
    let size = gramian.size();
    let alone: Vec<f64> = (0..size).map(|i| gramian.get(i, i).powf(-alpha / (1.0 + alpha))).collect();
    let scaled = gramian.scaled(&alone);
    let scale: Vec<f64> = (0..size).map(|i| scaled.get(i, i)).collect();
    let mut m = scaled.values().to_vec();
    for i in 0..size {
        m[i * size + i] += RIDGE * scale[i];
    }
    let mut b = vec![1.0; size];
    newton(&m, -1.0 / alpha, &scale, &mut b);
    b.iter().zip(&alone).map(|(b, k)| b * k).collect()
}

/// `M b = scale b^power` for `power < 0`, where `scale` is `M`'s diagonal: each unknown is in units of its solution
/// without the others. A damped Newton method on the convex objective.
fn newton(m: &[f64], power: f64, scale: &[f64], b: &mut Vec<f64>) {
    let slope = |b: &[f64]| -> Vec<f64> {
        times(m, b).iter().zip(b).zip(scale).map(|((y, b), s)| y - s * b.powf(power)).collect()
    };
    let mut before = f64::INFINITY;
    for _ in 0..ROUNDS {
        let gradient = slope(b);
        let diagonal: Vec<f64> = b.iter().zip(scale).map(|(b, s)| -power * s * b.powf(power - 1.0)).collect();
        let right: Vec<f64> = gradient.iter().map(|g| -g).collect();
        let Some(step) = newton_step(m, &diagonal, &right) else { return };
        let (mut reach, mut largest) = (1.0_f64, 0.0_f64);
        for (b, s) in b.iter().zip(&step) {
            largest = largest.max((s / b).abs());
            // No unknown may fall to zero.
            reach = reach.min(if *s < 0.0 { 0.9 * b / -s } else { 1.0 });
        }
        let descent = dot(&gradient, &step);
        let moved = |reach: f64| -> Vec<f64> { b.iter().zip(&step).map(|(b, s)| b + reach * s).collect() };
        let mut next = moved(reach);
        // Along the step the objective is convex: it has gone too far where it rises half as steeply as it fell.
        while largest > 0.1 && reach > 1e-10 && dot(&slope(&next), &step) > -0.5 * descent {
            reach *= 0.5;
            next = moved(reach);
        }
        *b = next;
        // The error squares itself each round, so this step has brought it to rounding; where gradients nearly cancel
        // rounding is larger, and the steps stop shrinking.
        if largest < 1e-7 || largest < 1e-3 && largest > 0.5 * before {
            return;
        }
        before = largest;
    }
}

/// The solution of `(M + diag(diagonal)) step = right`.
fn newton_step(m: &[f64], diagonal: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let size = right.len();
    let mut hessian = m.to_vec();
    for i in 0..size {
        hessian[i * size + i] += diagonal[i];
    }
    let mut step = right.to_vec();
    Cholesky::whole(&hessian, size, 0.0)?.solve(&mut step);
    step.iter().all(|s| s.is_finite()).then_some(step)
}

fn times(m: &[f64], b: &[f64]) -> Vec<f64> {
    m.chunks_exact(b.len()).map(|row| dot(row, b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest error of `G w = w^(-1/alpha)`, relative to the terms that make it up: where they cancel, rounding
    /// (and the ridge) is all that can be asked for.
    fn residual(g: &Gramian, w: &[f64], alpha: f64) -> f64 {
        let error = |i: usize| {
            let terms: f64 = g.row(i).iter().zip(w).map(|(g, w)| (g * w).abs()).sum();
            (g.times(w)[i] - w[i].powf(-1.0 / alpha)).abs() / terms
        };
        (0..w.len()).map(error).fold(0.0, f64::max)
    }

    #[test]
    fn two_tasks_weigh_inversely_to_their_norms() {
        let g = Gramian::symmetric(2, |i, j| [[4.0, -3.0], [-3.0, 9.0]][i][j]);
        let w = proportional(&g, 1.0);
        assert!((w[0] / w[1] - 1.5).abs() < 1e-8);
        assert!(residual(&g, &w, 1.0) < 1e-9);
    }

    #[test]
    fn every_fairness_and_scale() {
        for alpha in [0.1, 0.5, 1.0, 2.0, 5.0, 10.0] {
            for scale in [1e-10, 1.0, 1e15] {
                let scales = [1.0, scale, 3.0];
                let g = Gramian::symmetric(3, |i, j| {
                    [[1.0, -0.9, 0.3], [-0.9, 1.0, -0.2], [0.3, -0.2, 1.0]][i][j] * scales[i] * scales[j]
                });
                let w = proportional(&g, alpha);
                let error = residual(&g, &w, alpha);
                assert!(error < 1e-9, "alpha {alpha}, scale {scale}: {error}");
            }
        }
    }

    #[test]
    fn exactly_opposed_gradients_stay_finite() {
        let g = Gramian::symmetric(2, |i, j| if i == j { 1.0 } else { -1.0 });
        let w = proportional(&g, 1.0);
        assert!(w.iter().all(|w| w.is_finite() && *w > 0.0 && *w < 1e6), "{w:?}");
    }
}
