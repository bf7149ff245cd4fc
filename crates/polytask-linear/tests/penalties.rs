//! What every penalty must be: its proximal map is the minimum it says, its conjugate bounds it, its ceiling is where weights
//! become 0.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Noise, penalties, sum};
use polytask_linear::{Matrix, Penalty};

/// Six features, four tasks of one column, and three features, four tasks of two.
const SHAPES: [(usize, &[usize]); 3] = [(6, &[1, 1, 1, 1]), (3, &[2, 2, 2, 2]), (2, &[1, 1, 1, 1])];

fn distance(a: &[Matrix], b: &[Matrix]) -> f64 {
    let one = |(a, b): (&Matrix, &Matrix)| a.values().iter().zip(b.values()).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    a.iter().zip(b).map(one).sum()
}

fn each(mut check: impl FnMut(&str, &dyn Penalty, usize, usize, &mut Noise)) {
    for (rows, blocks) in SHAPES {
        for (name, penalty) in penalties(blocks) {
            let mut noise = Noise(17);
            for _ in 0..5 {
                check(name, penalty.as_ref(), rows, blocks.iter().sum(), &mut noise);
            }
        }
    }
}

#[test]
fn a_proximal_map_is_the_nearest_cheap_point() {
    each(|name, penalty, rows, columns, noise| {
        let given: Vec<Matrix> = (0..penalty.parts()).map(|_| noise.matrix(rows, columns)).collect();
        for step in [0.05, 0.7, 5.0] {
            let mut best = given.clone();
            penalty.prox(&mut best, step);
            let objective = |parts: &[Matrix]| 0.5 * distance(parts, &given) + step * penalty.value(parts);
            let least = objective(&best);
            for size in [1e-4, 1e-2, 0.3] {
                for _ in 0..20 {
                    let mut other = best.clone();
                    other.iter_mut().for_each(|part| part.add(size, &noise.matrix(rows, columns)));
                    assert!(objective(&other) >= least - 1e-12 * least.abs(), "{name}, step {step}, {size} away");
                }
                // Towards 0 and towards the given point as well, where penalties have their corners.
                for towards in [&vec![Matrix::zeros(rows, columns); penalty.parts()], &given] {
                    let mut other = best.clone();
                    for (part, end) in other.iter_mut().zip(towards) {
                        part.values_mut().iter_mut().zip(end.values()).for_each(|(w, end)| *w += size * (end - *w));
                    }
                    assert!(objective(&other) >= least - 1e-12 * least.abs(), "{name}, step {step}, {size} towards");
                }
            }
        }
    });
}

#[test]
fn a_conjugate_bounds_the_product_and_is_reached() {
    each(|name, penalty, rows, columns, noise| {
        let slope = noise.matrix(rows, columns);
        let Some(conjugate) = penalty.conjugate(&slope) else {
            // A norm: the product is at most the norm times the dual norm.
            let parts: Vec<Matrix> = (0..penalty.parts()).map(|_| noise.matrix(rows, columns)).collect();
            let bound = penalty.value(&parts) * penalty.ceiling(&slope);
            assert!(sum(&parts).dot(&slope) <= bound * (1.0 + 1e-12), "{name}");
            return;
        };
        let value = |w: &Matrix| slope.dot(w) - penalty.value(std::slice::from_ref(w));
        for size in [0.1, 1.0, 10.0] {
            let mut other = noise.matrix(rows, columns);
            other.values_mut().iter_mut().for_each(|w| *w *= size);
            assert!(value(&other) <= conjugate + 1e-12, "{name}");
        }
        // The maximum by proximal steps: w <- prox(w + slope).
        let mut w = vec![Matrix::zeros(rows, columns)];
        for _ in 0..20_000 {
            w[0].add(1.0, &slope);
            penalty.prox(&mut w, 1.0);
        }
        assert!((value(&w[0]) - conjugate).abs() < 1e-6 * conjugate.max(1.0), "{name}: {} {conjugate}", value(&w[0]));
    });
}

#[test]
fn above_the_ceiling_everything_is_zero_and_below_something_is_not() {
    each(|name, penalty, rows, columns, noise| {
        let slope = noise.matrix(rows, columns);
        let ceiling = penalty.ceiling(&slope);
        let proximal = |strength: f64| {
            let mut parts = vec![slope.clone(); penalty.parts()];
            penalty.prox(&mut parts, strength);
            parts.iter().any(|part| part.values().iter().any(|w| w.abs() > 1e-12))
        };
        match ceiling.is_finite() {
            true => assert_eq!((proximal(ceiling * 1.001), proximal(ceiling * 0.999)), (false, true), "{name}"),
            false => assert!(proximal(1e6), "{name}"),
        }
    });
}

#[test]
fn values_as_their_formulas_say() {
    let w = Matrix::from_fn(2, 4, |j, t| [[3.0, 0.0, -4.0, 0.0], [0.0, 1.0, 0.0, 0.0]][j][t]);
    let blocks = [1, 1, 1, 1];
    let value = |name: &str| {
        let penalty = penalties(&blocks).into_iter().find(|(n, _)| *n == name).unwrap().1;
        let mut parts = vec![w.clone()];
        parts.extend((1..penalty.parts()).map(|_| Matrix::from_fn(2, 4, |j, t| f64::from(u8::from(j == 1 && t == 3)))));
        penalty.value(&parts)
    };
    let close = |name: &str, expected: f64| {
        let got = value(name);
        assert!((got - expected).abs() < 1e-12, "{name}: {got}, expected {expected}");
    };
    close("ridge", 13.0);
    close("lasso", 8.0);
    close("elastic net", 0.4 * 8.0 + 0.6 * 13.0);
    close("l21", 6.0);
    close("trace", 6.0);
    // Means are -0.25 and 0.25.
    close("mean", 0.5 * (26.0 - 4.0 * (0.0625 + 0.0625)) + 0.05 * 26.0);
    // Edges 0-1, 1-2 (a half) and 0-3 (twice).
    close("graph", 0.5 * (10.0 + 0.5 * 17.0 + 2.0 * 9.0) + 0.1 * 26.0);
    close("sparse + low-rank", 6.0 + 0.3);
    close("robust", 6.0 + 0.7);
    close("dirty", 5.0 + 0.5);
    // Two groups: both singular values, 5 and 1, have all of M.
    close("clustered", 0.5 * 0.3 * 26.0);
    // One: a s - step within [1, 2], the sum over 2 of them 3: theta = 2 and 1.
    close("clustered in one", 0.5 * 2.0 * (25.0 / 2.0 + 1.0));
}

#[test]
fn clustered_is_the_distance_within_groups_for_exact_groups() {
    // Two groups of two equal tasks each, at right angles: nothing within, so only the ridge part is left.
    let w = Matrix::from_fn(2, 4, |j, t| f64::from(u8::from(j == t / 2)));
    let penalty = polytask_linear::Clustered::new(2, 0.3, &[1; 4]).unwrap();
    assert!((penalty.value(std::slice::from_ref(&w)) - 0.5 * 0.3 * 4.0).abs() < 1e-12);
    let one = polytask_linear::Clustered::new(1, 0.3, &[1; 4]).unwrap();
    assert!(one.value(&[w]) > 0.5 * 0.3 * 4.0 + 0.1);
}
