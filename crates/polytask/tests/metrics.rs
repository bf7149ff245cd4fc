//! Metrics against scikit-learn (`fixtures/metrics.py`), and what happens where they are not defined.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use polytask::metric::{
    Better, Confused, Metrics, accuracy, auc, average_precision, brier, calibration_error, log_loss, macro_f1, mae,
    pearson, places_off, poisson_deviance, quadratic_kappa, r2, rmse,
};
use serde_json::Value;

/// Both sides compute in f64 and differ in the order of at most sixty additions.
const CLOSE: f64 = 1e-12;

fn fixture(task: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("fixtures/metrics.json")).unwrap();
    all[task].clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

fn classes(value: &Value) -> Vec<u32> {
    numbers(value).into_iter().map(|v| v as u32).collect()
}

#[track_caller]
fn same(fixture: &Value, name: &str, got: Option<f64>) {
    let (got, wanted) = (got.unwrap(), fixture[name].as_f64().unwrap());
    assert!((got - wanted).abs() <= CLOSE * wanted.abs().max(1.0), "{name}: {got} instead of {wanted}");
}

#[test]
fn regression_agrees_with_scikit_learn() {
    let f = fixture("regression");
    let (y, p) = (numbers(&f["labels"]), numbers(&f["predictions"]));
    same(&f, "r2", r2(&y, &p));
    same(&f, "rmse", rmse(&y, &p));
    same(&f, "mae", mae(&y, &p));
    same(&f, "pearson", pearson(&y, &p));
}

#[test]
fn binary_agrees_with_scikit_learn_ties_included() {
    let f = fixture("binary");
    let (y, p) = (classes(&f["labels"]), numbers(&f["probabilities"]));
    let hard: Vec<u32> = p.iter().map(|p| u32::from(*p > 0.5)).collect();
    let pairs: Vec<f64> = p.iter().flat_map(|p| [1.0 - p, *p]).collect();
    let positive: Vec<bool> = y.iter().map(|y| *y == 1).collect();
    same(&f, "accuracy", accuracy(&y, &hard));
    same(&f, "macro_f1", macro_f1(&y, &hard));
    same(&f, "log_loss", log_loss(&y, &pairs, 2));
    same(&f, "auc", auc(&positive, &p));
    same(&f, "average_precision", average_precision(&positive, &p));
    same(&f, "brier", brier(&positive, &p));
    let confused = Confused::of(&y, &hard);
    same(&f, "precision", confused.precision());
    same(&f, "recall", confused.recall());
    same(&f, "mcc", confused.mcc());
}

#[test]
fn category_agrees_with_scikit_learn() {
    let f = fixture("category");
    let (y, p) = (classes(&f["labels"]), classes(&f["predictions"]));
    same(&f, "accuracy", accuracy(&y, &p));
    same(&f, "macro_f1", macro_f1(&y, &p));
    same(&f, "log_loss", log_loss(&y, &numbers(&f["probabilities"]), 4));
}

#[test]
fn count_agrees_with_scikit_learn() {
    let f = fixture("count");
    let (y, p) = (numbers(&f["labels"]), numbers(&f["predictions"]));
    same(&f, "poisson_deviance", poisson_deviance(&y, &p));
    same(&f, "rmse", rmse(&y, &p));
    same(&f, "mae", mae(&y, &p));
}

#[test]
fn ordinal_agrees_with_scikit_learn() {
    let f = fixture("ordinal");
    let (y, p) = (classes(&f["labels"]), classes(&f["predictions"]));
    same(&f, "quadratic_kappa", quadratic_kappa(&y, &p, 5));
    same(&f, "places_off", places_off(&y, &p, 5));
    assert_eq!(quadratic_kappa(&[1, 1], &[1, 1], 3), None);
    assert_eq!(quadratic_kappa(&[], &[], 3), None);
}

