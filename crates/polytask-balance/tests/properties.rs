//! Properties that every method must have, and those that some promise, over the input families of `common`.

#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, which clippy does not see as such.

mod common;

use common::{Dice, everything, families, inner, make, norm, scaled, step, step_of};
use polytask_balance::{Direction, Family, Gramian, METHODS, Needs, Step};
use proptest::prelude::*;

/// The direction of a first step.
fn first(name: &str, keys: &str, j: &[Vec<f64>]) -> Direction {
    step(make(name, keys, j.len()).as_mut(), 0, j)
}

fn gramian(j: &[Vec<f64>]) -> Gramian {
    Gramian::new(j.len(), j.iter().flat_map(|a| j.iter().map(|b| inner(a, b))).collect()).unwrap()
}

#[test]
fn output_is_finite_everywhere() {
    for (family, j) in families() {
        for (name, keys) in everything() {
            let mut method = make(name, keys, j.len());
            for index in 0..5 {
                let answer = step(method.as_mut(), index, &j);
                let finite = |v: &[f64]| v.iter().all(|x| x.is_finite());
                assert_eq!(answer.direction.len(), j[0].len());
                assert_eq!((answer.weights.shared.len(), answer.weights.heads.len()), (j.len(), j.len()));
                assert!(finite(&answer.direction), "{name} {keys} on {family}: {:?}", answer.direction);
                assert!(finite(&answer.weights.shared), "{name} {keys} on {family}: {:?}", answer.weights);
                assert!(answer.weights.heads.iter().all(|w| w.is_finite() && *w >= 0.0), "{name} on {family}");
            }
        }
    }
}

/// A Gramian summed in single precision is no longer semidefinite; the weights must not run away with that.
#[test]
fn rounded_gramians_do_no_harm() {
    for (family, j) in families().into_iter().filter(|(family, _)| !family.contains("scale")) {
        let count = j.len();
        let exact = gramian(&j);
        let rounded = Gramian::new(count, exact.values().iter().map(|v| f64::from(*v as f32)).collect()).unwrap();
        let (present, losses): (Vec<usize>, Vec<f64>) = (0..count).map(|i| (i, 1.0)).unzip();
        for (name, keys) in everything() {
            let mut method = make(name, keys, count);
            if method.needs() != Needs::Gramian {
                continue;
            }
            let step = Step { index: 0, epoch: 0, tasks: &present, losses: &losses };
            let weights = method.weights(&step, Some(&rounded)).unwrap();
            assert!(weights.shared.iter().all(|w| w.is_finite()), "{name} {keys} on {family}");
            let largest = weights.shared.iter().fold(0.0f64, |top, w| top.max(w.abs()));
            if ["mgda", "upgrad", "dualproj", "pcgrad"].contains(&name) && !keys.contains("normalize") {
                assert!(largest < 1e5, "{name} {keys} on {family}: {largest}");
            }
        }
    }
}

/// The direction is what the weights say, for every method that gives weights.
#[test]
fn weights_make_the_direction() {
    let j = Dice(5).matrix(5, 9);
    for (name, keys) in everything() {
        let mut method = make(name, keys, 5);
        if method.needs() == Needs::Jacobian {
            continue;
        }
        let answer = step(method.as_mut(), 0, &j);
        for (k, d) in answer.direction.iter().enumerate() {
            let sum: f64 = answer.weights.shared.iter().zip(&j).map(|(w, row)| w * row[k]).sum();
            assert!((sum - d).abs() < 1e-12, "{name} {keys}");
        }
    }
}

/// `<g_i, d> >= -tolerance ||g_i|| ||d||`.
fn assert_no_conflict(what: &str, j: &[Vec<f64>], d: &[f64], tolerance: f64) {
    for row in j {
        assert!(inner(row, d) >= -tolerance * norm(row) * norm(d), "{what}: {}", inner(row, d));
    }
}

