//! A hard-sharing network of three tasks with labels missing, against PyTorch in f64.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

mod common;

use common::*;
use polytask_cpu::*;
use polytask_graph::*;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Network {
    parameters: BTreeMap<String, Tensor>,
    input: Tensor,
    tasks: BTreeMap<String, Task>,
    total: f32,
    total_gradients: BTreeMap<String, Tensor>,
    adam: Path,
}

#[derive(Deserialize)]
struct Task {
    loss: String,
    label: Tensor,
    row_weight: Tensor,
    output: Tensor,
    value: f32,
    gradients: BTreeMap<String, Tensor>,
}

#[derive(Deserialize)]
struct Path {
    learning_rate: f64,
    /// Before each of ten steps, and after the last.
    losses: BTreeMap<String, Vec<f32>>,
    parameters: BTreeMap<String, Tensor>,
}

/// A fixture calls the gain of a layer norm its weight.
fn name(fixture: &str) -> &str {
    if fixture == "trunk.2.weight" { "trunk.2.gain" } else { fixture }
}

impl Network {
    fn graph(&self) -> Graph {
        let width = self.parameters["trunk.0.weight"].width();
        let mut g = GraphBuilder::new();
        let x = g.input("x", self.input.width());
        let h = g.named("trunk.0").dense(x, width, Activation::Relu);
        let h = g.named("trunk.1").dense(h, width, Activation::Relu);
        let h = g.named("trunk.2").layer_norm(h);
        for (task, of) in &self.tasks {
            let z = g.named(format!("heads.{task}.0")).dense(h, of.output.width(), Activation::Linear);
            let kind = match of.loss.as_str() {
                "mse" => LossKind::Mse,
                "binary_cross_entropy" => LossKind::BinaryCrossEntropy,
                _ => LossKind::CrossEntropy,
            };
            g.loss(task, z, kind);
        }
        g.finish().unwrap()
    }

    fn runner(&self, graph: &Graph, mode: Mode, groups: &Groups) -> Runner {
        let mut values = Parameters::zeros(graph);
        assert_eq!(graph.parameters().len(), self.parameters.len());
        for (of, tensor) in &self.parameters {
            values.set(graph, name(of), &tensor.data).unwrap();
        }
        Runner::new(Plan::new(graph, self.input.rows(), mode, groups), values)
    }

