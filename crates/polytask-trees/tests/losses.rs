//! Gradients and Hessians against differences of the loss.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::Draw;
use polytask_trees::Objective;

const STEP: f64 = 1e-5;

fn differences(objective: &Objective, labels: &[f64], scores: &[f64], output: usize) -> (f64, f64) {
    let at = |step: f64| {
        let mut moved = scores.to_vec();
        moved[output] += step;
        objective.loss(labels, &moved)
    };
    let wide = 1e-3;
    ((at(STEP) - at(-STEP)) / (2.0 * STEP), (at(wide) - 2.0 * at(0.0) + at(-wide)) / (wide * wide))
}

fn check(objective: Objective, labels: &[f64], scores: &[f64], gradient_factor: f64, hessian_factor: Option<f64>) {
    let width = objective.width();
    let (mut gradients, mut hessians) = (vec![0.0; width], vec![0.0; width]);
    objective.gradient(2.0, labels, scores, &mut gradients, &mut hessians);
    for output in 0..width {
        let (gradient, hessian) = differences(&objective, labels, scores, output);
        let found = f64::from(gradients[output]) / 2.0;
        assert!(
            (found - gradient_factor * gradient).abs() < 1e-5 * (1.0 + gradient.abs()),
            "{objective:?} {labels:?} {scores:?} {found} {gradient}"
        );
        let found = f64::from(hessians[output]) / 2.0;
        match hessian_factor {
            Some(factor) => assert!(
                (found - factor * hessian).abs() < 1e-4 * (1.0 + hessian.abs()),
                "{objective:?} {found} {hessian}"
            ),
            None => assert_eq!(found, 1.0, "{objective:?}"),
        }
    }
}

#[test]
fn gradients_and_hessians_are_those_of_the_losses() {
    let mut draw = Draw(1);
    for _ in 0..50 {
        let (label, score) = (3.0 * draw.normal(), 3.0 * draw.normal());
        check(Objective::Squared, &[label], &[score], 1.0, Some(1.0));
        check(Objective::Absolute, &[label], &[score], 1.0, None);
        check(Objective::Huber { delta: 1.5 }, &[label], &[score], 1.0, None);
        check(Objective::Quantile { level: 0.2 }, &[label], &[score], 1.0, None);
        check(Objective::Binary, &[f64::from(label > 0.0)], &[score], 1.0, Some(1.0));
        check(Objective::Poisson, &[label.abs().floor()], &[score], 1.0, Some(1.0));
        let scores = [score, draw.normal(), draw.normal()];
        check(Objective::Category { classes: 3 }, &[draw.uniform().mul_add(3.0, 0.0).floor()], &scores, 1.0, Some(1.5));
        check(Objective::Multilabel { labels: 3 }, &[1.0, 0.0, f64::from(label > 0.0)], &scores, 3.0, Some(3.0));
    }
}

#[test]
fn missing_labels_have_no_loss_and_no_gradient() {
    for objective in [
        Objective::Squared,
        Objective::Absolute,
        Objective::Huber { delta: 1.0 },
        Objective::Quantile { level: 0.5 },
        Objective::Binary,
        Objective::Poisson,
        Objective::Category { classes: 4 },
        Objective::Multilabel { labels: 2 },
    ] {
        let width = objective.width();
        let labels = vec![f64::NAN; objective.label_width()];
        let (mut gradients, mut hessians) = (vec![9.0; width], vec![9.0; width]);
        objective.gradient(1.0, &labels, &vec![0.3; width], &mut gradients, &mut hessians);
        assert!(gradients.iter().chain(&hessians).all(|value| *value == 0.0), "{objective:?}");
        assert_eq!(objective.loss(&labels, &vec![0.3; width]), 0.0, "{objective:?}");
    }
    let (mut gradients, mut hessians) = ([9.0; 2], [9.0; 2]);
    Objective::Multilabel { labels: 2 }.gradient(1.0, &[f64::NAN, 1.0], &[0.0, 0.0], &mut gradients, &mut hessians);
    assert_eq!((gradients, hessians), ([0.0, -0.5], [0.0, 0.25]));
}

#[test]
fn extreme_scores_stay_finite() {
    for score in [-1e6, -800.0, 800.0, 1e6] {
        for (objective, label) in
            [(Objective::Binary, 1.0), (Objective::Poisson, 3.0), (Objective::Category { classes: 2 }, 1.0)]
        {
            let width = objective.width();
            let scores = vec![score, -score][..width].to_vec();
            let (mut gradients, mut hessians) = (vec![0.0; width], vec![0.0; width]);
            objective.gradient(1.0, &[label], &scores, &mut gradients, &mut hessians);
            assert!(objective.loss(&[label], &scores).is_finite());
            assert!(
                gradients.iter().all(|value| value.is_finite())
                    && hessians.iter().all(|value| *value > 0.0 && value.is_finite())
            );
        }
    }
}
