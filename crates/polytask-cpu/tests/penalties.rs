//! Terms that depend on parameters alone: their values by the formulas, their gradients by central differences.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

use polytask_cpu::*;
use polytask_graph::*;

const COPIES: usize = 3;
const ROWS: usize = 5;
const COLUMNS: usize = 8;

/// Three copies of a layer, and the penalties of some of their weights.
fn graph(penalties: &[(f32, PenaltyKind)]) -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("x", ROWS);
    let layers: Vec<NodeId> = (0..COPIES).map(|_| g.dense(x, COLUMNS, Activation::Tanh)).collect();
    let weights: Vec<ParameterId> = layers.iter().map(|layer| g.parameters_of(*layer)[0]).collect();
    let z = g.add(&layers);
    g.loss("task", z, LossKind::Mse);
    penalties.iter().for_each(|(strength, kind)| g.penalty(*strength, &weights, kind.clone()));
    let graph = g.finish().unwrap();
    let text = serde_json::to_string(&graph).unwrap();
    let again: Graph = serde_json::from_str(&text).unwrap();
    again.validate().unwrap();
    assert_eq!(again, graph);
    graph
}

/// A step of plain descent at rate 1 where no row has a label: what moves, moves by the penalties. Gives their value and
/// the parameters after it.
fn step(graph: &Graph, parameters: &Parameters, clip: Option<f64>) -> (f64, Vec<f32>) {
    let plan = Plan::new(graph, 2, Mode::Train, &Groups::merged(graph));
    let mut runner = Runner::new(plan, parameters.clone());
    let targets = [Target { labels: Labels::Real(&[0.0; 2 * COLUMNS]), weights: &[0.0; 2] }];
    let feed = Batch { inputs: &[Numbers::Real(&[1.0; 2 * ROWS])], targets: &targets, offsets: &[], rows: &[0, 1] };
    runner.forward_backward(&feed, &[1.0], 0);
    let mut optimizer = Optimizer::new(Rule::Sgd { momentum: 0.0, nesterov: false }, graph.parameter_count());
    runner.update(&mut optimizer, Update { rate: 1.0, clip, l2: 0.0, l2_biases: false }, 2, Combine::Sum);
    (runner.penalty(), runner.parameters().values().to_vec())
}

fn edges() -> PenaltyKind {
    PenaltyKind::Edges(vec![Edge { a: 0, b: 1, weight: 2.0 }, Edge { a: 2, b: 1, weight: 0.5 }])
}

fn kinds() -> [(f32, PenaltyKind); 4] {
    [
        (0.3, PenaltyKind::Mean),
        (0.2, edges()),
        (0.1, PenaltyKind::TraceNorm),
        (0.05, PenaltyKind::Orthogonal { groups: 2 }),
    ]
}

#[test]
fn gradients() {
    for penalties in kinds().map(|kind| vec![kind]).into_iter().chain([kinds().to_vec()]) {
        let graph = graph(&penalties);
        let start = Parameters::init(&graph, 4);
        let (_, after) = step(&graph, &start, None);
        let found: Vec<f64> = start.values().iter().zip(&after).map(|(b, a)| f64::from(b - a)).collect();
        let scale = found.iter().fold(0.0f64, |m, g| m.max(g.abs()));
        assert!(scale > 1e-2);
        for (i, found) in found.iter().enumerate() {
            let at = |by: f32| {
                let mut moved = start.clone();
                moved.values_mut()[i] += by;
                step(&graph, &moved, None).0
            };
            let expected = (at(5e-3) - at(-5e-3)) / 1e-2;
            assert!((found - expected).abs() < 2e-3 * scale, "{penalties:?}, {i}: {found} {expected}");
        }
        // The gradient's norm counts when it is clipped.
        let norm = found.iter().map(|g| g * g).sum::<f64>().sqrt();
        let (_, clipped) = step(&graph, &start, Some(norm / 4.0));
        for ((b, a), g) in start.values().iter().zip(clipped).zip(&found) {
            assert!((f64::from(b - a) - g / 4.0).abs() < 1e-6 * scale.max(1.0), "{b} {a} {g}");
        }
    }
}

