//! W3: as W2, with the 8 gradients over the trunk kept apart, then summed, each step.

use super::net::{self, Data};
use crate::problem::Problem;
use crate::protocol::Steps;
use crate::workload::Workload;
use crate::{Error, Result};
use polytask_cpu::{Combine, Groups, Mode, Optimizer, Plan, Runner};
use polytask_graph::Activation;

pub(super) fn start(problem: &Problem, threads: usize) -> Result<Box<dyn Steps>> {
    let workload = Workload::W3;
    let graph = net::graph(workload, Activation::Relu).map_err(|e| Error::Unavailable(e.to_string()))?;
    let parameters = net::parameters(&graph, problem)?;
    let plan = Plan::new(&graph, workload.batch(), Mode::Train, &Groups::separate(&graph));
    Ok(Box::new(Separate {
        pool: net::pool(threads)?,
        optimizer: Optimizer::new(net::ADAM, parameters.values().len()),
        runner: Runner::new(plan, parameters),
        data: Data::new(workload, problem),
        weights: vec![1.0; workload.tasks()],
        step: 0,
    }))
}

/// Training on task gradients that were kept apart.
struct Separate {
    pool: rayon::ThreadPool,
    runner: Runner,
    optimizer: Optimizer,
    data: Data,
    weights: Vec<f64>,
    step: u64,
}

impl Steps for Separate {
    fn run(&mut self, count: u64) -> Result<f32> {
        let Self { pool, runner, optimizer, data, weights, step } = self;
        let mut total = 0.0;
        pool.install(|| {
            data.batches(*step, count, |step, feed| {
                let losses = runner.forward_backward(feed, weights, step);
                let combine = Combine::Weighted { shared: weights, heads: weights };
                runner.update(optimizer, net::UPDATE, feed.rows.len(), combine);
                total = losses.iter().flatten().sum();
            });
        });
        *step += count;
        Ok(total as f32)
    }
}
