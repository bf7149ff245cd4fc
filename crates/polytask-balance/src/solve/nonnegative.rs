//! Quadratic programs over vectors that are not negative: the one active-set solver behind every exact method here.

use crate::gramian::{Gramian, dot};
use polytask_math::algebra::Cholesky;

/// The minimiser of `0.5 x^T K x + q^T x` over `x >= 0`.
///
/// `K` is symmetric positive semidefinite and the minimum exists (`q` is `K` times something, or `K` is definite). The
/// active-set method of Lawson and Hanson ("Solving Least Squares Problems", 1974, ch. 23) in its normal-equation form:
/// variables enter one by one at the steepest (scaled) descent, and leave when a step would make them negative. A
/// variable that depends on the active ones cannot improve the minimum and is not let in, so a singular `K` is no
/// trouble. It begins with every variable that descends at zero, which is most often nearly the answer.
///
/// The result satisfies `x >= 0`, `K x + q >= 0` and `x^T (K x + q) = 0` up to rounding.
pub(crate) fn nonnegative(k: &[f64], q: &[f64]) -> Vec<f64> {
    let size = q.len();
    let mut x = vec![0.0; size];
    let mut factor = Cholesky::default();
    let mut barred = vec![false; size];

    for j in (0..size).filter(|&j| q[j] < 0.0) {
        factor.push(k, size, j);
    }
    while let Some(y) = minimiser(&factor, q) {
        if y.iter().all(|&v| v > 0.0) {
            factor.active().iter().zip(y).for_each(|(&j, v)| x[j] = v);
            break;
        }
        // All that went below zero leave at once; the factor stays up to the first of them.
        let first = y.iter().position(|&v| v <= 0.0).unwrap_or(0);
        let keep: Vec<usize> =
            factor.active()[first..].iter().zip(&y[first..]).filter(|(_, v)| **v > 0.0).map(|(&j, _)| j).collect();
        factor.truncate(first);
        for j in keep {
            factor.push(k, size, j);
        }
    }

    // Each round lowers the objective, so no active set comes twice; the bound only guards against rounding.
    for _ in 0..20 * size {
        let Some(enter) = steepest(k, q, &x, &barred) else { break };
        if !factor.push(k, size, enter) {
            barred[enter] = true;
            continue;
        }
        let mut entered = true;
        while let Some(y) = minimiser(&factor, q) {
            // Rounding may show a descent that is none: the variable that just entered would leave at once.
            let last = factor.active().len() - 1;
            if entered && y[last] <= 0.0 {
                factor.remove(last);
                barred[enter] = true;
                break;
            }
            entered = false;
            let Some((place, reach)) = first_to_leave(factor.active(), &x, &y) else {
                barred.fill(false);
                factor.active().iter().zip(y).for_each(|(&j, v)| x[j] = v);
                break;
            };
            for (&j, &v) in factor.active().iter().zip(&y) {
                x[j] += reach * (v - x[j]);
            }
            x[factor.active()[place]] = 0.0;
            factor.remove(place);
        }
    }
    x
}

/// The minimiser over the active variables alone, whatever its signs; `None` without any.
fn minimiser(factor: &Cholesky, q: &[f64]) -> Option<Vec<f64>> {
    let mut y: Vec<f64> = factor.active().iter().map(|&j| -q[j]).collect();
    factor.solve(&mut y);
    (!y.is_empty()).then_some(y)
}

/// The idle variable whose entry descends most steeply, in units of its own scale; `None` if none does beyond rounding.
fn steepest(k: &[f64], q: &[f64], x: &[f64], barred: &[bool]) -> Option<usize> {
    let size = q.len();
    let noise = 4.0 * (size + 2) as f64 * f64::EPSILON;
    let mut best = (0.0, None);
    for j in (0..size).filter(|&j| x[j] == 0.0 && !barred[j]) {
        let row = &k[j * size..(j + 1) * size];
        let slope = dot(row, x) + q[j];
        if slope >= 0.0 {
            continue;
        }
        let terms: f64 = row.iter().zip(x).map(|(k, x)| (k * x).abs()).sum();
        let scaled = slope / row[j].sqrt();
        if -slope > noise * (terms + q[j].abs()) && scaled < best.0 {
            best = (scaled, Some(j));
        }
    }
    best.1
}

/// On the way from `x` to `y`: the active variable that first reaches zero, and the share of the way it takes.
fn first_to_leave(active: &[usize], x: &[f64], y: &[f64]) -> Option<(usize, f64)> {
    let mut first: Option<(usize, f64)> = None;
    for (place, (&j, &v)) in active.iter().zip(y).enumerate() {
        if v <= 0.0 {
            let reach = x[j] / (x[j] - v);
            if first.is_none_or(|(_, least)| reach < least) {
                first = Some((place, reach));
            }
        }
    }
    first.map(|(place, reach)| (place, if reach.is_finite() { reach } else { 0.0 }))
}

/// The weights of the projection of `J^T target` onto the cone of directions that conflict with no task:
/// `argmin v^T G v` over `v >= target`.
///
/// The result satisfies `v >= target`, `G v >= 0` and `(v - target)^T G v = 0` up to rounding.
pub(crate) fn dual_cone(gramian: &Gramian, target: &[f64]) -> Vec<f64> {
    let slopes = gramian.times(target);
    let mut v = nonnegative(gramian.values(), &slopes);
    v.iter_mut().zip(target).for_each(|(v, t)| *v += t);
    v
}
