//! Inter-task affinity: what a step for one task alone does to the losses of the others (Fifty, Amid, Zhao, Yu, Anil and
//! Finn, "Efficiently Identifying Task Groupings for Multi-Task Learning", NeurIPS 2021).
//!
//! ```text
//! affinity of i for j = 1 - L_j(w_s - step_i, w_j) / L_j(w_s, w_j)
//! ```
//!
//! `w_s` are the shared parameters, `w_j` the task's own, and `step_i` is the step that the run's optimiser would make of
//! task i's gradient alone: `rate g_i` for gradient descent, `rate g_i / (sqrt(v) + epsilon)` for Adam, with the squares
//! that the joint run remembers and this gradient's in `v`. Momentum is left out: it belongs to no task.
//!
//! All gradients come from one backward pass with a group a task. The look-aheads are forward passes alone, without
//! dropout.

use super::matrix::Matrix;
use polytask_exec::{Alone, Batch, Groups, Jacobian, Parameters, Rule, Session, Unsupported};
use polytask_graph::{DomainId, Graph, LossId, ParameterId, Role};
use polytask_model::Device;
use polytask_model::config::TrainConfig;
use polytask_train::train::BeforeStep;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Which rows a step's effect is measured on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rows {
    /// Those that the gradients come from, as in the paper.
    Same,
    /// The other half of the batch: what helps only on rows that were seen does not count.
    #[default]
    Other,
}

/// One look at all tasks; NaN where a task has no labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Of the run, counted from 0.
    pub step: u64,
    /// What the rows that a task's loss is measured on weigh for it in all; 0 without labels.
    pub weights: Vec<f64>,
    /// Loss of each task there.
    pub losses: Vec<f64>,
    /// Loss of each task after a step for another, and after one for itself on the diagonal.
    pub after: Matrix,
    /// Cosines of the gradients over the shared parameters; their norms on the diagonal.
    pub gradients: Matrix,
}

impl Measurement {
    /// The relative drop of a task's loss by a step for another.
    pub fn affinity(&self, from: usize, to: usize) -> f64 {
        1.0 - self.after.at(from, to) / self.losses[to]
    }
}

/// Looks ahead along the gradient of each task.
pub struct LookAhead {
    apart: Box<dyn Session>,
    /// Each on tasks of its own, side by side.
    ahead: Vec<Box<dyn Session>>,
    rows: Rows,
    /// How the run's optimiser makes steps.
    rule: Rule,
    jacobian: Jacobian,
    /// Places of the shared parameters among all.
    shared: Vec<Range<usize>>,
}

impl LookAhead {
    /// For batches of at most `batch` rows.
    ///
    /// # Errors
    /// The device cannot run the network.
    pub fn new(
        device: &Device,
        graph: &Graph,
        config: &TrainConfig,
        batch: usize,
        rows: Rows,
    ) -> Result<Self, Unsupported> {
        let start = Parameters::zeros(graph);
        let workers = rayon::current_num_threads().min(graph.losses().len()).max(1);
        let reach = graph.reach();
        let is_shared = |i: &usize| reach.parameters[*i].len() > 1 && graph.parameters()[*i].role != Role::Statistic;
        Ok(LookAhead {
            shared: (0..graph.parameters().len()).filter(is_shared).map(|i| start.range(ParameterId(i))).collect(),
            ahead: (0..workers).map(|_| device.predicting(graph, batch, &start)).collect::<Result<_, _>>()?,
            apart: device.gradients(graph, batch, Groups::separate(graph), &start)?,
            rows,
            rule: config.optimizer().rule(),
            jacobian: Jacobian::default(),
        })
    }