#[test]
fn values() {
    let value = |kind: PenaltyKind| {
        let graph = graph(&[(0.5, kind)]);
        let parameters = Parameters::init(&graph, 4);
        let copies: Vec<Vec<f64>> =
            (0..COPIES).map(|c| parameters.of(ParameterId(2 * c)).iter().map(|w| f64::from(*w)).collect()).collect();
        (step(&graph, &parameters, None).0, copies)
    };
    let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-5 * b.abs(), "{a} {b}");

    let (found, w) = value(PenaltyKind::Mean);
    // The mean form is the pairwise one over the number of copies.
    let pairs = square(&w[0], &w[1]) + square(&w[0], &w[2]) + square(&w[1], &w[2]);
    near(found, 0.5 * pairs / 3.0);
    let (found, w) = value(edges());
    near(found, 0.5 * (2.0 * square(&w[0], &w[1]) + 0.5 * square(&w[1], &w[2])));
    let (found, w) = value(PenaltyKind::Orthogonal { groups: 2 });
    let product =
        |w: &[f64], i: usize, j: usize| (0..ROWS).map(|r| w[r * COLUMNS + i] * w[r * COLUMNS + j]).sum::<f64>();
    let cross = |w: &Vec<f64>| {
        let half = COLUMNS / 2;
        (0..half * half).map(|k| product(w, k / half, half + k % half).powi(2)).sum::<f64>()
    };
    near(found, 0.5 * w.iter().map(cross).sum::<f64>());
}

/// Rows at right angles: the singular values are their lengths. Rows that are all one: there is a single one.
#[test]
fn trace_norm_of_known_matrices() {
    let graph = graph(&[(1.0, PenaltyKind::TraceNorm)]);
    let mut parameters = Parameters::zeros(&graph);
    (0..COPIES).for_each(|c| parameters.of_mut(ParameterId(2 * c))[c] = (c + 1) as f32);
    assert!((step(&graph, &parameters, None).0 - 6.0).abs() < 1e-5);
    (0..COPIES).for_each(|c| parameters.of_mut(ParameterId(2 * c)).fill(0.1));
    let expected = (0.01 * (COPIES * ROWS * COLUMNS) as f64).sqrt() + 2.0 * 1e-3;
    assert!((step(&graph, &parameters, None).0 - expected).abs() < 1e-5);
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let built = |penalty: &dyn Fn(&mut GraphBuilder, [NodeId; 2])| {
        let mut g = GraphBuilder::new();
        let x = g.input("x", 3);
        let a = g.dense(x, 4, Activation::Tanh);
        let b = g.dense(a, 4, Activation::Tanh);
        g.loss("task", b, LossKind::Mse);
        penalty(&mut g, [a, b]);
        g.finish().map(|_| ()).map_err(|e| e.to_string())
    };
    let both = |g: &mut GraphBuilder, layers: [NodeId; 2]| layers.map(|layer| g.parameters_of(layer)[0]);
    let shapes = built(&|g, l| {
        let weights = both(g, l);
        g.penalty(1.0, &weights, PenaltyKind::Mean);
    });
    assert!(shapes.unwrap_err().contains("different shapes"));
    let strength = built(&|g, l| {
        let weights = both(g, l);
        g.penalty(-1.0, &weights[..1], PenaltyKind::TraceNorm);
    });
    assert!(strength.unwrap_err().contains("its strength is -1; it must be 0 or above"));
    let groups = built(&|g, l| {
        let weights = both(g, l);
        g.penalty(1.0, &weights[..1], PenaltyKind::Orthogonal { groups: 3 });
    });
    assert!(groups.unwrap_err().contains("into 3 equal groups"));
    let edge = built(&|g, l| {
        let weights = both(g, l);
        g.penalty(1.0, &weights[..1], edges());
    });
    assert!(edge.unwrap_err().contains("ties parameters 0 and 1 of 1"));
    assert!(built(&|g, l| g.auxiliary_loss(l[0], 1.0, &[LossId(1)])).unwrap_err().contains("losses come first"));
    assert!(built(&|g, _| g.auxiliary_loss(NodeId(99), 1.0, &[LossId(0)])).unwrap_err().contains("another graph"));
}