#[test]
fn claims_are_compared_by_tenths() {
    // Of .1 to .2 one of two came true though .15 was said of each; of .9 to 1 both, though .95 was said.
    let claims = [(0.15, true), (0.15, false), (0.95, true), (0.95, true)];
    let error = calibration_error(&claims).unwrap();
    assert!((error - (0.5 * 0.35 + 0.5 * 0.05)).abs() < 1e-12, "{error}");
    assert_eq!(calibration_error(&[(1.0, true), (0.0, false)]), Some(0.0));
    // Claims of one tenth make good for each other, those of two do not.
    assert!(calibration_error(&[(0.42, false), (0.48, true)]).unwrap() < 0.051);
    assert!(calibration_error(&[(0.38, false), (0.48, true)]).unwrap() > 0.44);
    assert_eq!(calibration_error(&[]), None);
}

#[test]
fn undefined_metrics_are_absent() {
    // 0.1 + 0.1 + 0.1 is not 3 * 0.1: the rounding of the mean must not count as variance.
    assert_eq!(r2(&[0.1, 0.1, 0.1], &[0.0, 0.1, 0.2]), None);
    assert_eq!(r2(&[], &[]), None);
    assert_eq!(rmse(&[], &[]), None);
    assert_eq!(average_precision(&[false], &[0.5]), None);
    assert_eq!(brier(&[], &[]), None);
    let quiet = Confused::of(&[1, 0], &[0, 0]);
    assert_eq!((quiet.precision(), quiet.recall(), quiet.mcc()), (None, Some(0.0), Some(0.0)));
    assert_eq!(Confused::of(&[], &[]).mcc(), None);
    assert_eq!(mae(&[], &[]), None);
    assert_eq!((pearson(&[], &[]), pearson(&[1.0, 2.0], &[3.0, 3.0])), (None, None));
    assert_eq!(pearson(&[1.0, 2.0, 4.0], &[-2.0, -4.0, -8.0]), Some(-1.0));
    assert_eq!(accuracy(&[], &[]), None);
    assert_eq!(macro_f1(&[], &[]), None);
    assert_eq!(log_loss(&[], &[], 2), None);
    assert_eq!(poisson_deviance(&[], &[]), None);
    assert_eq!(auc(&[true, true], &[0.1, 0.2]), None);
    assert_eq!(auc(&[], &[]), None);
    assert_eq!(auc(&[true, false], &[f64::NAN, 0.2]), None);
}

#[test]
fn extremes_stay_finite() {
    // A sure mistake costs -ln(1e-15), a sure hit next to nothing.
    assert!((log_loss(&[1], &[1.0, 0.0], 2).unwrap() - 34.538776394910684).abs() < 1e-9);
    assert!(log_loss(&[0], &[1.0, 0.0], 2).unwrap() < 1e-14);
    assert!(poisson_deviance(&[3.0], &[0.0]).unwrap().is_finite());
    assert_eq!(poisson_deviance(&[0.0], &[2.0]), Some(4.0));
}

#[test]
fn auc_of_perfect_reversed_and_tied_scores() {
    let positive = [false, false, true, true];
    assert_eq!(auc(&positive, &[0.1, 0.2, 0.3, 0.4]), Some(1.0));
    assert_eq!(auc(&positive, &[0.4, 0.3, 0.2, 0.1]), Some(0.0));
    assert_eq!(auc(&positive, &[0.5; 4]), Some(0.5));
}

#[test]
fn metrics_serialise_in_order_without_what_is_not_finite() {
    let mut metrics = Metrics::new(3);
    metrics.push("rmse", Better::Lower, Some(2.5));
    metrics.push("mae", Better::Lower, Some(f64::INFINITY));
    metrics.push("r2", Better::Higher, None);
    metrics.push("auc", Better::Higher, Some(0.5));
    assert_eq!(serde_json::to_string(&metrics).unwrap(), r#"{"rmse":2.5,"auc":0.5,"n":3}"#);
    assert_eq!(metrics.value("rmse"), Some(2.5));
    assert_eq!(metrics.value("mae"), None);
    assert!(Better::Lower.improves(1.0, 2.0) && !Better::Higher.improves(1.0, 2.0));
    assert!(!Better::Lower.improves(f64::NAN, 2.0));
}
