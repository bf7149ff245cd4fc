//! Every op's gradient against central differences, and what a Jacobian is made of.

#![allow(clippy::unwrap_used, reason = "the data of a test is known to be there")]

mod common;

use common::differences::*;
use common::mixed::{Mixed, TASKS};
use polytask_cpu::*;
use polytask_graph::*;

#[test]
fn every_loss() {
    for kind in KINDS {
        let mut g = GraphBuilder::new();
        let x = g.input("x", 3);
        let h = g.dense(x, 6, Activation::Tanh);
        head(&mut g, h, kind);
        check_differences(&g.finish().unwrap(), 37);
    }
}

#[test]
fn every_activation_wide_narrow_and_alone() {
    use Activation::*;
    for activation in [Linear, Relu, Gelu, Tanh, Sigmoid, Silu] {
        for width in [1, 3, 8, 20] {
            let mut g = GraphBuilder::new();
            let x = g.input("x", 4);
            let h = g.dense(x, width, activation);
            let h = g.dense(h, 5, Linear);
            let h = g.activation(h, activation);
            head(&mut g, h, LossKind::Mse);
            check_differences(&g.finish().unwrap(), 33);
        }
    }
}

#[test]
fn layer_norm_dropout_and_plumbing() {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 5);
    let c = g.index_input("c", 3);
    let e = g.embedding(c, IndexColumn { column: 2, levels: 5 }, 4);
    let o = g.one_hot(c, &[IndexColumn { column: 0, levels: 4 }, IndexColumn { column: 1, levels: 5 }]);
    let joined = g.concat(&[x, e, o]);
    let h = g.dense(joined, 12, Activation::Tanh);
    let n = g.layer_norm(h);
    let d = g.dropout(n, 0.3);
    let left = g.slice(d, 0, 6);
    let right = g.slice(h, 6, 12);
    let sum = g.add(&[left, right, left]);
    head(&mut g, sum, LossKind::Mse);
    head(&mut g, d, LossKind::CrossEntropy);
    check_differences(&g.finish().unwrap(), 41);
}

#[test]
fn gates_and_mixtures() {
    // Gates of several widths over vectors apart and side by side, with a gate and vectors that are used twice.
    for (experts, d) in [(2, 1), (3, 7), (8, 40), (11, 4)] {
        let mut g = GraphBuilder::new();
        let x = g.input("x", 5);
        let apart: Vec<_> = (1..experts).map(|_| g.dense(x, d, Activation::Tanh)).collect();
        let own = g.dense(x, d, Activation::Tanh);
        let packed = g.dense(x, experts * d, Activation::Tanh);
        let z = g.dense(x, experts, Activation::Linear);
        let gate = g.softmax_with_dropout(z, 0.4);
        let all: Vec<_> = apart.iter().copied().chain([own]).collect();
        let first = g.mixture(gate, &all);
        let second = g.mixture(gate, &[packed]);
        let mixed = g.concat(&apart);
        let mixed = g.mixture(gate, &[own, mixed]);
        let scale = g.slice(gate, 0, 1);
        let scaled = g.mul(scale, second);
        let joined = g.concat(&[first, scaled, mixed]);
        head(&mut g, joined, LossKind::Mse);
        head(&mut g, first, LossKind::CrossEntropy);
        check_differences(&g.finish().unwrap(), 29);
    }
}

#[test]
fn products_codes_and_vectors() {
    for choices in [2, 3, 8, 13] {
        let mut g = GraphBuilder::new();
        let x = g.input("x", 5);
        let bits = 2 * Op::code_bits(choices);
        let constant = g.vector(bits, Init::Uniform(0.7));
        let steps = g.activation(constant, Activation::SmoothStep);
        let z = g.dense(x, bits, Activation::Tanh);
        let codes = g.codes(steps, choices);
        // One smooth step alone: of two in a row, central differences would err by more than they tell.
        let narrow = g.dense(x, bits, Activation::SmoothStep);
        let other = g.codes(narrow, choices);
        let codes = g.activation(codes, Activation::Entropy);
        let product = g.mul(codes, other);
        let square = g.mul(z, z);
        let one = g.dense(x, 1, Activation::Linear);
        let scaled = g.mul(product, one);
        head(&mut g, scaled, LossKind::Mse);
        head(&mut g, square, LossKind::BinaryCrossEntropy);
        head(&mut g, codes, LossKind::Mae);
        check_differences(&g.finish().unwrap(), 23);
    }
}

