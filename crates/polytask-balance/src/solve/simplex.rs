//! The simplex `w >= 0, sum w = 1`: projection onto it, and the shortest vector of a convex hull.

use super::nonnegative;
use crate::gramian::Gramian;

/// The nearest point of the simplex (by sorting; Duchi et al., ICML 2008).
pub(crate) fn project(w: &mut [f64]) {
    let mut sorted = w.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut sum = 0.0;
    let mut shift = 0.0;
    for (i, value) in sorted.iter().enumerate() {
        sum += value;
        let candidate = (sum - 1.0) / (i + 1) as f64;
        if *value > candidate {
            shift = candidate;
        }
    }
    w.iter_mut().for_each(|v| *v = (*v - shift).max(0.0));
}

/// `argmin w^T G w` over the simplex: the weights of the shortest vector in the hull of the gradients.
///
/// On the simplex `G` and `G + delta 1 1^T` have the same minimiser, and that of the latter is the solution of
/// `min 0.5 u^T (G + delta 1 1^T) u - 1^T u, u >= 0`, divided by its sum. With `delta` the smallest squared norm, the
/// small gradients, on which the shortest vector depends, are not lost beside the large. Zero gradients share all the
/// weight.
///
/// The result satisfies `G w >= (w^T G w) 1` with equality where `w > 0`, up to rounding.
pub(crate) fn shortest(gramian: &Gramian) -> Vec<f64> {
    let size = gramian.size();
    let zeros = (0..size).filter(|&i| gramian.get(i, i) <= 0.0).count();
    if zeros > 0 {
        let share = 1.0 / zeros as f64;
        return (0..size).map(|i| if gramian.get(i, i) <= 0.0 { share } else { 0.0 }).collect();
    }
    // In units of the smallest squared norm, so that the shift is 1 whatever the scale.
    let unit = (0..size).map(|i| gramian.get(i, i)).fold(f64::INFINITY, f64::min);
    let shifted: Vec<f64> = gramian.values().iter().map(|v| v / unit + 1.0).collect();
    let mut u = nonnegative(&shifted, &vec![-1.0; size]);
    let sum: f64 = u.iter().sum();
    u.iter_mut().for_each(|v| *v /= sum);
    u
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projects_onto_the_simplex() {
        let mut w = [0.5, 0.5, 0.5];
        project(&mut w);
        assert!(w.iter().all(|v| (v - 1.0 / 3.0).abs() < 1e-15));
        let mut w = [2.0, -1.0, 0.3];
        project(&mut w);
        assert_eq!(w, [1.0, 0.0, 0.0]);
    }

    /// `min(G w - w^T G w)` is zero at the solution; w sums to one.
    #[test]
    fn shortest_vector_of_two_is_the_closed_form() {
        for (a, b, c) in [(18.0, 38.0, -22.0), (1.0, 4.0, 1.5), (1.0, 1e-20, -1e-11), (1e30, 1.0, 3e14)] {
            let g = Gramian::symmetric(2, |i, j| [[a, c], [c, b]][i][j]);
            let w = shortest(&g);
            let first = ((b - c) / (a + b - 2.0 * c)).clamp(0.0, 1.0);
            assert!((w[0] - first).abs() <= 1e-12, "{w:?} {first}");
            assert!((w[0] + w[1] - 1.0).abs() < 1e-14);
        }
    }
}