#[test]
fn conflict_averse_methods_conflict_with_no_task() {
    for (family, j) in families() {
        // The Gramian squares scales: beside a gradient 1e25 times larger nothing of a small one is left in 53 bits.
        if family == "mixed scales" {
            continue;
        }
        let longest = j.iter().map(|row| norm(row)).fold(0.0, f64::max);
        for (name, keys) in [
            ("mgda", "{}"),
            ("upgrad", r#"{"regularization": 0}"#),
            ("dualproj", r#"{"regularization": 0}"#),
            ("cagrad", r#"{"c": 1}"#),
            ("cagrad", r#"{"c": 3}"#),
        ] {
            let d = first(name, keys, &j).direction;
            // Where the true direction is 0, what is left is rounding: `G` knows lengths to sqrt(epsilon) only.
            if norm(&d) > 1e-6 * longest {
                assert_no_conflict(&format!("{name} {keys} on {family}"), &j, &d, 1e-7);
            }
        }
        // The default regularisation (1e-4 of the trace) gives up a little of it, as TorchJD's tolerance says.
        for name in ["upgrad", "dualproj"] {
            let d = first(name, "{}", &j).direction;
            let square: f64 = j.iter().map(|row| inner(row, row)).sum();
            for row in &j {
                assert!(inner(row, &d) >= -4e-4 * square, "{name} on {family}");
            }
        }
    }
}

#[test]
fn order_of_tasks_does_not_matter() {
    let mut dice = Dice(11);
    for (rows, columns, rank) in [(2, 3, 2), (3, 7, 3), (5, 9, 3), (8, 20, 8), (20, 10, 5)] {
        let j = dice.ranked(rows, columns, rank);
        let mut order: Vec<usize> = (0..rows).collect();
        for last in (1..rows).rev() {
            order.swap(last, dice.next() as usize % (last + 1));
        }
        let turned: Vec<Vec<f64>> = order.iter().map(|&i| j[i].clone()).collect();
        for (name, keys) in [
            ("equal", "{}"),
            ("mgda", "{}"),
            ("upgrad", "{}"),
            ("dualproj", "{}"),
            ("cagrad", "{}"),
            ("imtl_g", "{}"),
            ("nash", "{}"),
            ("fairgrad", r#"{"alpha": 2}"#),
            ("aligned", "{}"),
            ("config", "{}"),
            ("trimmed_mean", "{}"),
            ("krum", "{}"),
        ] {
            let Direction { weights, direction: a } = first(name, keys, &j);
            let b = first(name, keys, &turned).direction;
            let apart: Vec<f64> = a.iter().zip(&b).map(|(x, y)| x - y).collect();
            // Relative to the terms that make up the direction: where they cancel, no more can be asked for.
            let size: f64 = weights.shared.iter().zip(&j).map(|(w, row)| w.abs() * norm(row)).sum();
            assert!(norm(&apart) <= 1e-8 * size, "{name} on {rows}x{columns} rank {rank}: {a:?} {b:?}");
        }
    }
}

/// `A(diag(a c1 + b c2) J) = a A(diag(c1) J) + b A(diag(c2) J)` for positive scales.
#[test]
fn linear_under_scaling() {
    let mut dice = Dice(13);
    for (rows, columns) in [(2, 3), (4, 8), (8, 20)] {
        let j = dice.matrix(rows, columns);
        let c1: Vec<f64> = (0..rows).map(|_| 0.1 + dice.uniform()).collect();
        let c2: Vec<f64> = (0..rows).map(|_| 0.1 + 10.0 * dice.uniform()).collect();
        let (a, b) = (0.7, 2.3);
        let with = |scale: &dyn Fn(usize) -> f64| -> Vec<Vec<f64>> {
            j.iter().enumerate().map(|(i, row)| row.iter().map(|v| v * scale(i)).collect()).collect()
        };
        for (name, keys) in [
            ("equal", "{}"),
            ("fixed", r#"{"weights": {"t0": 3}}"#),
            ("config", "{}"),
            ("upgrad", r#"{"regularization": 0}"#),
        ] {
            let sum = first(name, keys, &with(&|i| a * c1[i] + b * c2[i])).direction;
            let one = first(name, keys, &with(&|i| c1[i])).direction;
            let two = first(name, keys, &with(&|i| c2[i])).direction;
            for k in 0..columns {
                let apart = sum[k] - a * one[k] - b * two[k];
                assert!(apart.abs() <= 1e-8 * norm(&sum), "{name} on {rows}x{columns}: {apart}");
            }
        }
    }
}

/// Where the tasks still have a common way down, these methods move.
#[test]
fn move_unless_strongly_stationary() {
    let mut dice = Dice(17);
    for _ in 0..20 {
        let j = dice.matrix(5, 12);
        for name in ["equal", "upgrad", "dualproj", "mgda", "cagrad", "nash", "imtl_g", "config", "aligned"] {
            assert!(norm(&first(name, "{}", &j).direction) > 5e-3, "{name}");
        }
    }
    // Only some of the tasks cancel: these two still serve the others.
    let j = vec![vec![1.0, 0.0, 0.0], vec![-1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0]];
    for name in ["upgrad", "dualproj"] {
        assert!(norm(&first(name, "{}", &j).direction) > 5e-3, "{name}");
    }
    assert!(norm(&first("mgda", "{}", &j).direction) < 1e-12);
}

#[test]
fn pcgrad_is_upgrad_for_two_tasks() {
    let mut dice = Dice(19);
    for _ in 0..50 {
        let j = dice.matrix(2, 3);
        let a = first("pcgrad", "{}", &j).weights.shared;
        let b = first("upgrad", r#"{"preference": {"t0": 2, "t1": 2}, "regularization": 0}"#, &j).weights.shared;
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12 * a.abs()), "{a:?} {b:?}");
    }
}

/// A task alone is followed as it is by every aggregator, and by a positive multiple of it by every scalarizer.
#[test]
fn one_task_reduces_to_its_own_gradient() {
    let g = vec![vec![3.0, -4.0, 0.5]];
    for (name, keys) in everything() {
        for (count, present) in [(1, 0), (4, 2)] {
            let mut method = make(name, keys, count);
            for index in 0..4 {
                let answer = step_of(method.as_mut(), index, &[present], &g);
                let factor = answer.direction[0] / 3.0;
                let along = answer.direction.iter().zip(&g[0]).all(|(d, g)| (d - factor * g).abs() < 1e-12 * factor);
                assert!(along && factor > 0.0, "{name} {keys}: {answer:?}");
                let info = method.info();
                if info.family == Family::Aggregator && name != "dbmtl" && name != "imtl" {
                    assert_eq!(answer.direction, g[0], "{name} {keys}");
                    assert_eq!(answer.weights.heads, [1.0], "{name} {keys}");
                }
            }
        }
    }
}

#[test]
fn no_task_present_changes_nothing() {
    for (name, keys) in everything() {
        let mut method = make(name, keys, 3);
        let j = Dice(23).matrix(3, 4);
        step(method.as_mut(), 0, &j);
        let before = method.state();
        let answer = step_of(method.as_mut(), 1, &[], &[]);
        assert!(answer.weights.shared.is_empty());
        let mut after = method.state();
        let mut before = before;
        for state in [&mut before, &mut after] {
            // Gradients of learnable scalars are of the last step, by design.
            if let Some(map) = state["state"].as_object_mut() {
                map.remove("gradients");
            }
        }
        assert_eq!(before, after, "{name} {keys}");
    }
}

/// Weights whose methods promise them stay on the simplex.
#[test]
fn shares_sum_to_one() {
    let j = Dice(29).matrix(6, 10);
    for name in ["mgda", "imtl_g", "rlw", "famo", "cov", "moco", "modo"] {
        let mut method = make(name, "{}", 6);
        for index in 0..7 {
            let sum: f64 = step(method.as_mut(), index, &j).weights.shared.iter().sum();
            assert!((sum - 1.0).abs() < 1e-12, "{name}: {sum}");
        }
    }
    for name in ["dwa", "gradnorm", "excess"] {
        let mut method = make(name, "{}", 6);
        for index in 0..7 {
            let sum: f64 = step(method.as_mut(), index, &j).weights.shared.iter().sum();
            assert!((sum - 6.0).abs() < 1e-9, "{name}: {sum}");
        }
    }
}

/// Methods that promise to ignore the size of gradients do, from 1e-10 to 1e15.
#[test]
fn directions_scale_with_the_gradients() {
    let j = Dice(31).matrix(5, 9);
    for (name, keys) in [
        ("mgda", "{}"),
        ("upgrad", "{}"),
        ("dualproj", "{}"),
        ("cagrad", "{}"),
        ("imtl_g", "{}"),
        ("aligned", "{}"),
        ("config", "{}"),
        ("pcgrad", "{}"),
    ] {
        let one = first(name, keys, &j).direction;
        for scale in [1e-10, 1e3, 1e15] {
            let other = first(name, keys, &scaled(&j, scale)).direction;
            for (a, b) in one.iter().zip(&other) {
                assert!((a - b / scale).abs() <= 1e-9 * norm(&one), "{name} at {scale:e}");
            }
        }
    }
}

#[test]
fn normalize_makes_the_size_of_each_gradient_irrelevant() {
    let mut dice = Dice(37);
    let j = dice.matrix(4, 8);
    let mut other = j.clone();
    for (row, scale) in other.iter_mut().zip([1e-6, 1.0, 1e4, 3.0]) {
        row.iter_mut().for_each(|v| *v *= scale);
    }
    for info in METHODS.iter().filter(|m| m.family == Family::Aggregator && m.needs == Needs::Gramian) {
        let (a, b) = (
            first(info.name, r#"{"normalize": true}"#, &j).direction,
            first(info.name, r#"{"normalize": true}"#, &other).direction,
        );
        for (x, y) in a.iter().zip(&b) {
            assert!((x - y).abs() <= 1e-8 * norm(&a), "{}: {a:?} {b:?}", info.name);
        }
    }
}

/// CR-MOGM: `0.75 old + 0.25 new` over the weights of the method itself.
#[test]
fn momentum_averages_weights() {
    let mut dice = Dice(41);
    let (j1, j2) = (dice.matrix(3, 5), dice.matrix(3, 5));
    let mut method = make("mgda", r#"{"momentum": 0.75}"#, 3);
    let (w1, w2) = (first("mgda", "{}", &j1).weights.shared, first("mgda", "{}", &j2).weights.shared);
    assert_eq!(step(method.as_mut(), 0, &j1).weights.shared, w1);
    let second = step(method.as_mut(), 1, &j2).weights.shared;
    for i in 0..3 {
        assert!((second[i] - 0.75 * w1[i] - 0.25 * w2[i]).abs() < 1e-15);
    }
}

/// Random Gramians: any number of tasks, rank and spread of scales.
fn problems() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (1usize..=64, 1usize..=80, any::<u64>(), 0.0..4.0f64).prop_map(|(tasks, columns, seed, spread)| {
        let mut dice = Dice(seed);
        let mut j = dice.matrix(tasks, columns);
        for row in &mut j {
            let scale = 10f64.powf(spread * (dice.uniform() - 0.5));
            row.iter_mut().for_each(|v| *v *= scale);
        }
        j
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// MGDA: `w` on the simplex, `G w >= (w^T G w) 1`, equal where `w > 0`; residual relative to the largest terms.
    #[test]
    fn mgda_meets_its_optimality_conditions(j in problems()) {
        let g = gramian(&j);
        let w = first("mgda", "{}", &j).weights.shared;
        prop_assert!((w.iter().sum::<f64>() - 1.0).abs() < 1e-12 && w.iter().all(|w| *w >= 0.0));
        let slopes = g.times(&w);
        let level = g.quadratic(&w);
        let scale: f64 = (0..j.len()).map(|i| w[i] * g.get(i, i)).sum();
        for i in 0..j.len() {
            let bound = 1e-10 * (scale * g.get(i, i)).sqrt().max(scale);
            prop_assert!(slopes[i] - level >= -bound, "task {i}: {} below {level}", slopes[i]);
            prop_assert!(w[i] == 0.0 || (slopes[i] - level).abs() <= bound, "task {i}");
        }
    }

    /// The dual cone: `v >= u`, `G v >= 0`, `(v - u)^T G v = 0`.
    #[test]
    fn dualproj_meets_its_optimality_conditions(j in problems()) {
        let g = gramian(&j);
        let tasks = j.len();
        let v = first("dualproj", r#"{"regularization": 0}"#, &j).weights.shared;
        if tasks == 1 {
            return Ok(());
        }
        let u = 1.0 / tasks as f64;
        let slopes = g.times(&v);
        for i in 0..tasks {
            prop_assert!(v[i] >= u);
            let terms: f64 = g.row(i).iter().zip(&v).map(|(g, v)| (g * v).abs()).sum();
            prop_assert!(slopes[i] >= -1e-10 * terms, "task {i}: {} of {terms}", slopes[i]);
            prop_assert!(v[i] == u || slopes[i].abs() <= 1e-10 * terms, "task {i}: {} of {terms}", slopes[i]);
        }
    }

    /// CAGrad: in the ball, and no direction in the ball has a better worst task: by duality the worst task's progress
    /// equals the dual objective at the weights.
    #[test]
    fn cagrad_closes_its_duality_gap(j in problems(), c in 0.05..2.0f64) {
        let tasks = j.len();
        if tasks == 1 {
            return Ok(());
        }
        let keys = format!(r#"{{"c": {c}}}"#);
        let answer = first("cagrad", &keys, &j);
        let g = gramian(&j);
        let mean = vec![1.0 / tasks as f64; tasks];
        let length = g.quadratic(&mean).sqrt();
        let own: Vec<f64> = answer.weights.shared.iter().zip(&mean).map(|(w, m)| (w - m).max(0.0)).collect();
        let terms: f64 = own.iter().enumerate().map(|(i, w)| w * g.get(i, i).sqrt()).sum();
        prop_assert!(g.quadratic(&own) <= (c * length).powi(2) * (1.0 + 1e-6) + 1e-13 * terms * terms);
        let progress = g.times(&answer.weights.shared).into_iter().fold(f64::INFINITY, f64::min);
        // Any point of the simplex bounds the progress from above; where gradients cancel the best is MGDA's.
        let bound = |w: &[f64]| inner(&g.times(&mean), w) + c * length * g.quadratic(w).sqrt();
        let sum: f64 = own.iter().sum();
        let mut best = bound(&first("mgda", "{}", &j).weights.shared);
        if sum > 0.0 {
            best = best.min(bound(&own.iter().map(|w| w / sum).collect::<Vec<_>>()));
        }
        // The Gramian knows the length of a vector that cancels to the root of rounding only.
        let longest = (0..tasks).map(|i| g.get(i, i)).fold(0.0, f64::max).sqrt();
        prop_assert!(best - progress <= 4e-6 * length.max(1e-3 * longest) * longest, "{best} {progress}");
    }

    /// Nash-MTL and FairGrad: `G w = w^(-1/alpha)`, relative to the terms of the left side.
    #[test]
    fn fair_weights_solve_their_equations(j in problems(), alpha in prop::sample::select(vec![0.3, 1.0, 2.0, 6.0])) {
        if j.len() == 1 {
            return Ok(());
        }
        let g = gramian(&j);
        let w = first("fairgrad", &format!(r#"{{"alpha": {alpha}}}"#), &j).weights.shared;
        for i in 0..j.len() {
            let terms: f64 = g.row(i).iter().zip(&w).map(|(g, w)| (g * w).abs()).sum();
            let error = (g.times(&w)[i] - w[i].powf(-1.0 / alpha)).abs();
            prop_assert!(error <= 1e-8 * terms, "task {i} of {}: {error} of {terms}", j.len());
        }
    }

    /// IMTL-G: equal projections onto all unit gradients; ConFIG: equal cosines.
    #[test]
    fn impartial_directions_are_impartial(seed in any::<u64>(), tasks in 2usize..=32) {
        let j = Dice(seed).matrix(tasks, tasks + 20);
        for name in ["imtl_g", "config"] {
            let d = first(name, "{}", &j).direction;
            let along: Vec<f64> = j.iter().map(|row| inner(row, &d) / norm(row)).collect();
            for a in &along {
                prop_assert!((a - along[0]).abs() <= 1e-8 * norm(&d), "{name}: {along:?}");
            }
        }
    }
}

#[test]
fn weights_before_the_forward_pass() {
    for (name, keys) in everything() {
        let mut method = make(name, keys, 3);
        if method.needs() == Needs::State {
            let step = Step { index: 0, epoch: 0, tasks: &[0, 2], losses: &[] };
            assert_eq!(method.weights(&step, None).unwrap().shared.len(), 2, "{name}");
        }
    }
}
