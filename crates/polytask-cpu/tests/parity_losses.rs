//! Every loss against PyTorch in f64: its value, the loss of each row, and the cotangent of its prediction.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture that makes no sense must stop the test")]

mod common;

use common::*;
use polytask_cpu::*;
use polytask_graph::*;
use serde::Deserialize;

/// A loss is an exponential or logarithm, right to three or four units, in a handful of operations, some of which
/// cancel a few times over (`exp(z) - y`). Sixteen units are 1e-6.
const UNITS: f32 = 16.0;

#[derive(Deserialize)]
struct LossCase {
    loss: String,
    delta: Option<f32>,
    input: Tensor,
    target: Tensor,
    row_weight: Tensor,
    row_loss: Tensor,
    value: f32,
    cotangent: f64,
    input_gradient: Tensor,
}

impl LossCase {
    fn kind(&self) -> LossKind {
        match self.loss.as_str() {
            "mse" => LossKind::Mse,
            "mae" => LossKind::Mae,
            "huber" => LossKind::Huber { delta: self.delta.unwrap() },
            "binary_cross_entropy" => LossKind::BinaryCrossEntropy,
            "cross_entropy" => LossKind::CrossEntropy,
            "poisson" => LossKind::Poisson,
            other => panic!("unknown loss {other}"),
        }
    }

    fn check(&self) {
        let (what, n) = (&self.loss, self.input.rows());
        let mut g = GraphBuilder::new();
        let z = looked_up(&mut g, n, self.input.width());
        g.loss("task", z, self.kind());
        let graph = g.finish().unwrap();
        let mut values = Parameters::zeros(&graph);
        values.set(&graph, "x.table", &self.input.data).unwrap();
        let mut runner = Runner::new(Plan::new(&graph, n, Mode::Train, &Groups::merged(&graph)), values);

        let (ids, classes): (Vec<u32>, _) = ((0..n as u32).collect(), self.target.indices());
        let labels = match self.kind() {
            LossKind::CrossEntropy => Labels::Class(&classes),
            _ => Labels::Real(&self.target.data),
        };
        let inputs = [Numbers::Index(&ids)];
        let targets = [Target { labels, weights: &self.row_weight.data }];
        let feed = Batch { inputs: &inputs, targets: &targets, offsets: &[], rows: &ids };

        let losses = runner.forward_backward(&feed, &[self.cotangent], 0);
        let value = losses[0].unwrap() as f32;
        assert_close(&format!("{what}, value"), &[value], &[self.value], UNITS);
        assert_eq!(runner.evaluate(&feed), losses, "{what}: evaluating is the same sum");
        let found = &gradients(&runner, n)["x.table"];
        assert_close(&format!("{what}, cotangent"), found, &self.input_gradient.data, UNITS);
        for (i, w) in self.row_weight.data.iter().enumerate().filter(|(_, w)| **w == 0.0) {
            let width = self.input.width();
            let own = &found[i * width..(i + 1) * width];
            assert!(own.iter().all(|v| *v == 0.0), "{what}: a row of weight {w} has no gradient");
        }

        // Each row alone, those without weight too.
        let targets = [Target { labels, weights: &vec![1.0; n] }];
        let alone =
            |row: &u32| runner.evaluate(&Batch { inputs: &inputs, targets: &targets, offsets: &[], rows: &[*row] })[0];
        let rows: Vec<f32> = ids.iter().map(alone).map(|loss| loss.unwrap() as f32).collect();
        assert_close(&format!("{what}, rows"), &rows, &self.row_loss.data, UNITS);
    }
}

#[test]
fn every_loss() {
    let cases: Vec<LossCase> = fixture("losses");
    assert_eq!(cases.len(), 8);
    cases.iter().for_each(LossCase::check);
}

/// The loss of one row of a Poisson task.
fn poisson(z: f32, y: f32) -> f64 {
    let mut g = GraphBuilder::new();
    let input = g.input("z", 1);
    g.loss("task", input, LossKind::Poisson);
    let graph = g.finish().unwrap();
    let plan = Plan::new(&graph, 1, Mode::Predict, &Groups::merged(&graph));
    let inputs = [Numbers::Real(&[z])];
    let targets = [Target { labels: Labels::Real(&[y]), weights: &[1.0] }];
    Runner::new(plan, Parameters::zeros(&graph)).evaluate(&Batch {
        inputs: &inputs,
        targets: &targets,
        offsets: &[],
        rows: &[0],
    })[0]
        .unwrap()
}

#[test]
fn a_count_costs_nothing_at_its_rate_and_never_less() {
    for y in (2..200).map(|y| y as f32).chain([1e4, 1e5, 1e6]) {
        let least = y.ln();
        let steps = (-3..=3).map(|ulps| f32::from_bits(least.to_bits().wrapping_add_signed(ulps)));
        for loss in steps.map(|z| poisson(z, y)) {
            // Half of y d^2, with the rate's logarithm d off by a few roundings.
            assert!((0.0..1e-10 * f64::from(y)).contains(&loss), "{loss} at a count of {y}");
        }
    }
    assert_eq!(poisson(0.0, 1.0), 0.0);
    assert_eq!(poisson(-2.0, 0.0), f64::from((-2.0f32).exp()));
    assert!(poisson(f32::NAN, 3.0).is_nan());
}
