//! Values computed by others: TorchJD's own test values (see the fixture's provenance), and the Nash-MTL solution that
//! its official solver misses.

#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, which clippy does not see as such.

mod common;

use common::{inner, make, norm};
use polytask_balance::{Gramian, Step, direction};
use serde_json::Value;

/// The method and keys here of a TorchJD class.
fn counterpart(name: &str) -> (&'static str, &'static str) {
    match name {
        "AlignedMTL" => ("aligned", "{}"),
        "ConFIG" => ("config", "{}"),
        "Constant" => ("fixed", r#"{"weights": {"t0": 1, "t1": 2}}"#),
        "DualProj" => ("dualproj", "{}"),
        "IMTLG" => ("imtl_g", "{}"),
        "Krum" => ("krum", r#"{"byzantine": 1, "selected": 4}"#),
        "Mean" => ("fixed", r#"{"weights": {"t0": 0.5, "t1": 0.5}}"#),
        "MGDA" => ("mgda", "{}"),
        "PCGrad" => ("pcgrad", "{}"),
        "Sum" => ("equal", "{}"),
        "TrimmedMean" => ("trimmed_mean", r#"{"trim": 1}"#),
        "UPGrad" => ("upgrad", "{}"),
        "CAGrad" => ("cagrad", r#"{"c": 0.5}"#),
        "NashMTL" => ("nash", "{}"),
        other => panic!("no counterpart of {other}"),
    }
}

fn fixture(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("fixtures/torchjd_goldens.json")).unwrap();
    all[section].as_array().unwrap().clone()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn rows(case: &Value) -> Vec<Vec<f64>> {
    case["J"].as_array().unwrap().iter().map(numbers).collect()
}

/// Theirs are rounded to four places and computed in single precision: their own tolerance is 1e-4.
fn assert_close(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a - b).abs() <= 1e-4, "{what}: {ours:?}, expected {theirs:?}");
    }
}

#[test]
fn directions_are_those_of_torchjd() {
    let cases = fixture("aggregators");
    assert_eq!(cases.len(), 14);
    for case in cases {
        let (name, keys) = counterpart(case["aggregator"].as_str().unwrap());
        let j = rows(&case);
        let tasks: Vec<usize> = (0..j.len()).collect();
        let step = Step { index: 0, epoch: 0, tasks: &tasks, losses: &[] };
        let answer = direction(make(name, keys, j.len()).as_mut(), &step, &j).unwrap();
        assert_close(name, &answer.direction, &numbers(&case["expected"]));
    }
}

#[test]
fn weights_are_those_of_torchjd() {
    let cases = fixture("weightings_on_gramian_JJt");
    assert_eq!(cases.len(), 11);
    for case in cases {
        let (name, keys) = counterpart(case["weighting"].as_str().unwrap());
        let j = rows(&case);
        let tasks: Vec<usize> = (0..j.len()).collect();
        let step = Step { index: 0, epoch: 0, tasks: &tasks, losses: &[] };
        let values = j.iter().flat_map(|a| j.iter().map(|b| inner(a, b))).collect();
        let gramian = Gramian::new(j.len(), values).unwrap();
        let weights = make(name, keys, j.len()).weights(&step, Some(&gramian)).unwrap();
        assert_close(name, &weights.shared, &numbers(&case["expected_weights"]));
    }
}

/// On opposed gradients the official solver (torchjd 0.18.0) answers (0, 0.5), its starting weights. The solution
/// satisfies `<g_i, d> = 1 / a_i`.
#[test]
fn nash_solves_what_the_official_solver_does_not() {
    let j = vec![vec![1.0, 0.0], vec![-1.0, 0.5]];
    let step = Step { index: 0, epoch: 0, tasks: &[0, 1], losses: &[] };
    for (name, keys) in [("nash", r#"{"max_norm": 0}"#), ("fairgrad", "{}")] {
        let answer = direction(make(name, keys, 2).as_mut(), &step, &j).unwrap();
        assert!((answer.direction[0] - 0.32492).abs() < 5e-6, "{answer:?}");
        assert!((answer.direction[1] - 1.37638).abs() < 5e-6, "{answer:?}");
        for (row, a) in j.iter().zip(&answer.weights.shared) {
            assert!((inner(row, &answer.direction) * a - 1.0).abs() < 1e-8);
        }
    }
    let clipped = direction(make("nash", "{}", 2).as_mut(), &step, &j).unwrap();
    assert!((norm(&clipped.direction) - 1.0).abs() < 1e-12);
    assert!(clipped.weights.heads[0] > clipped.weights.shared[0], "heads are not clipped");
}
