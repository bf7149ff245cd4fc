//! The backward pass that stops at the shared representation, asks for weights, and goes on.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

use polytask_cpu::*;
use polytask_graph::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROWS: usize = 45;
const NOISE: u64 = 3;

/// A trunk whose second layer is read by three heads, one of them also reading the first layer, and a skip within the
/// shared part. A table with a row per example is added to the second layer: its gradient is the representation's.
fn graph() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 6);
    let id = g.index_input("id", 1);
    let first = g.named("first").dense(x, 12, Activation::Tanh);
    let second = g.named("second").dense(first, 12, Activation::Relu);
    let second = g.add(&[second, first]);
    let rows = g.named("rows").embedding(id, IndexColumn { column: 0, levels: ROWS }, 12);
    let z = g.named("z").add(&[second, rows]);
    let low = g.named("low").dense(first, 5, Activation::Silu);
    for task in 0..3 {
        let h = g.dense(z, 10, Activation::Relu);
        // Layers of single tasks on one weight.
        let name = format!("tied{task}");
        let h = g.tied(&name, "tied0", |g| g.named(&name).dense(h, 10, Activation::Tanh));
        let h = if task == 2 { g.concat(&[h, low]) } else { h };
        let y = g.dense(h, 1, Activation::Linear);
        g.loss(&task.to_string(), y, LossKind::Mse);
    }
    g.finish().unwrap()
}

struct Data {
    x: Vec<f32>,
    id: Vec<u32>,
    labels: Vec<Vec<f32>>,
    weights: Vec<Vec<f32>>,
    rows: Vec<u32>,
}

impl Data {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut draw = |n: usize| (0..n).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<f32>>();
        Data {
            x: draw(ROWS * 6),
            labels: (0..3).map(|_| draw(ROWS)).collect(),
            weights: (0..3).map(|_| draw(ROWS).iter().map(|v| v.max(0.0)).collect()).collect(),
            id: (0..ROWS as u32).collect(),
            rows: (0..ROWS as u32).collect(),
        }
    }

    fn with<R>(&self, run: impl FnOnce(&Batch<'_>) -> R) -> R {
        let inputs = [Numbers::Real(&self.x), Numbers::Index(&self.id)];
        let target = |t: usize| Target { labels: Labels::Real(&self.labels[t]), weights: &self.weights[t] };
        let targets: Vec<_> = (0..3).map(target).collect();
        run(&Batch { inputs: &inputs, targets: &targets, offsets: &[], rows: &self.rows })
    }
}

fn runner(graph: &Graph, groups: &Groups) -> Runner {
    Runner::new(Plan::new(graph, ROWS, Mode::Train, groups), Parameters::init(graph, 7))
}

#[test]
fn weighed_at_the_representation() {
    let (graph, data) = (graph(), Data::new());
    let reach = graph.reach();
    let weights = [0.5, -1.25, 2.0];
    data.with(|feed| {
        let mut split = runner(&graph, &Groups::representation(&graph));
        let losses = split.forward_backward(feed, &[1.0; 3], NOISE);
        split.backward_shared(&weights, NOISE);
        let mut separate = runner(&graph, &Groups::separate(&graph));
        assert_eq!(separate.forward_backward(feed, &[1.0; 3], NOISE), losses);
        for p in (0..graph.parameters().len()).map(ParameterId) {
            // Shared: the weighted sum of the tasks' gradients. Otherwise: the task's own gradient, not weighed.
            let shared = reach.parameters[p.0].len() > 1;
            let mut expected = vec![0.0f32; graph.parameter(p).len()];
            for (task, gradient) in separate.gradients(p, ROWS) {
                let weight = if shared { weights[task] as f32 } else { 1.0 };
                expected.iter_mut().zip(gradient).for_each(|(e, g)| *e += weight * g);
            }
            let mut found = vec![0.0f32; expected.len()];
            let copies = split.gradients(p, ROWS);
            let tied = graph.parameter(p).name.starts_with("tied");
            assert_eq!(copies.len(), if tied { 3 } else { 1 }, "{}", graph.parameter(p).name);
            for (group, gradient) in copies {
                // What flowed on below the representation has been weighed there.
                let weight = if tied { weights[group] as f32 } else { 1.0 };
                found.iter_mut().zip(gradient).for_each(|(f, g)| *f += weight * g);
            }
            let size = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
            assert!(size > 1e-4);
            for (e, f) in expected.iter().zip(&found) {
                // Sums of some dozens of f32 products in another order.
                assert!((e - f).abs() <= 1e-5 * size, "{}: {e} {f}", graph.parameter(p).name);
            }
        }
    });
}

#[test]
fn gramian_of_the_representation_and_of_the_parameters() {
    let (graph, data) = (graph(), Data::new());
    let reach = graph.reach();
    data.with(|feed| {
        let mut separate = runner(&graph, &Groups::separate(&graph));
        separate.forward_backward(feed, &[1.0; 3], NOISE);
        let products = |of: &dyn Fn(ParameterId) -> bool| {
            let mut gramian = vec![0.0f64; 9];
            for p in (0..graph.parameters().len()).map(ParameterId).filter(|p| of(*p)) {
                let gradients = separate.gradients(p, ROWS);
                for (a, x) in &gradients {
                    for (b, y) in &gradients {
                        gramian[a * 3 + b] += x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
                    }
                }
            }
            gramian
        };
        let near = |found: &[f64], expected: &[f64]| {
            let size = expected.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            assert!(size > 1e-6);
            found
                .iter()
                .zip(expected)
                .for_each(|(f, e)| assert!((f - e).abs() <= 1e-5 * size, "{found:?} {expected:?}"));
        };
        near(&separate.gramian(ROWS), &products(&|p| reach.parameters[p.0].len() > 1));

        // The heads read z, whose cotangents are the table's gradients, and `first` through `low`: only task 2 does.
        let mut split = runner(&graph, &Groups::representation(&graph));
        split.forward_backward(feed, &[1.0; 3], NOISE);
        let found = split.representation_gramian(ROWS);
        let of_z = products(&|p| graph.parameter(p).name == "rows.table");
        for (a, b) in [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 1)] {
            assert!((found[a * 3 + b] - of_z[a * 3 + b]).abs() <= 1e-5 * of_z[0].max(of_z[4]), "{found:?} {of_z:?}");
        }
        assert!(found[8] > of_z[8] * 1.001, "task 2 pulls on the first layer too");

        // Gathered a layer at a time it is the same, with less memory.
        let mut scout = runner(&graph, &Groups::layerwise(&graph));
        let (losses, found) = scout.layerwise_gramian(feed, NOISE);
        assert_eq!(losses, split.forward(feed, NOISE));
        near(&found, &separate.gramian(ROWS));
        assert!(scout.plan().memory() < separate.plan().memory());

        // The Jacobian's rows have the same inner products.
        let mut jacobian = Jacobian::default();
        separate.jacobian(ROWS, &mut jacobian);
        let shared = graph.parameters().iter().zip(&reach.parameters).filter(|(_, r)| r.len() > 1);
        let sizes: Vec<usize> = shared.map(|(p, _)| p.len()).collect();
        assert_eq!(jacobian.tensors.iter().map(|t| t.len()).collect::<Vec<_>>(), sizes);
        let dot = |a: usize, b: usize| {
            jacobian.rows[a].iter().zip(&jacobian.rows[b]).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>()
        };
        near(&(0..9).map(|i| dot(i / 3, i % 3)).collect::<Vec<_>>(), &separate.gramian(ROWS));
    });
}
