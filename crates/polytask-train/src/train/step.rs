//! One optimiser step: weigh, differentiate, move.
//!
//! Methods that weigh losses pay for one ordinary backward pass. Methods that combine task gradients get them all from
//! one stacked backward pass, see [`Groups::separate`].

use super::bilevel::{Explorer, Place};
use super::checkpoint::{Checkpoint, CheckpointError, State, Tensors};
use super::{Job, TrainError};
use polytask_balance::{Balancer, Gramian, HeldOut, LossFamily, Needs, Output, Step, TaskInfo, Weights};
use polytask_exec::{Batch, Combine, Groups, Jacobian, Optimizer, OptimizerState, Parameters, Session, Update};
use polytask_graph::{Graph, LossId, LossKind, ParameterId};
use polytask_model::config::Level;
use std::ops::Range;

/// When a step is taken, and how far.
#[derive(Clone, Copy)]
pub(super) struct At {
    pub step: u64,
    pub epoch: u64,
    pub rate: f64,
    pub temperature: f32,
}

/// Where a step's gradient comes from, once its passes are made.
#[derive(Clone, Copy, PartialEq)]
enum Made {
    /// The backward pass, by weights.
    Weighed,
    /// The method, over the shared parameters or over all of them.
    Shared,
    Whole,
}

/// What a step met before it moved.
pub(super) struct Done {
    /// By task; none for a task without labels in the batch.
    pub losses: Vec<Option<f64>>,
    /// By task; 0 for an absent one.
    pub weights: Vec<f64>,
    /// The L2 term, the graph's penalties and its auxiliary losses.
    pub penalty: f64,
}

/// The model with its optimiser, and a balancer, at work together.
pub(super) struct Stepper {
    session: Box<dyn Session>,
    /// Gathers the Gramian a layer at a time, where memory is short.
    scout: Option<Box<dyn Session>>,
    /// Tries out steps, for methods that ask for them.
    explorer: Option<Explorer>,
    /// Whether the session's backward pass waits for weights at the shared representation.
    waits: bool,
    balancer: Box<dyn Balancer>,
    /// One for each scalar that the balancer has the run's optimiser learn.
    learners: Vec<Optimizer>,
    update: Update,
    noise: u64,
    /// The step at which what is held until then begins to learn.
    free: Option<u64>,
    /// Task gradients, for methods that read them; kept so that their memory is.
    jacobians: Vec<Jacobian>,
    /// What the method made of them, over the shared parameters or over all.
    direction: Vec<f32>,
}

impl Stepper {
    /// One that goes on with a run after `step` steps. What the graph holds at first does not learn until then.
    pub(super) fn new(job: &Job<'_>, start: &Parameters, batch: usize, step: u64) -> Result<Self, TrainError> {
        match job.graph.holding().filter(|(_, free)| step <= *free) {
            Some((held, free)) => {
                Ok(Stepper { free: Some(free), ..Self::of(&Job { graph: &held, ..*job }, start, batch)? })
            }
            None => Self::of(job, start, batch),
        }
    }

    /// Lets what was held learn once its step has come, with an optimiser that begins anew: running means of a part of the
    /// parameters would be taken for those of all.
    pub(super) fn free(&mut self, job: &Job<'_>, batch: usize, step: u64) -> Result<(), TrainError> {
        if self.free.is_none_or(|free| step < free) {
            return Ok(());
        }
        let all = Self::of(job, self.session.parameters(), batch)?;
        let held = std::mem::replace(self, all);
        // Some methods that read gradients keep what is as long as these.
        if self.balancer.needs() != Needs::Jacobian {
            (self.balancer, self.learners) = (held.balancer, held.learners);
        }
        Ok(())
    }

