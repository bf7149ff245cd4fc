//! One optimiser step: weigh, differentiate, move.

use super::checkpoint::{Checkpoint, CheckpointError, State, Tensors};
use super::{Job, TrainError};
use crate::config::Optimizer as Chosen;
use polytask_balance::{Balancer, LossFamily, Needs, Step, TaskInfo};
use polytask_cpu::{Combine, Feed, Groups, Mode, Optimizer, OptimizerState, Parameters, Plan, Rule, Runner, Update};
use polytask_graph::{Graph, LossKind};

/// When a step is taken, and how far.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub step: u64,
    pub epoch: u64,
    pub rate: f64,
}

/// What a step met before it moved.
pub(super) struct Done {
    /// By task; none for a task without labels in the batch.
    pub losses: Vec<Option<f64>>,
    /// By task; 0 for an absent one.
    pub weights: Vec<f64>,
    /// The L2 term.
    pub penalty: f64,
}

/// Runner, optimiser and balancer at work together.
pub(super) struct Stepper {
    runner: Runner,
    optimizer: Optimizer,
    balancer: Box<dyn Balancer>,
    /// One for each scalar that the balancer has the run's optimiser learn.
    learners: Vec<Optimizer>,
    update: Update,
    noise: u64,
}

impl Stepper {
    pub(super) fn new(job: &Job<'_>, start: &Parameters, batch: usize) -> Result<Self, TrainError> {
        let tasks: Vec<TaskInfo> =
            job.tasks.iter().map(|task| TaskInfo::new(&task.name, family(task.outcome().loss()))).collect();
        let balance = &job.loss.balance;
        let balancer = polytask_balance::build(&balance.method, &balance.options, &tasks, job.config.seed)?;
        if balancer.needs() > Needs::Losses || balancer.wants_losses_after() {
            return Err(TrainError::Gradients(balance.method.clone()));
        }
        let plan = Plan::new(job.graph, batch, Mode::Train, &Groups::merged(job.graph));
        let rule = rule(job.config.optimizer());
        // A balancer's own scalars are not weights: they do not decay.
        let plain = match rule {
            Rule::Adam { beta1, beta2, epsilon, .. } => Rule::Adam { beta1, beta2, epsilon, decay: 0.0 },
            sgd => sgd,
        };
        Ok(Stepper {
            optimizer: Optimizer::new(rule, start.values().len()),
            runner: Runner::new(plan, start.clone()),
            balancer,
            learners: vec![Optimizer::new(plain, 1); tasks.len()],
            update: Update { rate: 0.0, clip: job.config.clip, l2: job.loss.l2 as f32, l2_biases: job.loss.l2_biases },
            noise: job.config.seed.rotate_left(32),
        })
    }

    pub(super) fn parameters(&self) -> &Parameters {
        self.runner.parameters()
    }

    pub(super) fn end_epoch(&mut self) {
        self.balancer.end_epoch();
    }

    /// A step on one batch. Losses that are not finite are handed back and nothing moves.
    pub(super) fn step(&mut self, feed: &Feed<'_>, at: At) -> Result<Done, TrainError> {
        let tasks = feed.targets.len();
        let present: Vec<usize> = (0..tasks).filter(|&t| feed.weight(t) > 0.0).collect();
        let noise = self.noise ^ at.step;
        let state = Step { index: at.step, epoch: at.epoch, tasks: &present, losses: &[] };
        let before = self.balancer.needs() == Needs::State;
        let (losses, weights) = if before {
            let weights = scatter(tasks, &present, &self.balancer.weights(&state, None)?.shared);
            (self.runner.forward_backward(feed, &weights, noise), weights)
        } else {
            let losses = self.runner.forward(feed, noise);
            let known: Vec<f64> = losses.iter().flatten().copied().collect();
            if known.iter().any(|l| !l.is_finite()) {
                return Ok(Done { losses, weights: vec![0.0; tasks], penalty: 0.0 });
            }
            let weights =
                scatter(tasks, &present, &self.balancer.weights(&Step { losses: &known, ..state }, None)?.shared);
            self.runner.backward(feed, &weights, noise);
            (losses, weights)
        };
        let known: Vec<f64> = losses.iter().flatten().copied().collect();
        if known.iter().any(|l| !l.is_finite()) {
            return Ok(Done { losses, weights, penalty: 0.0 });
        }
        let update = Update { rate: at.rate, ..self.update };
        let squares = self.runner.update(&mut self.optimizer, update, feed.rows.len(), Combine::Sum);
        self.balancer.observe(&Step { losses: &known, ..state })?;
        self.learn(at.rate);
        Ok(Done { losses, weights, penalty: f64::from(self.update.l2) * squares })
    }

    /// Steps the balancer's own scalars; those of absent tasks stay.
    fn learn(&mut self, rate: f64) {
        let Some(learnable) = self.balancer.learnable() else { return };
        let scalars = learnable.values.iter_mut().zip(&learnable.gradients).zip(&mut self.learners);
        for ((value, gradient), learner) in scalars {
            if let Some(gradient) = gradient {
                let mut moved = [*value as f32];
                learner.step(rate, &mut moved, &[*gradient as f32]);
                *value = f64::from(moved[0]);
            }
        }
    }

    pub(super) fn checkpoint(&self, mut state: State) -> Checkpoint {
        state.balancer = self.balancer.state();
        state.learners = self.learners.iter().map(|l| l.state().clone().into()).collect();
        state.optimizer_step = self.optimizer.state().step;
        let tensors =
            Tensors { parameters: self.parameters().clone(), moments: self.optimizer.state().moments.clone() };
        Checkpoint::new(state, tensors)
    }

    pub(super) fn restore(&mut self, graph: &Graph, tensors: Tensors, state: &State) -> Result<(), TrainError> {
        let fits = tensors.parameters.values().len() == graph.parameter_count();
        let moments = OptimizerState { step: state.optimizer_step, moments: tensors.moments };
        if !fits || !self.optimizer.restore(moments) || self.learners.len() != state.learners.len() {
            return Err(CheckpointError::Other.into());
        }
        for (learner, state) in self.learners.iter_mut().zip(&state.learners) {
            if !learner.restore(state.clone().into()) {
                return Err(CheckpointError::Other.into());
            }
        }
        self.balancer.restore(&state.balancer)?;
        self.runner.set_parameters(&tensors.parameters);
        Ok(())
    }
}

/// Weights of present tasks at the places of all tasks.
fn scatter(tasks: usize, present: &[usize], weights: &[f64]) -> Vec<f64> {
    let mut all = vec![0.0; tasks];
    present.iter().zip(weights).for_each(|(&task, &weight)| all[task] = weight);
    all
}

fn family(loss: LossKind) -> LossFamily {
    match loss {
        LossKind::Mse | LossKind::Mae | LossKind::Huber { .. } => LossFamily::Regression,
        LossKind::BinaryCrossEntropy | LossKind::CrossEntropy | LossKind::Poisson => LossFamily::Classification,
    }
}

fn rule(chosen: Chosen) -> Rule {
    match chosen {
        Chosen::Sgd { momentum, nesterov } => Rule::Sgd { momentum: momentum as f32, nesterov },
        Chosen::Adam { beta1, beta2, epsilon, weight_decay } => Rule::Adam {
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            epsilon: epsilon as f32,
            decay: weight_decay.unwrap_or(0.0) as f32,
        },
    }
}
