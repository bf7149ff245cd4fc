//! W3: as W2, with the tasks' gradients over the trunk kept apart, then combined, each step; images with a method alike.

use super::net::{self, Data};
use crate::problem::Problem;
use crate::protocol::Steps;
use crate::workload::{Method, Work};
use crate::{Error, Result};
use polytask_balance::{Balancer, Gramian, LossFamily, Step, TaskInfo};
use polytask_cpu::{Batch, Combine, Groups, Mode, Optimizer, Plan, Runner};
use polytask_graph::Graph;

pub(super) fn start(work: Work, graph: &Graph, problem: &Problem, threads: usize) -> Result<Box<dyn Steps>> {
    let unavailable = |error: String| Error::Unavailable(error);
    let parameters = net::parameters(graph, problem)?;
    let runner =
        |groups: Groups| Runner::new(Plan::new(graph, work.workload.batch(), Mode::Train, &groups), parameters.clone());
    let family = match work.workload.image() {
        Some(_) => LossFamily::Classification,
        None => LossFamily::Regression,
    };
    let tasks: Vec<TaskInfo> = (0..work.tasks).map(|task| TaskInfo::new(task.to_string(), family)).collect();
    let balancer = match work.method {
        // Nothing has to be looked at to add up.
        Method::Sum => None,
        method => {
            let built = polytask_balance::build(method.name(), &serde_json::Map::new(), &tasks, 0);
            Some(built.map_err(|e| unavailable(e.to_string()))?)
        }
    };
    let low_memory = work.low_memory && balancer.is_some();
    Ok(Box::new(Separate {
        pool: net::pool(threads)?,
        optimizer: Optimizer::new(net::ADAM, parameters.values().len()),
        runner: runner(if low_memory { Groups::representation(graph) } else { Groups::separate(graph) }),
        scout: low_memory.then(|| runner(Groups::layerwise(graph))),
        balancer,
        data: Data::new(work, problem),
        ones: vec![1.0; work.tasks],
        tasks: (0..work.tasks).collect(),
        step: 0,
    }))
}

/// Training on task gradients that were kept apart.
struct Separate {
    pool: rayon::ThreadPool,
    runner: Runner,
    /// Gathers inner products a layer at a time, in the low-memory mode.
    scout: Option<Runner>,
    balancer: Option<Box<dyn Balancer>>,
    optimizer: Optimizer,
    data: Data,
    ones: Vec<f64>,
    tasks: Vec<usize>,
    step: u64,
}

impl Steps for Separate {
    fn run(&mut self, count: u64) -> Result<Option<f32>> {
        let Self { pool, runner, scout, balancer, optimizer, data, ones, tasks, step } = self;
        let mut done = Ok(0.0);
        pool.install(|| {
            data.batches(*step, count, |index, feed| {
                let inside = Inside { runner, scout, balancer, optimizer, ones, tasks };
                if done.is_ok() {
                    done = inside.step(index, feed);
                }
            });
        });
        *step += count;
        done.map(|loss| Some(loss as f32))
    }
}

/// What one step works with, inside the pool.
struct Inside<'a> {
    runner: &'a mut Runner,
    scout: &'a mut Option<Runner>,
    balancer: &'a mut Option<Box<dyn Balancer>>,
    optimizer: &'a mut Optimizer,
    ones: &'a [f64],
    tasks: &'a [usize],
}

impl Inside<'_> {
    /// One step; gives the total loss that it started from.
    fn step(self, index: u64, feed: &Batch<'_>) -> Result<f64> {
        let Self { runner, scout, balancer, optimizer, ones, tasks } = self;
        let rows = feed.rows.len();
        let scouted = scout.as_mut().map(|scout| {
            scout.set_parameters(runner.parameters());
            scout.layerwise_gramian(feed, index).1
        });
        let losses: Vec<f64> = runner.forward_backward(feed, ones, index).into_iter().flatten().collect();
        let total = losses.iter().sum();
        let Some(balancer) = balancer else {
            runner.update(optimizer, net::UPDATE, rows, Combine::Weighted { shared: ones, heads: ones });
            return Ok(total);
        };
        let failed = |error: polytask_balance::BalanceError| Error::Unavailable(error.to_string());
        let wait = scouted.is_some();
        let gramian = Gramian::new(tasks.len(), scouted.unwrap_or_else(|| runner.gramian(rows))).map_err(failed)?;
        let step = Step { index, epoch: 0, tasks, losses: &losses };
        let weights = balancer.weights(&step, Some(&gramian)).map_err(failed)?;
        if wait {
            runner.backward_shared(&weights.shared, index);
        }
        let combine = Combine::Weighted { shared: &weights.shared, heads: &weights.heads };
        runner.update(optimizer, net::UPDATE, rows, combine);
        Ok(total)
    }
}