    fn of(job: &Job<'_>, start: &Parameters, batch: usize) -> Result<Self, TrainError> {
        let tasks: Vec<TaskInfo> =
            job.tasks.iter().map(|task| TaskInfo::new(&task.name, family(&task.outcome().loss()))).collect();
        let balance = &job.loss.balance;
        let balancer = match job.balancer {
            Some(build) => polytask_balance::guarded(build(&tasks)?, &tasks),
            None => polytask_balance::build(&balance.method, &balance.options, &tasks, job.config.seed)?,
        };
        let at_representation = job.loss.level == Some(Level::Representation);
        let groups = match balancer.needs() {
            Needs::State | Needs::Losses | Needs::Model => Groups::merged(job.graph),
            // The weights come from elsewhere, and one backward pass through the shared part follows.
            Needs::Gramian if at_representation || job.loss.low_memory => Groups::representation(job.graph),
            Needs::Gramian | Needs::Jacobian => Groups::separate(job.graph),
        };
        let scouts = job.loss.low_memory && !at_representation;
        let scout = || job.device.gradients(job.graph, batch, Groups::layerwise(job.graph), start);
        let scout = scouts.then(scout).transpose()?;
        let asks = balancer.needs() == Needs::Model;
        let explorer = asks.then(|| Explorer::new(job, start, batch, balancer.held_out())).transpose()?;
        let rule = job.config.optimizer().rule();
        Ok(Stepper {
            session: job.device.training(job.graph, batch, groups, rule, start)?,
            waits: at_representation || scout.is_some(),
            scout,
            explorer,
            balancer,
            learners: vec![Optimizer::new(rule.without_decay(), 1); tasks.len()],
            update: Update { rate: 0.0, clip: job.config.clip, l2: job.loss.l2 as f32, l2_biases: job.loss.l2_biases },
            noise: job.config.seed.rotate_left(32),
            free: None,
            jacobians: Vec::new(),
            direction: Vec::new(),
        })
    }

    pub(super) fn parameters(&self) -> &Parameters {
        self.session.parameters()
    }

    /// What the optimiser remembers.
    pub(super) fn optimizer(&self) -> &OptimizerState {
        self.session.optimizer()
    }

    /// Where the method's held-out batch comes from, if it asks for one.
    pub(super) fn held_out(&self) -> Option<HeldOut> {
        self.explorer.as_ref().map(|_| self.balancer.held_out())
    }

    /// Ends a round; `scores` are the tasks', between 0 and 1, where there are validation rows.
    pub(super) fn end_epoch(&mut self, scores: &[Option<f64>]) -> Result<(), TrainError> {
        for (task, score) in scores.iter().enumerate() {
            if let Some(score) = score {
                self.balancer.observe_kpi(task, *score)?;
            }
        }
        self.balancer.end_epoch();
        Ok(())
    }

    /// A step on one batch, and the rows of another one held out, where the method wants that. Losses that are not finite
    /// are handed back and nothing moves.
    pub(super) fn step(&mut self, feed: &Batch<'_>, held_out: &[u32], at: At) -> Result<Done, TrainError> {
        let tasks = feed.targets.len();
        let graph = self.session.graph();
        let present: Vec<usize> = (0..tasks).filter(|&t| feed.weight(graph, LossId(t)) > 0.0).collect();
        let step = Step { index: at.step, epoch: at.epoch, tasks: &present, losses: &[] };
        let noise = self.noise ^ at.step;
        self.session.set_temperature(at.temperature);
        let met = match self.balancer.needs() {
            Needs::State => self.weigh_first(feed, step, noise)?,
            Needs::Losses => self.weigh_losses(feed, step, noise)?,
            Needs::Gramian => self.weigh_gramian(feed, step, noise)?,
            Needs::Jacobian => self.aggregate(feed, step, noise)?,
            Needs::Model => self.try_out(feed, held_out, step, at.rate)?,
        };
        let Met { losses, known, weights, made } = met;
        let Some(weights) = weights else {
            return Ok(Done { losses, weights: vec![0.0; tasks], penalty: 0.0 });
        };
        let [shared, heads] = [&weights.shared, &weights.heads].map(|w| scatter(tasks, &present, w));
        let combine = match (made, self.balancer.needs()) {
            (Made::Weighed, Needs::Gramian) => Combine::Weighted { shared: &shared, heads: &heads },
            (Made::Weighed, _) => Combine::Sum,
            (Made::Shared, _) => Combine::Direction { shared: &self.direction, heads: &heads },
            (Made::Whole, _) => Combine::Whole(&self.direction),
        };
        let update = Update { rate: at.rate, ..self.update };
        let auxiliary = self.session.auxiliary_loss(&shared);
        let squares = self.session.step(update, combine);
        self.balancer.observe(&Step { losses: &known, ..step })?;
        self.learn(at.rate);
        if self.balancer.wants_losses_after() {
            let after: Vec<f64> = self.session.forward(feed, noise).into_iter().flatten().collect();
            // Losses that blow up are met, and named, by the next step.
            if after.iter().all(|l| l.is_finite()) {
                self.balancer.observe_after(&Step { losses: &after, ..step })?;
            }
        }
        let penalty = f64::from(self.update.l2) * squares + self.session.penalty() + auxiliary;
        Ok(Done { losses, weights: shared, penalty })
    }