    fn with<R>(&self, use_feed: impl FnOnce(&Batch<'_>) -> R) -> R {
        let classes: Vec<Vec<u32>> = self.tasks.values().map(|task| task.label.indices()).collect();
        let targets = self.tasks.values().zip(&classes).map(|(task, classes)| Target {
            labels: if task.loss == "cross_entropy" { Labels::Class(classes) } else { Labels::Real(&task.label.data) },
            weights: &task.row_weight.data,
        });
        let targets: Vec<_> = targets.collect();
        let rows: Vec<u32> = (0..self.input.rows() as u32).collect();
        use_feed(&Batch { inputs: &[Numbers::Real(&self.input.data)], targets: &targets, offsets: &[], rows: &rows })
    }
}

/// Forward and back a number passes four layers, each worth about four roundings (see the tests of the ops), and the
/// largest of a gradient may be what is left of larger terms. 32 units are 2e-6.
const UNITS: f32 = 32.0;

#[test]
fn predictions_and_losses() {
    let network: Network = fixture("hard_sharing");
    let graph = network.graph();
    for mode in [Mode::Predict, Mode::Train] {
        let mut runner = network.runner(&graph, mode, &Groups::merged(&graph));
        network.with(|feed| {
            let outputs = runner.predict(feed);
            let losses = runner.evaluate(feed);
            for (((name, task), output), loss) in network.tasks.iter().zip(&outputs).zip(&losses) {
                assert_close(&format!("{name}, output"), output, &task.output.data, UNITS);
                assert_close(&format!("{name}, loss"), &[loss.unwrap() as f32], &[task.value], UNITS);
            }
            let total: f64 = losses.iter().flatten().sum();
            assert_close("total", &[total as f32], &[network.total], UNITS);
        });
    }
}

#[test]
fn gradient_of_the_sum() {
    let network: Network = fixture("hard_sharing");
    let graph = network.graph();
    let mut runner = network.runner(&graph, Mode::Train, &Groups::merged(&graph));
    let found = network.with(|feed| {
        runner.forward_backward(feed, &[1.0; 3], 0);
        gradients(&runner, feed.rows.len())
    });
    assert_eq!(found.len(), network.total_gradients.len());
    for (of, expected) in &network.total_gradients {
        assert_close(of, &found[name(of)], &expected.data, UNITS);
    }
}

/// One walk of the graph gives every task's gradient of every parameter that it reaches, and of no other.
#[test]
fn gradients_of_every_task() {
    let network: Network = fixture("hard_sharing");
    let graph = network.graph();
    let mut runner = network.runner(&graph, Mode::Train, &Groups::separate(&graph));
    network.with(|feed| {
        runner.forward_backward(feed, &[1.0; 3], 0);
        for of in network.parameters.keys() {
            let id = graph.parameters().iter().position(|p| p.name == name(of)).unwrap();
            let found: BTreeMap<usize, Vec<f32>> =
                runner.gradients(ParameterId(id), feed.rows.len()).into_iter().collect();
            for (group, (task_name, task)) in network.tasks.iter().enumerate() {
                let (found, expected) = (found.get(&group), task.gradients.get(of));
                assert_eq!(found.is_some(), expected.is_some(), "{task_name} reaches {of}");
                if let (Some(found), Some(expected)) = (found, expected) {
                    assert_close(&format!("{task_name}, {of}"), found, &expected.data, UNITS);
                }
            }
        }
    });
}

/// Every task's gradient over the parameters that several tasks reach, end to end in the graph's order.
fn shared_rows(network: &Network, graph: &Graph) -> Vec<Vec<f32>> {
    let reach = graph.reach();
    let shared = graph.parameters().iter().enumerate().filter(|(i, _)| reach.parameters[*i].len() > 1);
    let shared: Vec<&str> = shared.map(|(_, p)| p.name.as_str()).collect();
    let row = |task: &Task| {
        let of = |shared: &&str| task.gradients.iter().find(|(n, _)| name(n) == *shared).unwrap().1.data.clone();
        shared.iter().flat_map(of).collect()
    };
    network.tasks.values().map(row).collect()
}

#[test]
fn jacobian_and_gramian_over_the_shared_parameters() {
    let network: Network = fixture("hard_sharing");
    let graph = network.graph();
    let mut runner = network.runner(&graph, Mode::Train, &Groups::separate(&graph));
    let rows = network.input.rows();
    network.with(|feed| runner.forward_backward(feed, &[1.0; 3], 0));
    let expected = shared_rows(&network, &graph);
    let mut found = Jacobian::default();
    runner.jacobian(rows, &mut found);
    assert_eq!(found.tensors.len(), 6, "two dense layers and a layer norm");
    assert_eq!(found.tensors.last().unwrap().end, expected[0].len());
    for ((task, found), expected) in network.tasks.keys().zip(&found.rows).zip(&expected) {
        assert_close(task, found, expected, UNITS);
    }
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let expected: Vec<f32> = expected.iter().flat_map(|a| expected.iter().map(|b| product(a, b) as f32)).collect();
    let found: Vec<f32> = runner.gramian(rows).iter().map(|v| *v as f32).collect();
    assert_close("gramian", &found, &expected, UNITS);
}

/// A step of plain descent at rate 1 on task gradients combined in each way.
#[test]
fn steps_on_combined_gradients() {
    let network: Network = fixture("hard_sharing");
    let graph = network.graph();
    let (ones, shared, heads) = ([1.0; 3], [0.5, 2.0, -1.0], [3.0, 0.25, 1.5]);
    let rows = shared_rows(&network, &graph);
    let direction: Vec<f32> = (0..rows[0].len()).map(|i| rows[0][i] - 0.5 * rows[2][i]).collect();
    let as_weights = [1.0, 0.0, -0.5];
    let mut scout = network.runner(&graph, Mode::Train, &Groups::separate(&graph));
    network.with(|feed| scout.forward_backward(feed, &[1.0; 3], 0));
    let mut whole = vec![f32::NAN; graph.scalar_count()];
    scout.gradient(network.input.rows(), Combine::Weighted { shared: &shared, heads: &heads }, &mut whole);
    let cases = [
        (Combine::Sum, ones, ones),
        (Combine::Weighted { shared: &shared, heads: &heads }, shared, heads),
        (Combine::Direction { shared: &direction, heads: &heads }, as_weights, heads),
        (Combine::Whole(&whole), shared, heads),
    ];
    let reach = graph.reach();
    for (combine, shared, heads) in cases {
        let mut runner = network.runner(&graph, Mode::Train, &Groups::separate(&graph));
        let mut optimizer = Optimizer::new(Rule::Sgd { momentum: 0.0, nesterov: false }, graph.parameter_count());
        let update = Update { rate: 1.0, clip: None, l2: 0.0, l2_biases: false };
        network.with(|feed| runner.forward_backward(feed, &[1.0; 3], 0));
        runner.update(&mut optimizer, update, network.input.rows(), combine);
        for (of, start) in &network.parameters {
            let id = graph.parameters().iter().position(|p| p.name == name(of)).unwrap();
            let weights = if reach.parameters[id].len() > 1 { shared } else { heads };
            let mut expected: Vec<f64> = start.data.iter().map(|v| f64::from(*v)).collect();
            for (task, weight) in network.tasks.values().zip(weights) {
                let gradient = task.gradients.get(of).map_or(&[][..], |g| &g.data);
                expected.iter_mut().zip(gradient).for_each(|(e, g)| *e -= weight * f64::from(*g));
            }
            let expected: Vec<f32> = expected.iter().map(|v| *v as f32).collect();
            assert_close(&format!("{combine:?}, {of}"), runner.parameters().of(ParameterId(id)), &expected, UNITS);
        }
    }
}

#[test]
fn ten_steps_of_adam() {
    let network: Network = fixture("hard_sharing");
    let graph = network.graph();
    let mut runner = network.runner(&graph, Mode::Train, &Groups::merged(&graph));
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 };
    let mut optimizer = Optimizer::new(rule, graph.parameter_count());
    let update = Update { rate: network.adam.learning_rate, clip: None, l2: 0.0, l2_biases: false };
    network.with(|feed| {
        for step in 0..=10 {
            let losses = runner.forward_backward(feed, &[1.0; 3], step);
            for ((task, path), loss) in network.adam.losses.iter().zip(losses) {
                let expected = path[step as usize];
                assert_close(&format!("{task}, step {step}"), &[loss.unwrap() as f32], &[expected], UNITS);
            }
            if step < 10 {
                runner.update(&mut optimizer, update, feed.rows.len(), Combine::Sum);
            }
        }
    });
    for (of, expected) in &network.adam.parameters {
        let id = graph.parameters().iter().position(|p| p.name == name(of)).unwrap();
        assert_close(of, runner.parameters().of(ParameterId(id)), &expected.data, UNITS);
    }
}
