//! Where networks run: the one place that names a backend.

use polytask_cpu::Cpu;
use polytask_exec::{Backend, Collective, Groups, Local, Mode, Parameters, Rule, Session, Spec, Unsupported};
use polytask_graph::Graph;
use std::sync::Arc;

/// A backend, and the processes that train on it together. The default is the CPU of this process alone.
#[derive(Clone, Debug)]
pub struct Device {
    backend: Arc<dyn Backend>,
    collective: Arc<dyn Collective>,
}

/// Bytes that predicting may take to work in; of images fewer rows are predicted at a time.
pub const MEMORY: usize = 256 << 20;

/// Rows predicted at a time, at most: enough to fill the lanes, few enough to stay in cache. A row of sequences is as many
/// elements.
pub fn block(graph: &Graph) -> usize {
    if graph.domains().is_empty() { 4096 } else { 256 }
}

impl Default for Device {
    fn default() -> Self {
        Device { backend: Arc::new(Cpu), collective: Arc::new(Local) }
    }
}

/// Devices are told apart by the names of their backends.
impl PartialEq for Device {
    fn eq(&self, other: &Self) -> bool {
        self.backend.name() == other.backend.name()
    }
}

impl Device {
    /// A backend in one process.
    pub fn new(backend: Arc<dyn Backend>) -> Self {
        Device { backend, ..Device::default() }
    }

    /// The same, with steps of training shared among processes. Every process predicts for itself.
    #[must_use]
    pub fn among(self, collective: Arc<dyn Collective>) -> Self {
        Device { collective, ..self }
    }

    /// The same in this process alone.
    #[must_use]
    pub fn alone(&self) -> Self {
        Device::new(Arc::clone(&self.backend))
    }

    /// What the backend is called.
    pub fn name(&self) -> &'static str {
        self.backend.name()
    }

    /// The processes that train together.
    pub fn collective(&self) -> &Arc<dyn Collective> {
        &self.collective
    }

    /// A session that trains from `start` on batches of at most `rows` rows.
    ///
    /// # Errors
    /// The backend lacks something that the graph asks for.
    pub fn training(
        &self,
        graph: &Graph,
        rows: usize,
        groups: Groups,
        rule: Rule,
        start: &Parameters,
    ) -> Result<Box<dyn Session>, Unsupported> {
        let collective = Arc::clone(&self.collective);
        let spec = Spec { collective, ..Spec::train(rows, groups).rule(rule) };
        self.backend.session(graph, &spec, start)
    }

    /// A session that asks for gradients and takes no steps.
    ///
    /// # Errors
    /// The backend lacks something that the graph asks for.
    pub fn gradients(
        &self,
        graph: &Graph,
        rows: usize,
        groups: Groups,
        start: &Parameters,
    ) -> Result<Box<dyn Session>, Unsupported> {
        self.training(graph, rows, groups, Rule::Sgd { momentum: 0.0, nesterov: false }, start)
    }

    /// A session that predicts, this many rows at a time or as many as memory allows.
    ///
    /// # Errors
    /// The backend lacks something that the graph asks for.
    pub fn predicting(
        &self,
        graph: &Graph,
        rows: usize,
        parameters: &Parameters,
    ) -> Result<Box<dyn Session>, Unsupported> {
        let spec = Spec::predict(graph, rows.clamp(1, block(graph))).memory(MEMORY);
        self.backend.session(graph, &spec, parameters)
    }

    /// Bytes of working memory, beside the parameters, of a session that trains (all losses in one group) on, or predicts,
    /// this many rows at a time.
    pub fn memory(&self, graph: &Graph, rows: usize, mode: Mode) -> usize {
        self.backend.memory(graph, &Spec { mode, ..Spec::train(rows, Groups::merged(graph)) })
    }
}
