//! What a training step allocates: nothing that grows with the batch, and nothing that is kept.
//!
//! In a binary of its own, with one test, so that nothing else is counted.

#![allow(clippy::unwrap_used, reason = "the graphs and pools of a test are right")]

mod common;

use common::mixed::{Mixed, TASKS};
use polytask_cpu::*;
use polytask_graph::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, Stats, StatsAlloc};
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Matrix products of one lane's forward and backward pass, at most: one forward, one for the weights, one per 64
/// inputs for the inputs. Layers of up to eight outputs are computed by plain loops.
fn products(graph: &Graph) -> usize {
    let weights = graph.nodes().iter().filter_map(|node| match node.op {
        Op::Dense { weight, .. } => Some(&graph.parameter(weight).dims),
        _ => None,
    });
    weights.filter(|dims| dims[1] > 8).map(|dims| 2 + dims[0].div_ceil(64)).sum()
}

fn every_op() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 2);
    let ids = g.index_input("ids", 1);
    let column = IndexColumn { column: 0, levels: 3 };
    let parts = [x, g.one_hot(ids, &[column]), g.embedding(ids, column, 3)];
    let h = g.concat(&parts);
    let h = g.layer_norm(h);
    let h = g.dropout(h, 0.1);
    let (low, high) = (g.slice(h, 0, 4), g.slice(h, 4, 8));
    let sum = g.add(&[low, high]);
    let drawn = g.sampled(&[low, sum]);
    let mut h = g.blend(&[drawn, sum], Per::Channel, 0, 0.9);
    use Activation::{Gelu, Linear, Relu, Sigmoid, Silu, Tanh};
    for activation in [Linear, Relu, Gelu, Tanh, Sigmoid, Silu] {
        h = g.dense(h, 4, activation);
        h = g.activation(h, activation);
    }
    let small = g.dense(h, 8, Relu);
    let image = g.reshape(small, &[2, 2, 2]);
    let image = g.upsample(image, 2, Interpolation::Nearest);
    let image = g.conv2d(image, 3, Window::square(3).same(), Gelu);
    let image = g.batch_norm(image, Silu);
    let image = g.pool(image, Pooling::Max, Window::square(2).stride(2));
    let image = g.upsample(image, 2, Interpolation::Bilinear);
    let image = g.group_norm(image, 3, Relu);
    let means = g.global_pool(image);
    let h = g.concat(&[h, means]);
    use LossKind::{BinaryCrossEntropy, CrossEntropy, Huber, Mae, Mse, Poisson};
    for kind in [Mse, Mae, Huber { delta: 1.0 }, BinaryCrossEntropy, CrossEntropy, Poisson] {
        let z = g.dense(h, 2, Linear);
        g.loss(&format!("{kind:?}"), z, kind);
    }
    g.finish().unwrap()
}

/// What each of `steps` training steps allocates after the first, and the number of lanes.
fn measure(graph: &Graph, feed: &Feed<'_>, pool: &ThreadPool, steps: u64) -> (usize, Vec<Stats>) {
    let plan = Plan::new(graph, feed.rows.len(), Mode::Train, &Groups::merged(graph));
    let lanes = plan.lanes();
    let mut runner = Runner::new(plan, Parameters::init(graph, 1));
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 };
    let mut optimizer = Optimizer::new(rule, graph.scalar_count());
    let update = Update { rate: 1e-3, clip: Some(1.0), l2: 1e-4, l2_biases: false };
    let weights = vec![1.0; feed.targets.len()];
    let mut step = |noise| {
        let region = Region::new(ALLOCATOR);
        runner.forward_backward(feed, &weights, noise);
        runner.update(&mut optimizer, update, feed.rows.len(), Combine::Sum);
        region.change()
    };
    // A thread's first matrix product allocates its packing buffer, which it keeps. Who runs which lane is chance, so
    // every thread runs one on its own, of enough rows that it is no product of a vector.
    pool.broadcast(|_| {
        let plan = Plan::new(graph, 100, Mode::Train, &Groups::merged(graph));
        assert_eq!(plan.lanes(), 1);
        let feed = Feed { rows: &feed.rows[..100], ..*feed };
        Runner::new(plan, Parameters::init(graph, 1)).forward_backward(&feed, &weights, 0);
    });
    pool.install(|| {
        step(0);
        (lanes, (1..=steps).map(step).collect())
    })
}

#[test]
fn a_training_step() {
    // Threads allocate as they start and free as they end, in their own time. So all of them have done some work
    // before anything is counted, and live to the end.
    let pools = [1, 2, 4].map(|threads| ThreadPoolBuilder::new().num_threads(threads).build().unwrap());
    pools.iter().for_each(|pool| drop(pool.broadcast(|_| ())));

    // One lane and every op, narrow: the losses that the step returns, and the partial sums of the gradient's norm.
    let small = every_op();
    let (numbers, classes) = ([0.5; 200], [1; 100]);
    let rows: Vec<u32> = (0..100).collect();
    let targets = small.losses().iter().map(|loss| Target {
        labels: if loss.kind == LossKind::CrossEntropy { Labels::Class(&classes) } else { Labels::Real(&numbers) },
        weights: &[1.0; 100],
    });
    let targets: Vec<_> = targets.collect();
    let feed = Feed {
        inputs: &[Numbers::Real(&numbers), Numbers::Index(&classes)],
        targets: &targets,
        offsets: &[],
        rows: &rows,
    };
    for stats in measure(&small, &feed, &pools[0], 20).1 {
        assert!(stats.allocations <= 2, "{stats:?}");
    }

    // Many lanes: the matrix products of the gemm crate each add a list of blocks, and for some shapes a packed copy.
    let data = Mixed::new();
    let rows: Vec<u32> = (0..1024).collect();
    data.with(|inputs, targets| {
        assert_eq!(targets.len(), TASKS);
        let feed = Feed { inputs, targets, offsets: &[], rows: &rows };
        for pool in &pools {
            let threads = pool.current_num_threads();
            let (lanes, all) = measure(&data.graph, &feed, pool, 20);
            assert!(lanes >= 4, "{lanes} lanes leave nothing to share out");
            for stats in all {
                let allowed = 2 + 2 * lanes * products(&data.graph);
                assert!(stats.allocations <= allowed, "{threads} threads, allowed {allowed}: {stats:?}");
                assert!(stats.bytes_allocated <= stats.bytes_deallocated, "{threads} threads, memory kept: {stats:?}");
                assert_eq!(stats.reallocations, 0, "{threads} threads: {stats:?}");
            }
        }
    });
}
