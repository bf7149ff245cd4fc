//! The same seed gives the same bits on any number of threads.

#![allow(clippy::unwrap_used, reason = "the graphs and pools of a test are right")]

mod common;

use common::differences::Data;
use common::mixed::{Mixed, ROWS, TASKS};
use polytask_cpu::*;
use polytask_graph::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const BATCH: usize = 1024;

fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

/// The rows of each step, some batches shorter than planned for.
fn batches(steps: usize) -> Vec<Vec<u32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut batch = |step: usize| {
        let len = if step % 5 == 4 { BATCH - 300 } else { BATCH };
        (0..len).map(|_| rng.random_range(0..ROWS as u32)).collect()
    };
    (0..steps).map(&mut batch).collect()
}

/// Everything that training leaves behind: the losses of every step, the parameters, the optimiser's moments.
fn train(data: &Mixed, steps: usize) -> (Vec<StepLosses>, Parameters, OptimizerState) {
    let graph = &data.graph;
    let plan = Plan::new(graph, BATCH, Mode::Train, &Groups::merged(graph));
    assert!(plan.lanes() >= 4, "{} lanes leave nothing to share out", plan.lanes());
    let mut runner = Runner::new(plan, Parameters::init(graph, 1));
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 };
    let mut optimizer = Optimizer::new(rule, graph.parameter_count());
    let update = Update { rate: 1e-3, clip: Some(1.0), l2: 1e-4, l2_biases: false };
    let mut losses = Vec::new();
    data.with(|inputs, targets| {
        for (step, rows) in batches(steps).iter().enumerate() {
            let feed = Batch { inputs, targets, offsets: &[], rows };
            losses.push(runner.forward_backward(&feed, &[1.0; TASKS], step as u64));
            runner.update(&mut optimizer, update, rows.len(), Combine::Sum);
        }
    });
    (losses, runner.parameters().clone(), optimizer.state().clone())
}

#[test]
fn training_on_one_two_and_four_threads() {
    let data = Mixed::new();
    let one = in_pool(1, || train(&data, 200));
    let sum = |losses: &StepLosses| losses.iter().flatten().sum::<f64>();
    let (first, last) = (sum(&one.0[0]), sum(one.0.last().unwrap()));
    assert!(last < 0.9 * first, "equal only because nothing is learnt: {first} to {last}");
    for threads in [2, 4] {
        assert!(in_pool(threads, || train(&data, 200)) == one, "{threads} threads give other bits");
    }
}

#[test]
fn gradients_of_every_task_predictions_and_losses() {
    let data = Mixed::new();
    let graph = &data.graph;
    let rows: Vec<u32> = (0..ROWS as u32).rev().collect();
    let found = [1, 2, 4].map(|threads| {
        in_pool(threads, || {
            let plan = Plan::new(graph, BATCH, Mode::Train, &Groups::separate(graph));
            let mut runner = Runner::new(plan, Parameters::init(graph, 1));
            data.with(|inputs, targets| {
                let feed = Batch { inputs, targets, offsets: &[], rows: &rows[..BATCH] };
                let losses = runner.forward_backward(&feed, &[1.0; TASKS], 3);
                let ids = (0..graph.parameters().len()).map(ParameterId);
                let gradients: Vec<_> = ids.map(|id| runner.gradients(id, BATCH)).collect();
                let mut jacobian = Jacobian::default();
                runner.jacobian(BATCH, &mut jacobian);
                let many = (gradients, runner.gramian(BATCH), jacobian);
                let all = Batch { inputs, targets, offsets: &[], rows: &rows };
                (losses, many, runner.predict(&all), runner.evaluate(&all))
            })
        })
    });
    assert!(found[0].1.0.iter().flatten().flat_map(|(_, g)| g).all(|v| v.is_finite()), "missing labels do not leak");
    assert!(found[1] == found[0], "two threads give other bits");
    assert!(found[2] == found[0], "four threads give other bits");
}

/// Convolutions and batch norm, whose running averages are moved by all lanes.
#[test]
fn training_on_images() {
    let mut g = GraphBuilder::new();
    let x = g.image_input("image", [12, 12, 3]);
    let h = g.plain_conv2d(x, 16, Window::square(3).same());
    let h = g.batch_norm(h, Activation::Relu);
    let h = g.conv2d(h, 16, Window::square(3).stride(2).same(), Activation::Relu);
    let h = g.global_pool(h);
    let z = g.dense(h, 3, Activation::Linear);
    g.loss("class", z, LossKind::CrossEntropy);
    let graph = g.finish().unwrap();
    let data = Data::new(&graph, 150, 1);
    let train = || {
        let plan = Plan::new(&graph, 150, Mode::Train, &Groups::merged(&graph));
        assert!(plan.lanes() >= 4, "{} lanes leave nothing to share out", plan.lanes());
        let mut runner = Runner::new(plan, Parameters::init(&graph, 1));
        let mut optimizer = Optimizer::new(Rule::Sgd { momentum: 0.9, nesterov: false }, graph.scalar_count());
        let update = Update { rate: 1e-2, clip: None, l2: 0.0, l2_biases: false };
        data.with(&graph, |feed| {
            for step in 0..20 {
                runner.forward_backward(feed, &[1.0], step);
                runner.update(&mut optimizer, update, feed.rows.len(), Combine::Sum);
            }
        });
        runner.parameters().clone()
    };
    let one = in_pool(1, train);
    assert_ne!(one.of(ParameterId(4)), vec![1.0; 16], "the running variances have moved");
    for threads in [2, 4] {
        assert!(in_pool(threads, train) == one, "{threads} threads give other bits");
    }
}
