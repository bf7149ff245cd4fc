//! Coefficients equal to those of scikit-learn; `fixtures/reference.py` makes the numbers.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use polytask_linear::{Features, L21, Labels, Lasso, Loss, Options, Penalty, Problem, Ridge, Task, solve};
use serde_json::Value;

const ROWS: usize = 60;
const TASKS: usize = 4;

fn reference() -> Value {
    serde_json::from_str(include_str!("fixtures/reference.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

fn features(reference: &Value) -> Features {
    Features::numbers(ROWS, numbers(&reference["x"])).unwrap()
}

fn penalty(case: &Value) -> Box<dyn Penalty> {
    let ratio = case["ratio"].as_f64().unwrap_or(1.0);
    match case["penalty"].as_str().unwrap() {
        "l21" => Box::new(L21::new(ratio).unwrap()),
        "lasso" => Box::new(Lasso::new(ratio).unwrap()),
        _ => Box::new(Ridge),
    }
}

/// The tasks of squared loss with these row weights.
fn tasks(reference: &Value, weights: &[f64]) -> Vec<Task> {
    let y = numbers(&reference["y"]);
    let task = |t: usize| Task {
        loss: Loss::Squared,
        labels: Labels::Real(y.iter().skip(t).step_by(TASKS).copied().collect()),
        weights: weights.to_vec(),
    };
    (0..TASKS).map(task).collect()
}

fn all() -> Vec<u32> {
    (0..ROWS as u32).collect()
}

/// The largest difference between what was found and what scikit-learn found.
fn difference(problem: &Problem<'_>, penalty: &dyn Penalty, case: &Value) -> f64 {
    // To the last digit: the gap is the square of what coefficients are off by.
    let options = Options { tolerance: 0.0, iterations: 100_000 };
    let found = solve(problem, penalty, case["strength"].as_f64().unwrap(), &options, None);
    assert!(found.converged, "{case}");
    let coefficients = found.weights.transposed();
    let expected = numbers(&case["coefficients"]);
    assert_eq!(coefficients.values().len(), expected.len());
    let pairs = coefficients.values().iter().zip(&expected);
    let (ours, theirs) = (&found.intercepts, numbers(&case["intercepts"]));
    // Intercepts of classes are the same up to a constant for all, which changes no probability.
    let constant =
        if case["labels"] == "grade" { (ours.iter().sum::<f64>() - theirs.iter().sum::<f64>()) / 3.0 } else { 0.0 };
    let intercepts = ours.iter().zip(&theirs).map(|(a, b)| (a - b - constant).abs());
    pairs.map(|(a, b)| (a - b).abs()).chain(intercepts).fold(0.0, f64::max)
}

#[test]
fn squared_losses() {
    let reference = reference();
    let (features, tasks) = (features(&reference), tasks(&reference, &[1.0; ROWS]));
    let problem = Problem::new(&features, &tasks, &all()).unwrap();
    for case in reference["cases"].as_array().unwrap() {
        let off = difference(&problem, penalty(case).as_ref(), case);
        assert!(off < 1e-6, "{} {} {}: off by {off}", case["penalty"], case["strength"], case["ratio"]);
    }
}

#[test]
fn rows_with_weights() {
    let reference = reference();
    let features = features(&reference);
    let tasks = tasks(&reference, &numbers(&reference["weights"]));
    let problem = Problem::new(&features, &tasks, &all()).unwrap();
    for case in reference["weighted"].as_array().unwrap() {
        let off = difference(&problem, penalty(case).as_ref(), case);
        assert!(off < 1e-6, "{} {}: off by {off}", case["penalty"], case["strength"]);
    }
}

#[test]
fn logistic_regression_of_two_and_of_three_classes() {
    let reference = reference();
    let features = features(&reference);
    for case in reference["logistic"].as_array().unwrap() {
        let labels = numbers(&reference[case["labels"].as_str().unwrap()]);
        let loss = if case["labels"] == "event" { Loss::Logistic } else { Loss::Softmax { classes: 3 } };
        let task = [Task { loss, labels: Labels::Real(labels), weights: vec![1.0; ROWS] }];
        let problem = Problem::new(&features, &task, &all()).unwrap();
        let off = difference(&problem, &Ridge, case);
        assert!(off < 1e-6, "{} {}: off by {off}", case["labels"], case["strength"]);
    }
}
