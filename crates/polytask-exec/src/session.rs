//! What training and prediction ask of a device.

use crate::batch::Batch;
use crate::collective::{Collective, Local};
use crate::combine::Combine;
use crate::groups::Groups;
use crate::jacobian::Jacobian;
use crate::optimizer::{OptimizerState, Rule, Update};
use crate::outputs::Outputs;
use crate::parameters::Parameters;
use polytask_graph::{Graph, ParameterId};
use std::fmt::Debug;
use std::sync::Arc;

/// Whether gradients will be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Forward only: dropout is off, buffers are reused as soon as their readers have run.
    Predict,
    /// Forward and backward.
    Train,
}

/// A task's loss over a batch: the weighted mean over its labelled rows; none if it has none.
pub type StepLosses = Vec<Option<f64>>;

/// Lanes that a batch is cut into at most, if nothing else is asked for: more cost memory, one gradient each.
pub const DEFAULT_LANES: usize = 16;

/// Lanes that may be asked for.
pub const MAX_LANES: usize = 1024;

/// What a session is for.
#[derive(Clone, Debug)]
pub struct Spec {
    /// Rows of the longest batch, at least 1.
    pub rows: usize,
    /// Forward only, or backward as well.
    pub mode: Mode,
    /// Which losses' gradients are kept apart.
    pub groups: Groups,
    /// How a gradient becomes a step.
    pub rule: Rule,
    /// Lanes that a batch is cut into at most, up to [`MAX_LANES`]. The same for all machines that run a batch together,
    /// and at least as many as they have threads in all if each of these is to have work.
    pub lanes: usize,
    /// Bytes of working memory, roughly. Predicting runs fewer rows at a time where they would take more.
    pub memory: usize,
    /// Who runs the batches together.
    pub collective: Arc<dyn Collective>,
}

impl Spec {
    /// For training on batches of at most `rows` rows.
    pub fn train(rows: usize, groups: Groups) -> Self {
        let rule = Rule::Sgd { momentum: 0.0, nesterov: false };
        let collective = Arc::new(Local);
        Spec { rows, mode: Mode::Train, groups, rule, lanes: DEFAULT_LANES, memory: usize::MAX, collective }
    }

    /// For predictions and losses of `rows` rows at a time.
    pub fn predict(graph: &Graph, rows: usize) -> Self {
        Spec { mode: Mode::Predict, ..Spec::train(rows, Groups::merged(graph)) }
    }

    /// With this optimiser; gradient descent without momentum otherwise.
    #[must_use]
    pub fn rule(self, rule: Rule) -> Self {
        Spec { rule, ..self }
    }

    /// In so many bytes.
    #[must_use]
    pub fn memory(self, memory: usize) -> Self {
        Spec { memory, ..self }
    }
}

/// Why a backend cannot run a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {backend} backend cannot run {what}")]
pub struct Unsupported {
    /// Name of the backend.
    pub backend: &'static str,
    /// What it lacks, with an article: `a recurrent layer ("lstm")`.
    pub what: String,
}

/// A device that runs graphs.
pub trait Backend: Debug + Send + Sync {
    /// What configs and messages call it.
    fn name(&self) -> &'static str;

    /// Plans a graph and takes the parameters that it starts from.
    ///
    /// # Errors
    /// The backend lacks an op, a loss or a mode that the graph or the spec asks for.
    fn session(&self, graph: &Graph, spec: &Spec, start: &Parameters) -> Result<Box<dyn Session>, Unsupported>;

    /// Bytes of working memory that a session would take beside its parameters, whatever [`Spec::memory`] says. The graph
    /// is one that [`Graph::ready`] finds no fault with.
    fn memory(&self, graph: &Graph, spec: &Spec) -> usize;
}

/// A planned graph with its parameters and its optimiser, ready to run. Batches are those of the graph, see
/// [`Ports`](crate::Ports), of at most as many rows as planned for; a session may panic on others. `noise` names a step's
/// random draws (dropout): the same gives the same.
pub trait Session: Send {
    /// The graph as it is run: the losses, parameters and domains are those that were given, nodes may have been added.
    fn graph(&self) -> &Graph;

