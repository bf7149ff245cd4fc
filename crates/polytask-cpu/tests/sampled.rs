//! A choice that is learnt by drawing (straight-through Gumbel-softmax).

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

use polytask_cpu::*;
use polytask_graph::*;

const ROWS: usize = 300;

/// One of three tables of one row each, taken by a draw: what is taken is what is predicted.
fn graph() -> Graph {
    let mut g = GraphBuilder::new();
    let c = g.index_input("c", 1);
    let column = IndexColumn { column: 0, levels: 1 };
    let parts: Vec<NodeId> = (0..3).map(|i| g.named(format!("t{i}")).embedding(c, column, 1)).collect();
    let z = g.named("choice").sampled(&parts);
    g.loss("task", z, LossKind::Mse);
    g.finish().unwrap()
}

const LOGITS: [f32; 3] = [0.2, 1.0, -0.7];
const VALUES: [f32; 3] = [1.0, 2.0, 4.0];

fn runner(graph: &Graph, mode: Mode) -> Runner {
    let mut parameters = Parameters::init(graph, 1);
    parameters.set(graph, "choice.weights", &LOGITS).unwrap();
    (0..3).for_each(|i| parameters.set(graph, &format!("t{i}.table"), &VALUES[i..=i]).unwrap());
    Runner::new(Plan::new(graph, ROWS, mode, &Groups::merged(graph)), parameters)
}

fn with_batch<R>(work: impl FnOnce(&Batch<'_>) -> R) -> R {
    let (indices, labels, weights) = (vec![0u32; ROWS], vec![0.0; ROWS], vec![1.0; ROWS]);
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let targets = [Target { labels: Labels::Real(&labels), weights: &weights }];
    work(&Batch { inputs: &[Numbers::Index(&indices)], targets: &targets, offsets: &[], rows: &rows })
}

fn softmax(of: impl Iterator<Item = f64>) -> Vec<f64> {
    let e: Vec<f64> = of.map(f64::exp).collect();
    e.iter().map(|v| v / e.iter().sum::<f64>()).collect()
}

#[test]
fn draws_by_the_softmax_once_a_step_and_takes_the_likeliest_after() {
    let graph = graph();
    let mut train = runner(&graph, Mode::Train);
    let mut counts = [0.0; 3];
    const STEPS: u64 = 4000;
    with_batch(|feed| {
        for step in 0..STEPS {
            // The loss is the square of what was taken, the same for every row.
            let taken = train.forward(feed, step)[0].unwrap().sqrt() as f32;
            counts[VALUES.iter().position(|v| (v - taken).abs() < 1e-6).unwrap()] += 1.0;
        }
        assert_eq!(runner(&graph, Mode::Predict).predict(feed)[0], vec![VALUES[1]; ROWS], "the likeliest");
    });
    for (count, share) in counts.iter().zip(softmax(LOGITS.iter().map(|l| f64::from(*l)))) {
        // Four deviations of a binomial count.
        let slack = 4.0 * (share * (1.0 - share) / STEPS as f64).sqrt();
        assert!((count / STEPS as f64 - share).abs() < slack, "{count} of {STEPS}, expected {share}");
    }
}

#[test]
fn the_choice_learns_by_the_softmax_and_the_taken_input_alone_by_the_loss() {
    let graph = graph();
    let id = |name: &str| ParameterId(graph.parameters().iter().position(|p| p.name == name).unwrap());
    let mut train = runner(&graph, Mode::Train);
    with_batch(|feed| {
        const HOT: f32 = 1e4;
        for (step, temperature) in (0..40).zip([0.3f32, 1.0, HOT].into_iter().cycle()) {
            train.set_temperature(temperature);
            let taken = train.forward_backward(feed, &[1.0], step)[0].unwrap().sqrt() as f32;
            let gradient = |name: &str| train.gradients(id(name), ROWS).remove(0).1;
            let slope = 2.0 * f64::from(taken);
            for (i, value) in VALUES.iter().enumerate() {
                let expected = if (value - taken).abs() < 1e-6 { slope } else { 0.0 };
                assert!((f64::from(gradient(&format!("t{i}.table"))[0]) - expected).abs() < 1e-4);
            }
            // With s the softmax of the drawn numbers, the slopes are s_i / T times what x_i is above the mean of x under
            // s: they sum to nothing, and where it is hot all s_i are a third.
            let slopes = gradient("choice.weights");
            assert!(slopes.iter().sum::<f32>().abs() < 1e-4 * slope as f32, "{slopes:?}");
            for (found, value) in slopes.iter().zip(VALUES).filter(|_| temperature == HOT) {
                let expected = slope / 3.0 * (f64::from(value) - 7.0 / 3.0);
                assert!((f64::from(found * HOT) - expected).abs() < 0.02 * slope, "{found} {expected}");
            }
        }
    });
}