    /// The weights are known before the forward pass, so that forward and backward are one.
    fn weigh_first(&mut self, feed: &Batch<'_>, step: Step<'_>, noise: u64) -> Result<Met, TrainError> {
        let weights = self.balancer.weights(&step, None)?;
        let all = scatter(feed.targets.len(), step.tasks, &weights.shared);
        Ok(Met::new(self.session.forward_backward(feed, &all, noise)).weighed(weights))
    }

    /// The weights depend on the losses, which the forward pass gives.
    fn weigh_losses(&mut self, feed: &Batch<'_>, step: Step<'_>, noise: u64) -> Result<Met, TrainError> {
        let met = Met::new(self.session.forward(feed, noise));
        if !met.is_finite() {
            return Ok(met);
        }
        let weights = self.balancer.weights(&Step { losses: &met.known, ..step }, None)?;
        self.session.backward(feed, &scatter(feed.targets.len(), step.tasks, &weights.shared), noise);
        Ok(met.weighed(weights))
    }

    /// The weights depend on the inner products of the task gradients.
    fn weigh_gramian(&mut self, feed: &Batch<'_>, step: Step<'_>, noise: u64) -> Result<Met, TrainError> {
        let tasks = feed.targets.len();
        let scouted = self.scout.as_mut().map(|scout| {
            scout.set_parameters(self.session.parameters());
            scout.layerwise_gramian(feed, noise).1
        });
        let met = Met::new(self.session.forward_backward(feed, &vec![1.0; tasks], noise));
        if !met.is_finite() {
            return Ok(met);
        }
        let all = match scouted {
            Some(gramian) => gramian,
            None if self.waits => self.session.representation_gramian(),
            None => self.session.gramian(),
        };
        let pick = |&i: &usize| step.tasks.iter().map(move |&j| (i, j));
        let present = step.tasks.iter().flat_map(pick).map(|(i, j)| all[i * tasks + j]).collect();
        let gramian = Gramian::new(step.tasks.len(), present)?;
        let weights = self.balancer.weights(&Step { losses: &met.known, ..step }, Some(&gramian))?;
        if self.waits {
            self.session.backward_shared(&scatter(tasks, step.tasks, &weights.shared), noise);
        }
        Ok(met.weighed(weights))
    }

    /// The method reads the task gradients themselves, of one batch or of several.
    fn aggregate(&mut self, feed: &Batch<'_>, step: Step<'_>, noise: u64) -> Result<Met, TrainError> {
        let ones = vec![1.0; feed.targets.len()];
        let batches = self.balancer.batches();
        self.jacobians.resize_with(batches, Jacobian::default);
        // A method that compares several batches gets equal parts of this one; heads learn from all of it. A part
        // that a task has no label in leaves that task's row at zero there.
        if batches > 1 {
            let n = feed.rows.len();
            for (i, jacobian) in self.jacobians.iter_mut().enumerate() {
                let part = &feed.rows[i * n / batches..(i + 1) * n / batches];
                // Fewer rows than parts: there is nothing to tell apart.
                let part = if part.is_empty() { feed.rows } else { part };
                self.session.forward_backward(&Batch { rows: part, ..*feed }, &ones, noise);
                self.session.jacobian(jacobian);
            }
        }
        let met = Met::new(self.session.forward_backward(feed, &ones, noise));
        if !met.is_finite() {
            return Ok(met);
        }
        if batches == 1 {
            self.session.jacobian(&mut self.jacobians[0]);
        }
        let mut views = Vec::with_capacity(batches);
        for jacobian in &self.jacobians {
            let rows = step.tasks.iter().map(|&t| jacobian.rows[t].as_slice()).collect();
            views.push(polytask_balance::Jacobian::new(rows, &jacobian.tensors)?);
        }
        self.direction.resize(self.jacobians[0].rows.first().map_or(0, Vec::len), 0.0);
        let mut out = Output::F32(&mut self.direction);
        let weights = self.balancer.aggregate(&Step { losses: &met.known, ..step }, &views, &mut out)?;
        Ok(Met { made: Made::Shared, ..met.weighed(weights) })
    }