/// What is below learns from the reader that no gradient stops at, and from nothing else.
#[test]
fn stopped_gradients() {
    let build = |stop: bool| {
        let mut g = GraphBuilder::new();
        let x = g.input("x", 5);
        let below = g.named("below").dense(x, 6, Activation::Tanh);
        let only = g.named("only").dense(x, 6, Activation::Tanh);
        let read = if stop { [below, only].map(|h| g.stop_gradient(h)) } else { [below, only] };
        let product = g.mul(read[0], read[1]);
        let a = g.named("a").dense(product, 2, Activation::Linear);
        let b = g.named("b").dense(below, 2, Activation::Linear);
        g.loss("a", a, LossKind::Mse);
        g.loss("b", b, LossKind::Mse);
        g.finish().unwrap()
    };
    let (free, stopped) = (build(false), build(true));
    let data = Data::new(&free, 19, 4);
    data.with(&free, |feed| {
        for groups in [Groups::separate, Groups::representation, Groups::layerwise] {
            let mut free = runner(&free, 19, &groups(&free));
            let mut stopped = runner(&stopped, 19, &groups(&stopped));
            let losses = free.forward_backward(feed, &[1.0; 2], NOISE);
            assert_eq!(stopped.forward_backward(feed, &[1.0; 2], NOISE), losses);
        }
        let mut free = runner(&free, 19, &Groups::separate(&free));
        let mut stopped = runner(&stopped, 19, &Groups::separate(&stopped));
        free.forward_backward(feed, &[1.0; 2], NOISE);
        stopped.forward_backward(feed, &[1.0; 2], NOISE);
        let of = |r: &Runner, name: &str| {
            let at = r.plan().graph().parameters().iter().position(|p| p.name == name).unwrap();
            r.gradients(ParameterId(at), 19)
        };
        let both = of(&free, "below.weight");
        assert_eq!(both.len(), 2);
        assert_eq!(of(&stopped, "below.weight"), &both[1..], "task b alone");
        assert_eq!(of(&stopped, "only.weight"), [], "no task");
        assert_eq!(of(&stopped, "a.weight"), of(&free, "a.weight"));
    });
}

#[test]
fn blends_by_numbers_by_shares_and_a_feature_at_a_time() {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 5);
    let columns: Vec<NodeId> = (0..3).map(|_| g.dense(x, 6, Activation::Tanh)).collect();
    let layer = g.blend(&columns, Per::Layer, 1, 0.9);
    let channel = g.blend(&columns, Per::Channel, 0, 0.7);
    let shares = g.softmax_blend(&[layer, channel, columns[2]]);
    let reduced = g.nddr(&[shares, layer], 0, 0.9, Activation::Silu);
    head(&mut g, shares, LossKind::Mse);
    head(&mut g, channel, LossKind::BinaryCrossEntropy);
    head(&mut g, reduced, LossKind::CrossEntropy);
    check_differences(&g.finish().unwrap(), 41);
}

#[test]
fn events_transfers_and_auxiliary_losses() {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 5);
    let [first, second] = [(); 2].map(|()| g.dense(x, 6, Activation::Tanh));
    let moved = g.named("moved").transfer(first, second);
    let dot = g.dot(moved, second, 0.3);
    let shifted = g.affine(dot, -1.5, 0.25);
    let logits = [first, second, moved].map(|h| g.dense(h, 2, Activation::Linear));
    let both = g.all_of(&logits[..2]);
    let all = g.all_of(&[both, logits[2]]);
    let one = g.loss("one", both, LossKind::BinaryCrossEntropy);
    let two = g.loss("two", all, LossKind::BinaryCrossEntropy);
    head(&mut g, shifted, LossKind::Mse);
    g.auxiliary_loss(second, 0.7, &[two]);
    g.auxiliary_loss(all, 0.4, &[one, two]);
    let slack = g.activation(shifted, Activation::Relu);
    g.auxiliary_loss(slack, 0.9, &[one]);
    check_differences(&g.finish().unwrap(), 41);
}

/// Events that are all but sure, or all but impossible.
#[test]
fn extreme_events() {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 2);
    let (a, b) = (g.slice(x, 0, 1), g.slice(x, 1, 2));
    let z = g.all_of(&[a, b]);
    g.loss("both", z, LossKind::BinaryCrossEntropy);
    let graph = g.finish().unwrap();
    let cases: [([f32; 2], f64); 5] = [
        ([0.0, 0.0], (0.25f64 / 0.75).ln()),
        ([40.0, 40.0], 40.0 - 2f64.ln()),
        ([-80.0, 3.0], -80.0 - (1.0 + (-3f64).exp()).ln()),
        ([-60.0, -50.0], -110.0),
        ([100.0, 90.0], 90.0 - (1.0 + (-10f64).exp()).ln()),
    ];
    let values: Vec<f32> = cases.iter().flat_map(|c| c.0).collect();
    let rows: Vec<u32> = (0..cases.len() as u32).collect();
    let plan = Plan::new(&graph, rows.len(), Mode::Predict, &Groups::merged(&graph));
    let feed = Batch { inputs: &[Numbers::Real(&values)], targets: &[], offsets: &[], rows: &rows };
    let found = Runner::new(plan, Parameters::zeros(&graph)).predict(&feed).remove(0);
    for (found, (of, expected)) in found.iter().zip(cases) {
        assert!((f64::from(*found) - expected).abs() < 1e-6 * expected.abs().max(1.0), "{of:?}: {found} {expected}");
    }
}

