//! Each stateful or elementwise method against its formula, worked out by hand or by plain code on small cases.

#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, which clippy does not see as such.

mod common;

use common::{Dice, inner, make, norm};
use polytask_balance::{Balancer, Gramian, Jacobian, Output, Step, Weights, direction};

const BOTH: &[usize] = &[0, 1];

fn at<'a>(index: u64, epoch: u64, losses: &'a [f64]) -> Step<'a> {
    Step { index, epoch, tasks: BOTH, losses }
}

fn close(ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{ours:?}, expected {theirs:?}");
    }
}

fn weights(method: &mut dyn Balancer, step: &Step) -> Vec<f64> {
    let Weights { shared, heads } = method.weights(step, None).unwrap();
    assert_eq!(shared, heads, "scalarizers weigh heads too");
    shared
}

#[test]
fn equal_and_fixed() {
    close(&weights(make("equal", "{}", 2).as_mut(), &at(0, 0, &[])), &[1.0, 1.0]);
    close(&weights(make("fixed", r#"{"weights": {"t1": 0.25}}"#, 2).as_mut(), &at(0, 0, &[])), &[1.0, 0.25]);
}

/// Task 0 is a regression, task 1 a classification.
#[test]
fn uncertainty() {
    let mut method = make("uncertainty", "{}", 2);
    close(&weights(method.as_mut(), &at(0, 0, &[])), &[0.5, 1.0]);
    method.observe(&at(0, 0, &[3.0, 0.2])).unwrap();
    let learnable = method.learnable().unwrap();
    // d/ds: 0.5 - 0.5 exp(-s) L and 0.5 - exp(-s) L at s = 0.
    assert_eq!(learnable.gradients, [Some(0.5 - 1.5), Some(0.5 - 0.2)]);
    learnable.values[0] = 3f64.ln();
    method.observe(&at(1, 0, &[3.0, 0.2])).unwrap();
    assert!(method.learnable().unwrap().gradients[0].unwrap().abs() < 1e-15, "exp(s) = L is stationary");
    close(&weights(method.as_mut(), &at(1, 0, &[])), &[0.5 / 3.0, 1.0]);
    let mut warm = make("uncertainty", r#"{"initial": -0.5}"#, 2);
    close(&weights(warm.as_mut(), &at(0, 0, &[])), &[0.5 * 0.5f64.exp(), 0.5f64.exp()]);
}

#[test]
fn imtl_l_and_imtl() {
    let mut method = make("imtl_l", "{}", 2);
    close(&weights(method.as_mut(), &at(0, 0, &[])), &[1.0, 1.0]);
    method.learnable().unwrap().values.copy_from_slice(&[2f64.ln(), 0.0]);
    method.observe(&at(0, 0, &[3.0, 0.2])).unwrap();
    let gradients = method.learnable().unwrap().gradients.clone();
    assert!((gradients[0].unwrap() - 5.0).abs() < 1e-15 && (gradients[1].unwrap() + 0.8).abs() < 1e-15);

    let j = Dice(1).matrix(2, 4);
    let mut hybrid = make("imtl", "{}", 2);
    hybrid.learnable().unwrap().values.copy_from_slice(&[2f64.ln(), 0.0]);
    let answer = direction(hybrid.as_mut(), &at(0, 0, &[3.0, 0.2]), &j).unwrap();
    close(&answer.weights.heads, &[2.0, 1.0]);
    let doubled = vec![j[0].iter().map(|v| 2.0 * v).collect(), j[1].clone()];
    let plain = direction(make("imtl_g", "{}", 2).as_mut(), &at(0, 0, &[]), &doubled).unwrap();
    close(&answer.direction, &plain.direction);
}

#[test]
fn logarithmic_scalarizers() {
    let losses = [4.0, 0.25];
    close(&weights(make("scale_invariant", "{}", 2).as_mut(), &at(0, 0, &losses)), &[0.25, 4.0]);
    // sqrt(4 * 0.25) = 1: its gradient is 1 / (2 L_i).
    close(&weights(make("geometric", "{}", 2).as_mut(), &at(0, 0, &losses)), &[0.125, 2.0]);
}

#[test]
fn dwa() {
    let mut method = make("dwa", r#"{"temperature": 2}"#, 2);
    for (epoch, losses) in [[1.0, 1.0], [0.5, 0.9]].iter().enumerate() {
        close(&weights(method.as_mut(), &at(0, epoch as u64, &[])), &[1.0, 1.0]);
        // Two batches whose mean is the epoch's loss.
        method.observe(&at(0, 0, &[losses[0] - 0.1, losses[1] + 0.1])).unwrap();
        method.observe(&at(0, 0, &[losses[0] + 0.1, losses[1] - 0.1])).unwrap();
        method.end_epoch();
    }
    let (a, b) = ((0.5f64 / 2.0).exp(), (0.9f64 / 2.0).exp());
    close(&weights(method.as_mut(), &at(0, 2, &[])), &[2.0 * a / (a + b), 2.0 * b / (a + b)]);
}

#[test]
fn rlw_is_softmax_of_normals() {
    let mut method = make("rlw", "{}", 2);
    // The difference of two standard normals has variance 2; log(w0 / w1) is that difference.
    let draws: Vec<f64> = (0..4000)
        .map(|i| {
            let w = weights(method.as_mut(), &at(i, 0, &[]));
            (w[0] / w[1]).ln()
        })
        .collect();
    let mean = draws.iter().sum::<f64>() / 4000.0;
    let variance = draws.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 4000.0;
    // Four standard errors of the mean and of the variance.
    assert!(mean.abs() < 4.0 * (2.0f64 / 4000.0).sqrt(), "{mean}");
    assert!((variance - 2.0).abs() < 4.0 * 2.0 * (2.0f64 / 4000.0).sqrt(), "{variance}");
}

/// Weights are the derivatives of the documented loss: checked by central differences.
#[test]
fn stch_weights_are_derivatives() {
    let differs = |method: &mut dyn Balancer, epoch: u64, loss: &dyn Fn(&[f64]) -> f64| {
        let losses = [0.8, 1.7];
        let ours = weights(method, &at(9, epoch, &losses));
        for i in 0..2 {
            let moved = |h: f64| {
                let mut moved = losses;
                moved[i] += h;
                loss(&moved)
            };
            let theirs = (moved(1e-6) - moved(-1e-6)) / 2e-6;
            assert!((ours[i] - theirs).abs() < 1e-8, "{ours:?} {theirs}");
        }
    };
    let keys = r#"{"form": "plain", "mu": 0.3, "preference": {"t0": 0.7, "t1": 0.3}, "ideal": {"t0": 0.5}}"#;
    differs(make("stch", keys, 2).as_mut(), 0, &|l| {
        0.3 * ((0.7 * (l[0] - 0.5) / 0.3).exp() + (0.3 * l[1] / 0.3).exp()).ln()
    });
    let mut method = make("stch", r#"{"mu": 0.5, "warmup": 1}"#, 2);
    differs(method.as_mut(), 0, &|l| l[0].ln() + l[1].ln());
    differs(method.as_mut(), 1, &|l| l[0].ln() + l[1].ln());
    method.observe(&at(0, 0, &[100.0, 100.0])).unwrap();
    method.observe(&at(1, 1, &[1.0, 4.0])).unwrap();
    method.observe(&at(2, 1, &[3.0, 6.0])).unwrap();
    method.observe(&at(3, 2, &[100.0, 100.0])).unwrap();
    // The scales are the means of epoch 1: 2 and 5.
    differs(method.as_mut(), 2, &|l| {
        2.0 * 0.5 * (((l[0] / 2.0).ln() / 0.5).exp() + ((l[1] / 5.0).ln() / 0.5).exp()).ln()
    });
}

#[test]
fn famo() {
    let mut method = make("famo", r#"{"rate": 0.1, "decay": 0}"#, 2);
    let losses = [2.0, 0.5];
    let d = [2.0 + 1e-8, 0.5 + 1e-8];
    let c = 1.0 / (0.5 / d[0] + 0.5 / d[1]);
    close(&weights(method.as_mut(), &at(0, 0, &losses)), &[c * 0.5 / d[0], c * 0.5 / d[1]]);
    method.observe(&at(0, 0, &losses)).unwrap();
    // The first task halves, the second stands still: the first loses weight. Adam's first step is the rate itself.
    method.observe_after(&at(0, 0, &[1.0, 0.5])).unwrap();
    let (a, b) = ((-0.1f64).exp() / d[0], 0.1f64.exp() / d[1]);
    let now = weights(method.as_mut(), &at(1, 0, &losses));
    assert!((now[0] - a / (a + b)).abs() < 1e-7, "{now:?}");
    assert!(method.wants_losses_after());
}

#[test]
fn gradnorm_moves_towards_its_targets() {
    let mut method = make("gradnorm", r#"{"alpha": 0, "rate": 0.05}"#, 2);
    let gramian = Gramian::new(2, vec![100.0, 0.0, 0.0, 1.0]).unwrap();
    let mut last = Vec::new();
    for index in 0..2000 {
        last = method.weights(&at(index, 0, &[1.0, 1.0]), Some(&gramian)).unwrap().shared;
        if index == 0 {
            close(&last, &[1.0, 1.0]);
        }
    }
    // With alpha 0 all weighted norms become equal: w0 * 10 = w1 * 1 with w0 + w1 = 2, within Adam's last step.
    assert!((10.0 * last[0] / last[1] - 1.0).abs() < 0.15, "{last:?}");

    // With equal norms and alpha > 0 the task that has fallen less gains weight.
    let mut method = make("gradnorm", "{}", 2);
    let equal = Gramian::new(2, vec![1.0, 0.0, 0.0, 1.0]).unwrap();
    method.weights(&at(0, 0, &[1.0, 1.0]), Some(&equal)).unwrap();
    method.weights(&at(1, 0, &[0.2, 0.9]), Some(&equal)).unwrap();
    let last = method.weights(&at(2, 0, &[0.2, 0.9]), Some(&equal)).unwrap().shared;
    assert!(last[1] > 1.0 && last[0] < 1.0, "{last:?}");
}

#[test]
fn cov() {
    let mut method = make("cov", "{}", 2);
    let series = [[1.0, 4.0], [2.0, 4.4], [0.5, 4.2], [1.0, 4.0]];
    for (index, losses) in series.iter().enumerate() {
        let ours = weights(method.as_mut(), &at(index as u64, 0, &[]));
        if index < 2 {
            close(&ours, &[0.5, 0.5]);
        } else {
            let variation = |i: usize| {
                let ratios: Vec<f64> = (0..index)
                    .map(|t| {
                        let before: f64 = series[..t].iter().map(|l| l[i]).sum::<f64>() / t as f64;
                        if t == 0 { 1.0 } else { series[t][i] / before }
                    })
                    .collect();
                let mean = ratios.iter().sum::<f64>() / index as f64;
                let variance = ratios.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / index as f64;
                (variance + 1e-8).sqrt() / mean
            };
            let (a, b) = (variation(0), variation(1));
            close(&ours, &[a / (a + b), b / (a + b)]);
        }
        method.observe(&at(index as u64, 0, losses)).unwrap();
    }
}

#[test]
fn dtp() {
    let mut method = make("dtp", r#"{"gamma": {"t1": 2}, "smoothing": 0.25}"#, 2);
    close(&weights(method.as_mut(), &at(0, 0, &[])), &[1.0, 1.0]);
    for task in [0, 1] {
        method.observe_kpi(task, 0.8).unwrap();
        method.observe_kpi(task, 0.4).unwrap();
    }
    let k: f64 = 0.25 * 0.4 + 0.75 * 0.8;
    close(&weights(method.as_mut(), &at(0, 0, &[])), &[-(1.0 - k) * k.ln(), -(1.0 - k).powi(2) * k.ln()]);
    method.observe_kpi(0, 7.0).unwrap();
    method.observe_kpi(1, -3.0).unwrap();
    assert!(weights(method.as_mut(), &at(0, 0, &[])).iter().all(|w| *w > 0.0 && w.is_finite()));
}

#[test]
fn lbtw() {
    let mut method = make("lbtw", "{}", 2);
    close(&weights(method.as_mut(), &at(0, 0, &[4.0, 1.0])), &[1.0, 1.0]);
    close(&weights(method.as_mut(), &at(1, 0, &[1.0, 4.0])), &[0.5, 2.0]);
    method.end_epoch();
    close(&weights(method.as_mut(), &at(2, 1, &[1.0, 4.0])), &[1.0, 1.0]);
}

#[test]
fn excess() {
    let mut method = make("excess", r#"{"rate": 0.5}"#, 2);
    let rows = [vec![3.0, 4.0], vec![1.0, 0.0]];
    let first = direction(method.as_mut(), &at(0, 0, &[]), &rows).unwrap();
    close(&first.weights.shared, &[1.0, 1.0]);
    close(&first.direction, &[4.0, 4.0]);
    let second = direction(method.as_mut(), &at(1, 0, &[]), &[vec![3.0, 4.0], vec![0.0, 2.0]]).unwrap();
    // e = sum g^2 / sqrt(S + 1e-7): task 0 from 3 + 4 to 7 / sqrt(2), task 1 from 1 to 2 (another coordinate).
    let ratios = [1.0 / 2f64.sqrt(), 2.0];
    let raw: Vec<f64> = ratios.iter().map(|r| (0.5 * r).exp()).collect();
    let sum: f64 = raw.iter().sum();
    for (ours, raw) in second.weights.shared.iter().zip(&raw) {
        assert!((ours - 2.0 * raw / sum).abs() < 1e-6, "{second:?}");
    }
    assert_eq!(second.weights.heads, second.weights.shared);
}

#[test]
fn mgda_normalizations() {
    // Orthogonal gradients of norms 1 and 2: w is inverse to the squared norms of what is solved on.
    let j = [vec![1.0, 0.0], vec![0.0, 2.0]];
    for (normalization, expected) in
        [("none", [0.8, 0.2]), ("l2", [0.5, 0.5]), ("loss", [0.5, 0.5]), ("loss+", [0.2, 0.8])]
    {
        let mut method = make("mgda", &format!(r#"{{"normalization": "{normalization}"}}"#), 2);
        let answer = direction(method.as_mut(), &at(0, 0, &[1.0, 2.0]), &j).unwrap();
        close(&answer.weights.shared, &expected);
        close(&answer.weights.heads, &[1.0, 1.0]);
        close(&answer.direction, &[expected[0], 2.0 * expected[1]]);
    }
}

/// Plain PCGrad on vectors; for three tasks where only one pair conflicts the order does not matter.
#[test]
fn pcgrad_of_three() {
    let j = [vec![1.0, 0.0, 0.0], vec![-0.5, 1.0, 0.0], vec![0.0, 0.0, 1.0]];
    let answer = direction(make("pcgrad", "{}", 3).as_mut(), &Step { tasks: &[0, 1, 2], ..at(0, 0, &[]) }, &j).unwrap();
    // p0 = g0 + 0.5/1.25 g1, p1 = g1 + 0.5 g0, p2 = g2.
    close(&answer.weights.shared, &[1.5, 1.4, 1.0]);
    let mut mean = make("pcgrad", r#"{"reduction": "mean"}"#, 3);
    let answer = direction(mean.as_mut(), &Step { tasks: &[0, 1, 2], ..at(0, 0, &[]) }, &j).unwrap();
    close(&answer.weights.shared, &[0.5, 1.4 / 3.0, 1.0 / 3.0]);
}

#[test]
fn gradvac_brings_cosines_to_their_targets() {
    let j = [vec![1.0, 0.0], vec![-1.0, 1.0]];
    let mut method = make("gradvac", r#"{"beta": 0.5}"#, 2);
    // Targets begin at 0: the first step is PCGrad.
    let pcgrad = direction(make("pcgrad", "{}", 2).as_mut(), &at(0, 0, &[]), &j).unwrap();
    let first = direction(method.as_mut(), &at(0, 0, &[]), &j).unwrap();
    close(&first.direction, &pcgrad.direction);
    // Agreeing gradients pull the targets up; then an orthogonal pair is turned until its cosine is the target.
    let agreeing = [vec![1.0, 1.0], vec![1.0, 1.0]];
    direction(method.as_mut(), &at(1, 0, &[]), &agreeing).unwrap();
    let rho = 0.5 * 1.0 + 0.5 * (0.5 * -(0.5f64.sqrt()));
    let answer = direction(method.as_mut(), &at(2, 0, &[]), &[vec![2.0, 0.0], vec![0.0, 3.0]]).unwrap();
    let w = &answer.weights.shared;
    // p0 = g0 + a g1 with cos(p0, g1) = rho: 3a / sqrt(4 + 9a^2) = rho, and w1 = 1 + a.
    let a = w[1] - 1.0;
    assert!((3.0 * a / (4.0 + 9.0 * a * a).sqrt() - rho).abs() < 1e-12, "{w:?}");
}

#[test]
fn gradvac_by_tensor_is_gradvac_on_each_tensor() {
    let j = Dice(3).matrix(2, 7);
    let rows = |columns: std::ops::Range<usize>| -> Vec<Vec<f64>> {
        j.iter().map(|row| row[columns.clone()].to_vec()).collect()
    };
    let tensors = [0..3, 3..7];
    let jacobian = Jacobian::from_f64(j.iter().map(Vec::as_slice).collect(), &tensors).unwrap();
    let mut method = make("gradvac", r#"{"by": "tensor"}"#, 2);
    let mut parts = [make("gradvac", "{}", 2), make("gradvac", "{}", 2)];
    for index in 0..3 {
        let mut out = vec![0.0; 7];
        method.aggregate(&at(index, 0, &[]), std::slice::from_ref(&jacobian), &mut Output::F64(&mut out)).unwrap();
        for (part, tensor) in parts.iter_mut().zip(&tensors) {
            let own = direction(part.as_mut(), &at(index, 0, &[]), &rows(tensor.clone())).unwrap();
            close(&out[tensor.clone()], &own.direction);
        }
    }
}

#[test]
fn graddrop_keeps_one_sign() {
    let j = vec![vec![1.0; 4000], vec![-3.0; 4000], vec![0.5; 4000]];
    let three = Step { tasks: &[0, 1, 2], ..at(0, 0, &[]) };
    let answer = direction(make("graddrop", "{}", 3).as_mut(), &three, &j).unwrap();
    assert!(answer.direction.iter().all(|d| *d == 1.5 || *d == -3.0));
    // P = 0.5 (1 - 1.5 / 4.5) = 1/3, within four standard errors.
    let kept = answer.direction.iter().filter(|d| **d > 0.0).count() as f64 / 4000.0;
    assert!((kept - 1.0 / 3.0).abs() < 4.0 * (2.0 / 9.0 / 4000.0f64).sqrt(), "{kept}");
    assert!((answer.weights.shared[0] - kept).abs() < 1e-12);
    let leaky = direction(make("graddrop", r#"{"leak": {"t1": 1}}"#, 3).as_mut(), &three, &j).unwrap();
    assert!(leaky.direction.iter().all(|d| *d == -1.5 || *d == -3.0));
    let agreeing = vec![vec![1.0, -2.0], vec![3.0, -4.0]];
    let answer = direction(make("graddrop", "{}", 2).as_mut(), &at(0, 0, &[]), &agreeing).unwrap();
    close(&answer.direction, &[4.0, -6.0]);
}

/// CAGrad of two tasks against a fine search over the simplex.
#[test]
fn cagrad_of_two_by_search() {
    let mut dice = Dice(5);
    for _ in 0..20 {
        let j = dice.matrix(2, 3);
        let c = 0.1 + dice.uniform();
        let mean: Vec<f64> = (0..3).map(|k| 0.5 * (j[0][k] + j[1][k])).collect();
        let objective = |w: f64| {
            let g: Vec<f64> = (0..3).map(|k| w * j[0][k] + (1.0 - w) * j[1][k]).collect();
            (inner(&g, &mean) + c * norm(&mean) * norm(&g), g)
        };
        let best = (0..=100_000).map(|i| objective(i as f64 / 1e5)).min_by(|a, b| a.0.total_cmp(&b.0)).unwrap().1;
        let expected: Vec<f64> = (0..3).map(|k| mean[k] + c * norm(&mean) / norm(&best) * best[k]).collect();
        let answer = direction(make("cagrad", &format!(r#"{{"c": {c}}}"#), 2).as_mut(), &at(0, 0, &[]), &j).unwrap();
        for (a, b) in answer.direction.iter().zip(&expected) {
            assert!((a - b).abs() < 1e-3, "{:?} {expected:?}", answer.direction);
        }
        let zero = direction(make("cagrad", r#"{"c": 0}"#, 2).as_mut(), &at(0, 0, &[]), &j).unwrap();
        close(&zero.direction, &mean);
        let square = format!(r#"{{"c": {c}, "rescale": "square"}}"#);
        let scaled = direction(make("cagrad", &square, 2).as_mut(), &at(0, 0, &[]), &j).unwrap();
        close(&scaled.direction, &answer.direction.iter().map(|d| d / (1.0 + c * c)).collect::<Vec<_>>());
    }
}

#[test]
fn fairness_between_sum_and_the_worst_off() {
    // Orthogonal gradients: G_ii w_i = w_i^(-1/alpha), so w_i = G_ii^(-alpha / (1 + alpha)).
    let j = [vec![2.0, 0.0], vec![0.0, 5.0]];
    for alpha in [0.1, 0.5, 1.0, 2.0, 10.0] {
        let mut method = make("fairgrad", &format!(r#"{{"alpha": {alpha}}}"#), 2);
        let w = direction(method.as_mut(), &at(0, 0, &[]), &j).unwrap().weights.shared;
        for (w, g) in w.iter().zip([4.0f64, 25.0]) {
            assert!((w - g.powf(-alpha / (1.0 + alpha))).abs() < 1e-9);
        }
    }
}

/// Aligned-MTL: the aligned gradients `J^T B` have orthogonal, equally long principal components.
#[test]
fn aligned_scales() {
    let j = [vec![3.0, 0.0, 0.0], vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 2.0]];
    let three = Step { tasks: &[0, 1, 2], ..at(0, 0, &[]) };
    for (scale, sigma) in [("min", 1.0f64), ("median", 4.0), ("rmse", 14.0 / 3.0)] {
        let mut method = make("aligned", &format!(r#"{{"scale": "{scale}"}}"#), 3);
        let d = direction(method.as_mut(), &three, &j).unwrap().direction;
        for v in d {
            assert!((v - sigma.sqrt() / 3.0).abs() < 1e-12, "{scale}: {v}");
        }
    }
}

#[test]
fn moco() {
    let j = [vec![3.0, 4.0], vec![0.0, -2.0]];
    let losses = [2.0, 0.5];
    let mut method = make("moco", "{}", 2);
    let answer = direction(method.as_mut(), &at(0, 0, &losses), &j).unwrap();
    // ghat = L g / ||g||, Y = 0.5 ghat, lambda = softmax(lambda - 0.1 Y Y^T lambda).
    let y = [[0.6, 0.8], [0.0, -0.25]];
    let half = [0.5 * (y[0][0] + y[1][0]), 0.5 * (y[0][1] + y[1][1])];
    let z: Vec<f64> = y.iter().map(|y| (0.5 - 0.1 * inner(y, &half)).exp()).collect();
    let lambda = [z[0] / (z[0] + z[1]), z[1] / (z[0] + z[1])];
    for i in 0..2 {
        assert!((answer.weights.shared[i] - lambda[i]).abs() < 1e-7);
        assert!((answer.direction[i] - lambda[0] * y[0][i] - lambda[1] * y[1][i]).abs() < 1e-7);
    }
    // In the second step beta is 0.5 / sqrt(2).
    let again = direction(method.as_mut(), &at(1, 0, &losses), &j).unwrap();
    let beta = 0.5 / 2f64.sqrt();
    let first = y[0][0] - beta * (y[0][0] - 1.2);
    assert!((again.direction[0] - again.weights.shared[0] * first).abs() < 1e-6);
}

fn three_batches(name: &str, keys: &str, batches: &[[Vec<f64>; 2]]) -> (Weights, Vec<f64>) {
    let mut method = make(name, keys, 2);
    assert_eq!(method.batches(), batches.len());
    let jacobians: Vec<Jacobian> =
        batches.iter().map(|b| Jacobian::from_f64(b.iter().map(Vec::as_slice).collect(), &[]).unwrap()).collect();
    let mut out = vec![0.0; 2];
    let weights = method.aggregate(&at(0, 0, &[]), &jacobians, &mut Output::F64(&mut out)).unwrap();
    (weights, out)
}

#[test]
fn modo_uses_each_batch_once() {
    let batches =
        [[vec![1.0, 0.0], vec![0.0, 2.0]], [vec![1.0, 1.0], vec![0.0, 1.0]], [vec![5.0, 0.0], vec![0.0, 7.0]]];
    let (weights, d) = three_batches("modo", r#"{"gamma": 0.1, "rho": 0.5}"#, &batches);
    // J2^T lambda = (0.5, 1); J1 of it = (0.5, 2); lambda - 0.1 (that + 0.5 lambda) = (0.425, 0.275), then + 0.15 each.
    close(&weights.shared, &[0.575, 0.425]);
    close(&d, &[5.0 * 0.575, 7.0 * 0.425]);
    let (weights, d) = three_batches("modo", r#"{"gamma": 0.1, "rho": 0.5, "batches": 2}"#, &batches[..2]);
    close(&weights.shared, &[0.575, 0.425]);
    close(&d, &[0.575, 0.5 * (0.575 + 3.0 * 0.425)]);
}

#[test]
fn sdmgrad_one_round() {
    let batches =
        [[vec![1.0, 0.0], vec![0.0, 2.0]], [vec![1.0, 1.0], vec![0.0, 1.0]], [vec![5.0, 0.0], vec![0.0, 7.0]]];
    let keys = r#"{"rounds": 1, "rate": 0.1, "lambda": 0.3}"#;
    let (weights, d) = three_batches("sdmgrad", keys, &batches);
    // J1 J2^T = [[1, 0], [2, 2]]; scale = (1 + sqrt 2) / 2; the pull is G w + 0.3 rowmean(G) with w = 1/2.
    let square = ((1.0 + 2f64.sqrt()) / 2.0).powi(2);
    let pull = [(0.5 + 0.3 * 0.5) / square, (2.0 + 0.3 * 2.0) / square];
    let raw = [0.5 - 0.1 * pull[0], 0.5 - 0.1 * pull[1]];
    let shift = (raw[0] + raw[1] - 1.0) / 2.0;
    let expected: Vec<f64> = raw.iter().map(|w| (w - shift + 0.15) / 1.3).collect();
    close(&weights.shared, &expected);
    close(&d, &[5.0 * expected[0], 7.0 * expected[1]]);
}

#[test]
fn dbmtl() {
    let mut method = make("dbmtl", r#"{"beta": 0.9, "sigma": 1}"#, 2);
    let (j, losses) = ([vec![3.0, 4.0], vec![0.0, 2.0]], [2.0, 0.5]);
    let first = direction(method.as_mut(), &at(0, 0, &losses), &j).unwrap();
    close(&first.weights.heads, &[1.0 / (2.0 + 1e-8), 1.0 / (0.5 + 1e-8)]);
    // B = 0.1 g / L: (0.15, 0.2) of norm 0.25 and (0, 0.4) of norm 0.4; both are brought to 0.4.
    let expected = [0.4 / 0.25 * 0.15, 0.4 / 0.25 * 0.2 + 0.4];
    for (a, b) in first.direction.iter().zip(&expected) {
        assert!((a - b).abs() < 1e-6, "{first:?}");
    }
    // In the second step b is 0.9 / 2: B_1 = 0.45 * 0.4 + 0.55 * 4.
    let second = direction(method.as_mut(), &at(1, 0, &losses), &j).unwrap();
    let b0 = [0.45 * 0.15 + 0.55 * 1.5, 0.45 * 0.2 + 0.55 * 2.0];
    let b1 = 0.45 * 0.4 + 0.55 * 4.0;
    assert!((second.direction[0] - b1 / norm(&b0) * b0[0]).abs() < 1e-5, "{second:?}");
}

#[test]
fn metabalance_works_by_tensor() {
    let j = [vec![3.0, 4.0, 1.0], vec![0.0, 0.5, 8.0]];
    let tensors = [0..2, 2..3];
    let jacobian = Jacobian::from_f64(j.iter().map(Vec::as_slice).collect(), &tensors).unwrap();
    let mut method = make("metabalance", r#"{"relax": 0.7}"#, 2);
    let mut out = vec![0.0; 3];
    method.aggregate(&at(0, 0, &[]), std::slice::from_ref(&jacobian), &mut Output::F64(&mut out)).unwrap();
    let (up, down) = (0.7 * 5.0 / (0.5 + 1e-5) + 0.3, 0.7 * 1.0 / (8.0 + 1e-5) + 0.3);
    let target = |norm: f64| 0.7 * norm / (norm + 1e-5) + 0.3;
    close(&out, &[3.0 * target(5.0), 4.0 * target(5.0) + 0.5 * up, target(1.0) + 8.0 * down]);
    let mut other = make("metabalance", r#"{"relax": 1, "target": "t1"}"#, 2);
    other.aggregate(&at(0, 0, &[]), std::slice::from_ref(&jacobian), &mut Output::F64(&mut out)).unwrap();
    assert!((out[2] - 16.0).abs() < 1e-3, "the first task is brought to the size of the second: {out:?}");
}

/// Scores by squared distance to the two nearest: 5.84, 2.44, 6.28 and 221.
#[test]
fn krum_selects_the_most_central() {
    let j: Vec<Vec<f64>> = [10.0, 11.0, 12.2, 0.0].iter().map(|v| vec![*v]).collect();
    let four = Step { tasks: &[0, 1, 2, 3], ..at(0, 0, &[]) };
    close(&direction(make("krum", "{}", 4).as_mut(), &four, &j).unwrap().weights.shared, &[0.0, 1.0, 0.0, 0.0]);
    let three = direction(make("krum", r#"{"selected": 3}"#, 4).as_mut(), &four, &j).unwrap().weights.shared;
    close(&three, &[1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0]);
    // Two tasks left: their mean.
    let two = Step { tasks: &[0, 3], ..four };
    let rest = [vec![10.0], vec![0.0]];
    close(&direction(make("krum", "{}", 4).as_mut(), &two, &rest).unwrap().direction, &[5.0]);
}

#[test]
fn trimmed_mean_falls_back_with_fewer_tasks() {
    let mut method = make("trimmed_mean", r#"{"trim": 2}"#, 5);
    let j: Vec<Vec<f64>> = [5.0, -100.0, 1.0, 2.0, 900.0].iter().map(|v| vec![*v]).collect();
    let all = Step { tasks: &[0, 1, 2, 3, 4], ..at(0, 0, &[]) };
    close(&direction(method.as_mut(), &all, &j).unwrap().direction, &[2.0]);
    let three = Step { tasks: &[0, 1, 2], ..all };
    close(&direction(method.as_mut(), &three, &j[..3]).unwrap().direction, &[1.0]);
    let two = Step { tasks: &[0, 2], ..all };
    close(&direction(method.as_mut(), &two, &[vec![5.0], vec![1.0]]).unwrap().direction, &[3.0]);
    // Equal values count one by one.
    let ties: Vec<Vec<f64>> = [1.0, 1.0, 1.0, 5.0].iter().map(|v| vec![*v]).collect();
    let four = Step { tasks: &[0, 1, 2, 3], ..all };
    close(&direction(make("trimmed_mean", "{}", 4).as_mut(), &four, &ties).unwrap().direction, &[1.0]);
}

/// Single-precision rows give what double-precision rows of the same values give, rounded.
#[test]
fn single_precision_rows() {
    let j: Vec<Vec<f32>> = Dice(8).matrix(3, 1500).iter().map(|r| r.iter().map(|v| *v as f32).collect()).collect();
    let wide: Vec<Vec<f64>> = j.iter().map(|r| r.iter().map(|v| f64::from(*v)).collect()).collect();
    let losses = [1.0, 2.0, 0.5];
    let step = Step { index: 0, epoch: 0, tasks: &[0, 1, 2], losses: &losses };
    for (name, keys) in common::everything() {
        let mut narrow = make(name, keys, 3);
        let mut out = vec![0f32; 1500];
        let jacobian = Jacobian::new(j.iter().map(Vec::as_slice).collect(), &[]).unwrap();
        let jacobians = vec![jacobian; narrow.batches()];
        narrow.aggregate(&step, &jacobians, &mut Output::F32(&mut out)).unwrap();
        let expected = direction(make(name, keys, 3).as_mut(), &step, &wide).unwrap().direction;
        assert!(out.iter().zip(&expected).all(|(a, b)| *a == *b as f32), "{name} {keys}");
    }
}
