//! The model as methods that try out steps ask it: losses and gradients of a step's two batches, at points of their
//! choosing.
//!
//! Both batches are of training rows. With [`HeldOut::Half`] they are the halves of the step's batch, whose order is
//! random; with [`HeldOut::Batch`] the outer one has the rows of the same places in another random order of the epoch.
//! Validation and test rows are never asked about.

use super::Job;
use polytask_balance::{BalanceError, Balancer, Batch as Which, HeldOut, Oracle, Step, Weights};
use polytask_exec::{Batch, Combine, Groups, OptimizerState, Parameters, Session, Unsupported};
use polytask_graph::{LossId, ParameterId, Role};

/// Runs the model away from where it stands.
pub(super) struct Explorer {
    held_out: HeldOut,
    /// All losses in one group.
    merged: Box<dyn Session>,
    /// One group a loss.
    separate: Box<dyn Session>,
    /// Where the model is asked.
    point: Parameters,
    inertia: Inertia,
}

/// What the optimiser adds to a gradient whatever that is.
#[derive(Clone, Copy)]
struct Inertia {
    /// Share of the last step's velocity.
    momentum: f32,
    /// Pull towards 0, of weights and tables and of the others.
    decay: [f32; 2],
}

/// A step as the explorer sees it.
pub(super) struct Place<'a> {
    pub step: Step<'a>,
    pub feed: Batch<'a>,
    /// Rows of the outer batch, if it is one of its own.
    pub held_out: &'a [u32],
    pub parameters: &'a Parameters,
    pub optimizer: &'a OptimizerState,
    pub rate: f64,
    pub noise: u64,
}

impl Explorer {
    pub(super) fn new(job: &Job<'_>, start: &Parameters, batch: usize, held_out: HeldOut) -> Result<Self, Unsupported> {
        let session = |groups: Groups| job.device.gradients(job.graph, batch, groups, start);
        let l2 = job.loss.l2 as f32;
        let polytask_exec::Inertia { momentum, decay } = job.config.optimizer().rule().inertia();
        let decay = [l2 + decay, if job.loss.l2_biases { l2 } else { 0.0 }];
        Ok(Explorer {
            held_out,
            merged: session(Groups::merged(job.graph))?,
            separate: session(Groups::separate(job.graph))?,
            point: start.clone(),
            inertia: Inertia { momentum, decay },
        })
    }

    /// Lets a method ask. Where it makes a direction that is written out, and it gives weights of the step's tasks for the
    /// record, 0 for those without labels in one of the two batches.
    pub(super) fn explore(
        &mut self,
        balancer: &mut dyn Balancer,
        place: &Place<'_>,
        direction: &mut [f32],
    ) -> Result<Option<Vec<f64>>, BalanceError> {
        let rows = place.feed.rows;
        let (inner, outer) = match self.held_out {
            HeldOut::Half => rows.split_at(rows.len() / 2),
            HeldOut::Batch => (rows, place.held_out),
        };
        let feeds = [inner, outer].map(|rows| Batch { rows, ..place.feed });
        let graph = self.merged.graph();
        let labelled = |&task: &usize| feeds.iter().all(|feed| feed.weight(graph, LossId(task)) > 0.0);
        let tasks: Vec<usize> = place.step.tasks.iter().copied().filter(labelled).collect();
        let step = Step { tasks: &tasks, losses: &[], ..place.step };
        let mut asked = Asked { explorer: self, place, feeds, tasks: &tasks };
        let Some(Weights { shared, .. }) = balancer.explore(&step, &mut asked, direction)? else { return Ok(None) };
        let weight = |task| tasks.iter().position(|t| t == task).map_or(0.0, |at| shared[at]);
        Ok(Some(place.step.tasks.iter().map(weight).collect()))
    }
}

/// The model during one step.
struct Asked<'a> {
    explorer: &'a mut Explorer,
    place: &'a Place<'a>,
    feeds: [Batch<'a>; 2],
    /// Those with labels in both batches.
    tasks: &'a [usize],
}

impl<'a> Asked<'a> {
    /// The batch and its random draws.
    fn batch(&self, batch: Which) -> (Batch<'a>, u64) {
        match batch {
            Which::Inner => (self.feeds[0], self.place.noise),
            Which::Outer => (self.feeds[1], !self.place.noise),
        }
    }

    fn pick(&self, losses: &[Option<f64>]) -> Vec<f64> {
        self.tasks.iter().map(|&task| losses[task].unwrap_or(0.0)).collect()
    }
}

impl Oracle for Asked<'_> {
    fn parameters(&self) -> &[f32] {
        self.place.parameters.values()
    }

    fn rate(&self) -> f64 {
        self.place.rate
    }

    fn drift(&self, into: &mut [f32]) {
        let Inertia { momentum, decay } = self.explorer.inertia;
        let (parameters, graph) = (self.place.parameters, self.explorer.merged.graph());
        for (i, parameter) in graph.parameters().iter().enumerate() {
            let decay = match parameter.role {
                _ if !parameter.is_trained() => 0.0,
                Role::Weight | Role::Table => decay[0],
                Role::Bias | Role::Gain => decay[1],
                Role::Statistic => 0.0,
            };
            let range = parameters.range(ParameterId(i));
            into[range.clone()].iter_mut().zip(&parameters.values()[range]).for_each(|(d, w)| *d = decay * w);
        }
        if let (true, Some(velocity)) = (momentum != 0.0, self.place.optimizer.moments.first()) {
            into.iter_mut().zip(velocity).for_each(|(d, v)| *d += momentum * v);
        }
    }

    fn losses(&mut self, batch: Which, at: &[f32]) -> Vec<f64> {
        let (feed, noise) = self.batch(batch);
        let Explorer { merged, point, .. } = &mut *self.explorer;
        point.values_mut().copy_from_slice(at);
        merged.set_parameters(point);
        let losses = merged.forward(&feed, noise);
        self.pick(&losses)
    }

    fn gradient(&mut self, batch: Which, at: &[f32], weights: &[f64], into: &mut [f32]) -> Vec<f64> {
        let (feed, noise) = self.batch(batch);
        let mut all = vec![0.0; feed.targets.len()];
        self.tasks.iter().zip(weights).for_each(|(&task, &weight)| all[task] = weight);
        let Explorer { merged, point, .. } = &mut *self.explorer;
        point.values_mut().copy_from_slice(at);
        merged.set_parameters(point);
        let losses = merged.forward_backward(&feed, &all, noise);
        merged.gradient(Combine::Sum, into);
        self.pick(&losses)
    }

    fn gradients(&mut self, batch: Which, at: &[f32], into: &mut [Vec<f32>]) -> Vec<f64> {
        let (feed, noise) = self.batch(batch);
        let Explorer { separate, point, .. } = &mut *self.explorer;
        point.values_mut().copy_from_slice(at);
        separate.set_parameters(point);
        let tasks = feed.targets.len();
        let losses = separate.forward_backward(&feed, &vec![1.0; tasks], noise);
        for (&task, row) in self.tasks.iter().zip(into) {
            let mut alone = vec![0.0; tasks];
            alone[task] = 1.0;
            separate.gradient(Combine::Weighted { shared: &alone, heads: &alone }, row);
        }
        self.pick(&losses)
    }
}