    /// Lanes that the longest batch is cut into.
    fn lanes(&self) -> usize;

    /// The parameters as they are now.
    fn parameters(&self) -> &Parameters;

    /// Replaces the parameters.
    fn set_parameters(&mut self, parameters: &Parameters);

    /// Changes the parameters in place, flat in their order.
    fn change_parameters(&mut self, change: &mut dyn FnMut(&mut [f32]));

    /// What the optimiser remembers.
    fn optimizer(&self) -> &OptimizerState;

    /// Has the optimiser go on from what one remembered; false, and no change, if it is not of this rule and size.
    fn restore(&mut self, state: OptimizerState) -> bool;

    /// The temperature at which ops that draw one of several inputs ([`Weighing::Sampled`](polytask_graph::Weighing)) are
    /// differentiated, above 0: the lower, the closer to the choice itself. Default 1.
    fn set_temperature(&mut self, temperature: f32);

    /// The forward pass of a training step.
    fn forward(&mut self, batch: &Batch<'_>, noise: u64) -> StepLosses;

    /// The backward pass that follows [`forward`](Self::forward) with the same batch and noise: gradients of `sum over tasks
    /// of weights[t] * loss_t`, per group. Weights of absent tasks do not matter.
    fn backward(&mut self, batch: &Batch<'_>, weights: &[f64], noise: u64);

    /// Both in one go, where the weights are known before the losses.
    fn forward_backward(&mut self, batch: &Batch<'_>, weights: &[f64], noise: u64) -> StepLosses;

    /// Inner products of the groups' gradients over the shared parameters, `groups x groups`, row-major. Follows a
    /// backward pass.
    fn gramian(&self) -> Vec<f64>;

    /// The groups' gradients over the shared parameters themselves. Follows a backward pass.
    fn jacobian(&self, into: &mut Jacobian);

    /// The gradient over all parameters, flat in their order, combined as told: what [`step`](Self::step) would begin with,
    /// without the L2 term and the penalties. Follows a backward pass.
    fn gradient(&self, combine: Combine<'_>, into: &mut [f32]);

    /// The gradients of each group over one parameter: `(group, gradient)` for the groups that reach it. Follows a backward
    /// pass.
    fn gradients(&self, parameter: ParameterId) -> Vec<(usize, Vec<f32>)>;

    /// Inner products of the groups' gradients over the shared representation. Follows a backward pass with
    /// [`Groups::representation`].
    fn representation_gramian(&self) -> Vec<f64>;

    /// The rest of such a backward pass: the groups' cotangents at the shared representation, summed with these weights,
    /// flow on through the shared part.
    fn backward_shared(&mut self, groups: &[f64], noise: u64);

    /// Forward and backward with [`Groups::layerwise`]: the losses, and the Gramian that [`gramian`](Self::gramian) would
    /// give, gathered a layer at a time. No gradient is left to step with.
    fn layerwise_gramian(&mut self, batch: &Batch<'_>, noise: u64) -> (StepLosses, Vec<f64>);

    /// One optimiser step on the gradients of the last backward pass, combined as told. Of a table that is looked up, only
    /// the rows that the batch has looked up move, and count to the L2 term and the norm: the others keep their value and
    /// their moments, whatever the rule (as in PyTorch's `SparseAdam`). Gives `0.5 * ||w||^2` over the parameters that the
    /// L2 term counts, before the step (0 without L2).
    fn step(&mut self, update: Update, combine: Combine<'_>) -> f64;

    /// What the auxiliary losses of the last forward pass came to for the tasks that were present, times the tasks' weights.
    fn auxiliary_loss(&self, weights: &[f64]) -> f64;

    /// What the graph's penalties came to when [`step`](Self::step) began.
    fn penalty(&self) -> f64;

    /// The tasks' losses over the rows of a batch, however many they are. Random ops are off.
    fn evaluate(&mut self, batch: &Batch<'_>) -> StepLosses;

    /// What every task's loss reads for the rows of a batch, however many they are. Random ops are off.
    fn predict(&mut self, batch: &Batch<'_>) -> Outputs;
}
