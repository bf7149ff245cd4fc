//! Update rules against PyTorch in f64: the parameters after each of twenty steps.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

mod common;

use common::*;
use polytask_cpu::*;
use polytask_graph::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct OptimizerCase {
    optimizer: String,
    learning_rate: f64,
    #[serde(default)]
    momentum: f32,
    #[serde(default)]
    nesterov: bool,
    #[serde(default)]
    beta1: f32,
    #[serde(default)]
    beta2: f32,
    #[serde(default)]
    epsilon: f32,
    #[serde(default)]
    weight_decay: f32,
    start: Tensor,
    gradients: Tensor,
    parameters: Tensor,
}

impl OptimizerCase {
    fn rule(&self) -> Rule {
        match self.optimizer.as_str() {
            "sgd" => Rule::Sgd { momentum: self.momentum, nesterov: self.nesterov },
            _ => Rule::Adam { beta1: self.beta1, beta2: self.beta2, epsilon: self.epsilon, decay: self.weight_decay },
        }
    }

    /// What each step was given, and what it should lead to.
    fn steps(&self) -> impl Iterator<Item = (&[f32], &[f32])> {
        let size = self.start.data.len();
        self.gradients.data.chunks_exact(size).zip(self.parameters.data.chunks_exact(size))
    }
}

/// A step rounds a parameter twice, when it decays and when it moves: forty units, 2.4e-6, after twenty steps at worst.
const UNITS: f32 = 40.0;

#[test]
fn on_plain_slices() {
    let cases: Vec<OptimizerCase> = fixture("optimizers");
    // Decoupled decay acts on weights and tables of a graph; plain slices are neither.
    for case in cases.iter().filter(|c| c.weight_decay == 0.0) {
        let mut optimizer = Optimizer::new(case.rule(), case.start.data.len());
        let mut values = case.start.data.clone();
        for (t, (gradient, expected)) in case.steps().enumerate() {
            optimizer.step(case.learning_rate, &mut values, gradient);
            assert_close(&format!("{:?}, step {t}", case.rule()), &values, expected, UNITS);
        }
    }
}

/// The same paths taken by a table in a graph, AdamW's decay included.
#[test]
fn on_the_parameters_of_a_graph() {
    let cases: Vec<OptimizerCase> = fixture("optimizers");
    assert!(cases.iter().any(|c| c.weight_decay != 0.0));
    for case in cases {
        let size = case.start.data.len();
        let mut g = GraphBuilder::new();
        let z = looked_up(&mut g, 1, size);
        g.loss("task", z, LossKind::Mse);
        let graph = g.finish().unwrap();
        let mut start = Parameters::zeros(&graph);
        start.set(&graph, "x.table", &case.start.data).unwrap();
        let mut runner = Runner::new(Plan::new(&graph, 1, Mode::Train, &Groups::merged(&graph)), start);
        let mut optimizer = Optimizer::new(case.rule(), size);
        let update = Update { rate: case.learning_rate, clip: None, l2: 0.0, l2_biases: false };
        for (t, (gradient, expected)) in case.steps().enumerate() {
            let (labels, weight) = far_labels(runner.parameters().values(), gradient, 1);
            let targets = [Target { labels: Labels::Real(&labels), weights: &[1.0] }];
            let feed = Batch { inputs: &[Numbers::Index(&[0])], targets: &targets, offsets: &[], rows: &[0] };
            runner.forward_backward(&feed, &[weight], 0);
            runner.update(&mut optimizer, update, 1, Combine::Sum);
            assert_close(&format!("{:?}, step {t}", case.rule()), runner.parameters().values(), expected, UNITS);
        }
    }
}