    /// Looks from where a step is about to be taken.
    pub fn measure(&mut self, look: &BeforeStep<'_>) -> Measurement {
        let BeforeStep { step, feed, parameters, .. } = *look;
        let (seen, judged) = match self.rows {
            Rows::Same => (*feed, *feed),
            Rows::Other => {
                let (seen, judged) = feed.rows.split_at(feed.rows.len().div_ceil(2));
                // One row cannot be cut in two.
                let judged = if judged.is_empty() { seen } else { judged };
                (Batch { rows: seen, ..*feed }, Batch { rows: judged, ..*feed })
            }
        };
        let graph = self.apart.graph();
        let n = graph.losses().len();
        let weights = (0..n).map(|t| judged.weight(graph, LossId(t))).collect();
        let present: Vec<bool> = (0..n).map(|t| seen.weight(graph, LossId(t)) > 0.0).collect();
        self.apart.set_parameters(parameters);
        self.apart.forward_backward(&seen, &vec![1.0; n], step);
        self.apart.jacobian(&mut self.jacobian);
        let gramian = self.apart.gramian();
        let alone = Alone::new(self.rule, look.optimizer, look.rate);

        let LookAhead { ahead, jacobian, shared, .. } = self;
        let tasks: Vec<usize> = (0..n).collect();
        let share = n.div_ceil(ahead.len());
        let losses = |losses: Vec<Option<f64>>| losses.into_iter().map(|l| l.unwrap_or(f64::NAN)).collect::<Vec<f64>>();
        ahead.par_iter_mut().for_each(|session| session.set_parameters(parameters));
        let before = losses(ahead[0].evaluate(&judged));
        let after = ahead.par_iter_mut().zip(tasks.par_chunks(share)).map(|(session, tasks)| {
            let one = |&task: &usize| {
                if !present[task] {
                    return vec![f64::NAN; n];
                }
                session.change_parameters(&mut |values| {
                    move_shared(&alone, values, parameters.values(), &jacobian.rows[task], shared);
                });
                losses(session.evaluate(&judged))
            };
            tasks.iter().map(one).collect::<Vec<_>>()
        });
        let after: Vec<Vec<f64>> = after.flatten().collect();
        let after = Matrix::from_fn(n, |(i, j)| after[i][j]);
        let norm = |i: usize| gramian[i * n + i].sqrt();
        let gradients = Matrix::from_fn(n, |(i, j)| match present[i] && present[j] {
            true if i == j => norm(i),
            true => gramian[i * n + j] / (norm(i) * norm(j)),
            false => f64::NAN,
        });
        Measurement { step, weights, losses: before, after, gradients }
    }
}

/// `values = start - step(gradient)` over the shared parameters.
fn move_shared(alone: &Alone<'_>, values: &mut [f32], start: &[f32], gradient: &[f32], shared: &[Range<usize>]) {
    let mut at = 0;
    for range in shared {
        let own = &gradient[at..at + range.len()];
        at += range.len();
        alone.apply(range.clone(), &start[range.clone()], own, &mut values[range.clone()]);
    }
}

/// Steps between two looks, so that all looks together cost at most `share` of the run: by counted arithmetic, so that
/// the same run always looks at the same steps.
pub fn interval(graph: &Graph, batch: usize, rows: Rows, share: f64) -> u64 {
    let tasks = graph.losses().len() as f64;
    let seen = match rows {
        Rows::Same => 1.0,
        Rows::Other => 0.5,
    };
    // Per row and domain: forward and backward of a step; of a look, forward, a backward with a copy a task, and a forward
    // pass a task and one more.
    let domains = (0..=graph.domains().len()).map(DomainId);
    let cost = domains.filter_map(|domain| {
        let (plain, apart) = (graph.multiply_adds_on(domain) as f64, graph.separate_multiply_adds_on(domain) as f64);
        (plain > 0.0).then_some((3.0 * plain, seen * (plain + 2.0 * apart + (tasks + 1.0) * plain)))
    });
    // How many elements a domain has is known batch by batch; the dearest of them stands for all.
    let dearest = cost.max_by(|a, b| (a.1 / a.0).total_cmp(&(b.1 / b.0))).unwrap_or((1.0, 1.0));
    // A parameter is written a few times in either, which counts where batches are small.
    let touched = graph.parameter_count() as f64 / batch.max(1) as f64;
    let (step, look) = (dearest.0 + 6.0 * touched, dearest.1 + 4.0 * (tasks + 1.0) * touched);
    ((look / step / share).ceil() as u64).max(1)
}