/// A table, a weight and a norm that three layers of each read, one upon the other.
fn tied(kinds: [LossKind; 3]) -> Graph {
    let mut g = GraphBuilder::new();
    let (mut h, c) = (g.input("x", 8), g.index_input("c", 1));
    for (prefix, kind) in ["", "a.", "b."].into_iter().zip(kinds) {
        h = g.tied(prefix, "", |g| {
            let e = g.named(format!("{prefix}e")).embedding(c, IndexColumn { column: 0, levels: 4 }, 8);
            let sum = g.add(&[h, e]);
            let h = g.named(format!("{prefix}h")).dense(sum, 8, Activation::Tanh);
            g.named(format!("{prefix}n")).layer_norm(h)
        });
        head(&mut g, h, kind);
    }
    let graph = g.finish().unwrap();
    assert_eq!(graph.parameters().len(), 5 + 3 * 2, "one table, dense layer and norm, three heads");
    graph
}

#[test]
fn tied_layers() {
    check_differences(&tied([LossKind::Mse, LossKind::CrossEntropy, LossKind::Poisson]), 41);
}

/// What several layers read is gathered when the last of them has run.
#[test]
fn layerwise_gramian_of_tied_layers() {
    let graph = tied([LossKind::Mse, LossKind::CrossEntropy, LossKind::Poisson]);
    let data = Data::new(&graph, 41, 2);
    data.with(&graph, |feed| {
        let mut whole = runner(&graph, 41, &Groups::separate(&graph));
        let losses = whole.forward_backward(feed, &[1.0; 3], NOISE);
        let mut layerwise = runner(&graph, 41, &Groups::layerwise(&graph));
        let (again, gramian) = layerwise.layerwise_gramian(feed, NOISE);
        assert_eq!(losses, again);
        for (one, other) in whole.gramian(41).iter().zip(gramian) {
            assert!((one - other).abs() <= 1e-5 * one.abs().max(1e-2), "{one} {other}");
        }
    });
}

/// Of a network whose layers are worked on in many parts and lanes.
#[test]
fn jacobian_and_gramian() {
    let data = Mixed::new();
    let graph = &data.graph;
    let rows: Vec<u32> = (0..1024).collect();
    let mut r = runner(graph, rows.len(), &Groups::separate(graph));
    assert!(r.plan().lanes() > 1);
    data.with(|inputs, targets| {
        r.forward_backward(&Batch { inputs, targets, offsets: &[], rows: &rows }, &[1.0; TASKS], NOISE)
    });
    let mut jacobian = Jacobian::default();
    r.jacobian(rows.len(), &mut jacobian);
    let reach = graph.reach();
    let shared = (0..graph.parameters().len()).filter(|p| reach.parameters[*p].len() > 1).map(ParameterId);
    let gradients: Vec<_> = shared.map(|p| r.gradients(p, rows.len())).collect();
    assert_eq!(jacobian.tensors.len(), gradients.len());
    for (tensor, gradients) in jacobian.tensors.iter().zip(&gradients) {
        assert_eq!(gradients.len(), TASKS, "all tasks share this trunk");
        for (group, gradient) in gradients {
            assert_eq!(jacobian.rows[*group][tensor.clone()], gradient[..], "{tensor:?} of {group}");
        }
    }
    let gramian = r.gramian(rows.len());
    for (i, a) in jacobian.rows.iter().enumerate() {
        for (j, b) in jacobian.rows.iter().enumerate() {
            let (product, size) = a.iter().zip(b).fold((0.0, 0.0), |(sum, size), (a, b)| {
                let term = f64::from(*a) * f64::from(*b);
                (sum + term, size + term.abs())
            });
            // Sums in f32 of 32 terms, then of 32 such sums: at worst 64 roundings of 6e-8 of the magnitudes.
            assert!((gramian[i * TASKS + j] - product).abs() <= 4e-6 * size, "tasks {i} and {j}");
        }
    }
}