    /// The method tries out steps of the model. Then it makes the direction itself, or says weights as others do.
    fn try_out(&mut self, feed: &Batch<'_>, held_out: &[u32], step: Step<'_>, rate: f64) -> Result<Met, TrainError> {
        let (tasks, noise) = (feed.targets.len(), self.noise ^ step.index);
        let met = Met::new(self.session.forward(feed, noise));
        let Some(explorer) = self.explorer.as_mut().filter(|_| met.is_finite()) else { return Ok(met) };
        let (parameters, optimizer) = (self.session.parameters(), self.session.optimizer());
        let place = Place { step, feed: *feed, held_out, parameters, optimizer, rate, noise };
        self.direction.resize(parameters.values().len(), 0.0);
        if let Some(weights) = explorer.explore(self.balancer.as_mut(), &place, &mut self.direction)? {
            return Ok(Met { made: Made::Whole, ..met.weighed(Weights::both(weights)) });
        }
        let weights = self.balancer.weights(&Step { losses: &met.known, ..step }, None)?;
        self.session.backward(feed, &scatter(tasks, step.tasks, &weights.shared), noise);
        Ok(met.weighed(weights))
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

    pub(super) fn checkpoint(&self, graph: &Graph, mut state: State) -> Checkpoint {
        state.balancer = self.balancer.state();
        state.learners = self.learners.iter().map(|l| l.state().clone()).collect();
        state.optimizer_step = self.session.optimizer().step;
        let parameters = self.parameters().clone();
        // What does not learn has none, and an encoder that stays as it is may be most of a model.
        let kept = |moment: &Vec<f32>| {
            trained(graph, &parameters).flat_map(|own| moment.get(own).unwrap_or_default()).copied().collect()
        };
        let moments = self.session.optimizer().moments.iter().map(kept).collect();
        Checkpoint::new(state, Tensors { parameters, moments })
    }

    pub(super) fn restore(&mut self, graph: &Graph, tensors: Tensors, state: &State) -> Result<(), TrainError> {
        let fits = tensors.parameters.values().len() == graph.scalar_count();
        let length = if fits { trained(graph, &tensors.parameters).map(|own| own.len()).sum() } else { 0 };
        if tensors.moments.iter().any(|moment| moment.len() != length) {
            return Err(other());
        }
        let spread = |moment: &Vec<f32>| {
            let (mut all, mut rest) = (vec![0.0; graph.scalar_count()], moment.as_slice());
            for own in trained(graph, &tensors.parameters) {
                let (first, others) = rest.split_at(own.len());
                all[own].copy_from_slice(first);
                rest = others;
            }
            all
        };
        let moments = tensors.moments.iter().map(spread).collect();
        let moments = OptimizerState { step: state.optimizer_step, moments };
        if !fits || !self.session.restore(moments) || self.learners.len() != state.learners.len() {
            return Err(other());
        }
        for (learner, state) in self.learners.iter_mut().zip(&state.learners) {
            if !learner.restore(state.clone()) {
                return Err(other());
            }
        }
        self.balancer.restore(&state.balancer)?;
        self.session.set_parameters(&tensors.parameters);
        Ok(())
    }
}

/// What the passes of a step met.
struct Met {
    losses: Vec<Option<f64>>,
    /// Losses of the present tasks.
    known: Vec<f64>,
    /// None where a loss is not finite: there is nothing to weigh.
    weights: Option<Weights>,
    made: Made,
}

impl Met {
    fn new(losses: Vec<Option<f64>>) -> Self {
        let known = losses.iter().flatten().copied().collect();
        Met { losses, known, weights: None, made: Made::Weighed }
    }

    fn is_finite(&self) -> bool {
        self.known.iter().all(|l| l.is_finite())
    }

    fn weighed(self, weights: Weights) -> Self {
        let weights = self.is_finite().then_some(weights);
        Met { weights, ..self }
    }
}

/// Where the parameters that learn stand among all.
fn trained<'a>(graph: &'a Graph, parameters: &'a Parameters) -> impl Iterator<Item = Range<usize>> + 'a {
    let learns = graph.parameters().iter().enumerate().filter(|(_, parameter)| parameter.is_trained());
    learns.map(|(i, _)| parameters.range(ParameterId(i)))
}

/// A checkpoint of another optimiser or balancing method.
fn other() -> TrainError {
    CheckpointError::Other("its optimiser kept other things".to_owned()).into()
}

/// Weights of present tasks at the places of all tasks.
fn scatter(tasks: usize, present: &[usize], weights: &[f64]) -> Vec<f64> {
    let mut all = vec![0.0; tasks];
    present.iter().zip(weights).for_each(|(&task, &weight)| all[task] = weight);
    all
}

fn family(loss: &LossKind) -> LossFamily {
    match loss {
        LossKind::Mse | LossKind::Mae | LossKind::Huber { .. } | LossKind::Custom(_) => LossFamily::Regression,
        LossKind::BinaryCrossEntropy
        | LossKind::CrossEntropy
        | LossKind::Poisson
        | LossKind::Crf { .. }
        | LossKind::Arcs { .. } => LossFamily::Classification,
    }
}
