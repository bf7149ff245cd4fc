//! Dense layers that read one node run as one product, and nobody can tell but by the clock.

#![allow(clippy::unwrap_used, reason = "the data of a test is known to be there")]

mod common;

use common::differences::*;
use polytask_cpu::*;
use polytask_graph::*;

/// Experts and gates on one input, a layer that reads it by a weight of another, experts on a hidden layer, heads; widths
/// below, at and beyond those of the narrow loops, and every kind of activation.
fn graph() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 70);
    let h = g.named("h").dense(x, 66, Activation::Tanh);
    let kinds = [Activation::Relu, Activation::Gelu, Activation::Linear, Activation::Sigmoid];
    let low: Vec<NodeId> = (0..4).map(|e| g.named(format!("low.{e}")).dense(x, 16, kinds[e])).collect();
    let high: Vec<NodeId> = (0..4).map(|e| g.named(format!("high.{e}")).dense(h, 16, kinds[(e + 1) % 4])).collect();
    let skip = g.named("skip").dense(h, 16, Activation::Silu);
    let twin = g.tied("twin", "high.0", |g| g.named("twin").dense(h, 16, Activation::Relu));
    for task in 0..3 {
        let z = g.named(format!("gate.{task}.0")).dense(h, 4, Activation::Linear);
        let gate = g.named(format!("gate.{task}")).softmax(z);
        let mixed = g.mixture(gate, if task == 0 { &low } else { &high });
        let all = g.add(&[mixed, skip, twin]);
        let a = g.named(format!("head.{task}.a")).dense(all, 48, Activation::Relu);
        let b = g.named(format!("head.{task}.b")).dense(all, 16, Activation::Tanh);
        let seen = g.concat(&[a, b]);
        let y = g.named(format!("head.{task}")).dense(seen, 1, Activation::Linear);
        g.loss(&task.to_string(), y, LossKind::Mse);
    }
    g.finish().unwrap()
}

type Planned = fn(&Graph, usize, Mode, &Groups) -> Plan;

fn runner(graph: &Graph, plan: Planned, rows: usize, mode: Mode, groups: &Groups) -> Runner {
    Runner::new(plan(graph, rows, mode, groups), Parameters::init(graph, 3))
}

fn near(what: &str, a: &[f32], b: &[f32]) {
    let size = b.iter().fold(1e-3f32, |m, v| m.max(v.abs()));
    assert_eq!(a.len(), b.len(), "{what}");
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        assert!((a - b).abs() <= 2e-5 * size, "{what}, {i}: {a} and {b}");
    }
}

const ADAM: Rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 };
const UPDATE: Update = Update { rate: 1e-3, clip: None, l2: 1e-3, l2_biases: false };

#[test]
fn gradients_are_right() {
    check_differences(&graph(), 20);
    check_stacked(&graph(), 33, 4);
}

#[test]
fn the_same_as_layer_by_layer() {
    let (graph, rows) = (graph(), 300);
    let data = Data::new(&graph, rows, 2);
    let groups = [Groups::merged(&graph), Groups::separate(&graph), Groups::representation(&graph)];
    data.with(&graph, |feed| {
        for groups in &groups {
            let mut both = [Plan::new as Planned, Plan::unfused].map(|plan| {
                let mut runner = runner(&graph, plan, rows, Mode::Train, groups);
                runner.forward_backward(feed, &[1.0, 2.0, 0.5], 1);
                runner.backward_shared(&[1.0, -0.5, 2.0], 1);
                runner
            });
            for p in (0..graph.parameters().len()).map(ParameterId) {
                let [fused, alone] = both.each_ref().map(|runner| runner.gradients(p, rows));
                let name = &graph.parameter(p).name;
                assert_eq!(fused.len(), alone.len(), "{name}");
                for ((group, fused), (other, alone)) in fused.iter().zip(&alone) {
                    assert_eq!(group, other, "{name}");
                    near(name, fused, alone);
                }
            }
            // What is copied for the products follows the updates and what is set.
            let mut optimizers = both.each_ref().map(|r| Optimizer::new(ADAM, r.parameters().values().len()));
            for step in 0..5 {
                for (runner, optimizer) in both.iter_mut().zip(&mut optimizers) {
                    runner.forward_backward(feed, &[1.0, 2.0, 0.5], step);
                    runner.backward_shared(&[1.0, -0.5, 2.0], step);
                    runner.update(optimizer, UPDATE, rows, Combine::Sum);
                }
            }
            let mut judges =
                [Plan::new as Planned, Plan::unfused].map(|p| runner(&graph, p, rows, Mode::Predict, groups));
            let [fused, alone] = [0, 1].map(|i| {
                judges[i].set_parameters(both[i].parameters());
                judges[i].predict(feed)
            });
            // Adam turns a difference in rounding into one of the rate where a gradient is next to nothing.
            for (fused, alone) in fused.iter().zip(&alone) {
                let size = alone.iter().fold(1e-3f32, |m, v| m.max(v.abs()));
                assert!(fused.iter().zip(alone).all(|(a, b)| (a - b).abs() < 2e-3 * size));
            }
        }
    });
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    // Wide enough for several lanes, and for the copies to be shared out.
    let mut g = GraphBuilder::new();
    let x = g.input("x", 130);
    let h = g.named("h").dense(x, 320, Activation::Relu);
    for task in 0..3 {
        let a = g.named(format!("a.{task}")).dense(h, 48, Activation::Relu);
        let y = g.named(format!("y.{task}")).dense(a, 1, Activation::Linear);
        g.loss(&task.to_string(), y, LossKind::Mse);
    }
    let (graph, rows) = (g.finish().unwrap(), 1024);
    let data = Data::new(&graph, rows, 2);
    let trained = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            data.with(&graph, |feed| {
                let mut runner = runner(&graph, Plan::new, rows, Mode::Train, &Groups::merged(&graph));
                assert!(runner.plan().lanes() > 1);
                let mut optimizer = Optimizer::new(ADAM, runner.parameters().values().len());
                for step in 0..4 {
                    runner.forward_backward(feed, &[1.0; 3], step);
                    runner.update(&mut optimizer, UPDATE, rows, Combine::Sum);
                }
                runner.parameters().clone()
            })
        })
    };
    let one = trained(1);
    assert!(trained(3) == one && trained(4) == one);
}
