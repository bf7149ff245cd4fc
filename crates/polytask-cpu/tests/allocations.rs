//! What a training step allocates: nothing that grows with the batch, and nothing that is kept.
//!
//! In a binary of its own, with one test, so that nothing else is counted.

#![allow(clippy::unwrap_used, reason = "the graphs and pools of a test are right")]

mod common;

use common::differences::Data;
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
        Op::Dense(ops::Dense { weight, .. }) => Some(&graph.parameter(weight).dims),
        _ => None,
    });
    weights.filter(|dims| dims[1] > 8).map(|dims| 2 + dims[0].div_ceil(64)).sum()
}

/// Lists of blocks and packed copies that the products of a narrow network may ask for over so many rows with sequences of up
/// to five elements: for every weight of more than eight columns forward, for the weights and for the inputs, again for each
/// step of a recurrent layer; and for attention eight in each head of each
/// sequence, for pairs three in each.
fn wide_products(graph: &Graph, rows: usize) -> usize {
    let of = |node: &Node| match &node.op {
        Op::Attention(attention) => 8 * attention.heads * rows,
        Op::Pairwise(_) => 3 * rows,
        op => 15 * op.matrices().iter().filter(|matrix| graph.parameter(**matrix).dims[1] > 8).count(),
    };
    graph.nodes().iter().map(of).sum()
}

/// What each of `steps` training steps allocates after the first, and the number of lanes.
fn measure(graph: &Graph, feed: &Batch<'_>, pool: &ThreadPool, steps: u64) -> (usize, Vec<Stats>) {
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
        assert!(plan.lanes() == 1 || !graph.domains().is_empty(), "only sequences may need more");
        let feed = Batch { rows: &feed.rows[..100], ..*feed };
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

    // One lane and every op and loss: the losses that the step returns, and the partial sums of the gradient's norm.
    let ops = testing::examples().into_iter().map(|(name, example)| (name, example.graph().unwrap()));
    for (name, graph) in ops.chain(testing::losses().unwrap()) {
        let data = Data::new(&graph, 100, 1);
        data.with(&graph, |feed| {
            for stats in measure(&graph, feed, &pools[0], 5).1 {
                let allowed = 2 + wide_products(&graph, 100);
                assert!(stats.allocations <= allowed, "{name}, allowed {allowed}: {stats:?}");
                assert!(stats.bytes_allocated <= stats.bytes_deallocated, "{name}, memory kept: {stats:?}");
            }
        });
    }

    // Many lanes: the matrix products of the gemm crate each add a list of blocks, and for some shapes a packed copy.
    let data = Mixed::new();
    let rows: Vec<u32> = (0..1024).collect();
    data.with(|inputs, targets| {
        assert_eq!(targets.len(), TASKS);
        let feed = Batch { inputs, targets, offsets: &[], rows: &rows };
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
