//! The network of a workload on polytask's CPU runner.

use crate::Error;
use crate::Result;
use crate::problem::{Problem, Targets};
use crate::protocol::Steps;
use crate::workload::Work;
use polytask_cpu::{
    Batch, Combine, Groups, Labels, Mode, Numbers, Optimizer, Parameters, Plan, Rule, Runner, Target, Update,
};
use polytask_graph::Graph;

/// The common settings of all workloads' optimiser.
pub(super) const ADAM: Rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 };
/// Learning rate 1e-3, nothing else.
pub(super) const UPDATE: Update = Update { rate: 1e-3, clip: None, l2: 0.0, l2_biases: false };

/// The workload's starting parameters; norms begin as they always do.
pub(super) fn parameters(graph: &Graph, problem: &Problem) -> Result<Parameters> {
    let mut parameters = Parameters::init(graph, 0);
    for layer in &problem.layers {
        for (part, values) in [("weight", Some(&layer.weight)), ("bias", layer.bias.as_ref())] {
            let Some(values) = values else { continue };
            let name = format!("{}.{part}", layer.name);
            parameters.set(graph, &name, values).map_err(|e| Error::Unavailable(e.to_string()))?;
        }
    }
    Ok(parameters)
}

/// Data of a workload as the runner reads them: one column of labels a task.
pub(super) struct Data {
    inputs: Vec<f32>,
    labels: Vec<Targets>,
    weights: Vec<f32>,
    rows: Vec<u32>,
    batch: usize,
}

impl Data {
    pub(super) fn new(work: Work, problem: &Problem) -> Self {
        let Work { workload, tasks, .. } = work;
        let column = |t: usize| match &problem.targets {
            Targets::Numbers(all) => Targets::Numbers(all.iter().skip(t).step_by(tasks).copied().collect()),
            Targets::Classes(all) => Targets::Classes(all.iter().skip(t).step_by(tasks).copied().collect()),
        };
        Data {
            inputs: problem.inputs.clone(),
            labels: (0..tasks).map(column).collect(),
            weights: vec![1.0; workload.rows()],
            rows: (0..workload.rows() as u32).collect(),
            batch: workload.batch(),
        }
    }

    /// Calls `each` with `count` batches in order, the first being batch number `first`.
    pub(super) fn batches(&self, first: u64, count: u64, mut each: impl FnMut(u64, &Batch<'_>)) {
        let inputs = [Numbers::Real(&self.inputs)];
        let target = |labels| Target { labels, weights: &self.weights };
        let labels = self.labels.iter().map(|labels| match labels {
            Targets::Numbers(all) => Labels::Real(all),
            Targets::Classes(all) => Labels::Class(all),
        });
        let targets: Vec<Target<'_>> = labels.map(target).collect();
        for step in first..first + count {
            let start = (step as usize * self.batch) % self.rows.len();
            let rows = &self.rows[start..start + self.batch];
            each(step, &Batch { inputs: &inputs, targets: &targets, offsets: &[], rows });
        }
    }
}

/// Ordinary training on the weighted sum of the tasks' losses.
pub(super) struct Ordinary {
    pool: rayon::ThreadPool,
    runner: Runner,
    optimizer: Optimizer,
    data: Data,
    weights: Vec<f64>,
    step: u64,
}

impl Ordinary {
    /// `weight` is every task's weight in the loss.
    pub(super) fn start(work: Work, graph: &Graph, problem: &Problem, threads: usize, weight: f64) -> Result<Self> {
        let parameters = parameters(graph, problem)?;
        let plan = if work.unfused { Plan::unfused } else { Plan::new };
        let plan = plan(graph, work.workload.batch(), Mode::Train, &Groups::merged(graph));
        Ok(Ordinary {
            pool: pool(threads)?,
            optimizer: Optimizer::new(ADAM, parameters.values().len()),
            runner: Runner::new(plan, parameters),
            data: Data::new(work, problem),
            weights: vec![weight; work.tasks],
            step: 0,
        })
    }
}

impl Steps for Ordinary {
    fn run(&mut self, count: u64) -> Result<Option<f32>> {
        let Self { pool, runner, optimizer, data, weights, step } = self;
        let mut total = 0.0;
        pool.install(|| {
            data.batches(*step, count, |step, feed| {
                let losses = runner.forward_backward(feed, weights, step);
                runner.update(optimizer, UPDATE, feed.rows.len(), Combine::Sum);
                total = losses.iter().zip(&*weights).map(|(l, w)| l.unwrap_or(0.0) * w).sum();
            });
        });
        *step += count;
        Ok(Some(total as f32))
    }
}

/// Threads of our own, as many as every contestant has.
pub(super) fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|e| Error::Unavailable(e.to_string()))
}
