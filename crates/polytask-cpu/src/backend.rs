//! The CPU as a device among others.

use crate::plan::Plan;
use crate::runner::Runner;
use polytask_exec::{
    Backend, Batch, Combine, Jacobian, Mode, Optimizer, OptimizerState, Outputs, Parameters, Session, Spec, StepLosses,
    Unsupported, Update,
};
use polytask_graph::{Graph, ParameterId};
use std::sync::Arc;

/// The CPU: every op, any number of threads of the ambient rayon pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu;

impl Backend for Cpu {
    fn name(&self) -> &'static str {
        "cpu"
    }

    fn session(&self, graph: &Graph, spec: &Spec, start: &Parameters) -> Result<Box<dyn Session>, Unsupported> {
        graph.ready().map_err(|error| Unsupported { backend: self.name(), what: error.to_string() })?;
        let mut plan = Plan::of(graph, spec);
        if spec.mode == Mode::Predict && plan.memory() > spec.memory {
            let rows = (spec.rows as f64 * spec.memory as f64 / plan.memory() as f64) as usize;
            plan = Plan::of(graph, &Spec { rows, ..spec.clone() });
        }
        let runner = Runner::among(plan, start.clone(), Arc::clone(&spec.collective));
        let optimizer = Optimizer::new(spec.rule, start.values().len());
        Ok(Box::new(Running { runner, optimizer }))
    }

    fn memory(&self, graph: &Graph, spec: &Spec) -> usize {
        Plan::of(graph, spec).memory()
    }
}

/// A runner with its optimiser.
struct Running {
    runner: Runner,
    optimizer: Optimizer,
}

impl Session for Running {
    fn graph(&self) -> &Graph {
        self.runner.plan().graph()
    }

    fn lanes(&self) -> usize {
        self.runner.plan().lanes()
    }

    fn parameters(&self) -> &Parameters {
        self.runner.parameters()
    }

    fn set_parameters(&mut self, parameters: &Parameters) {
        self.runner.set_parameters(parameters);
    }

    fn change_parameters(&mut self, change: &mut dyn FnMut(&mut [f32])) {
        self.runner.change_parameters(change);
    }

    fn optimizer(&self) -> &OptimizerState {
        self.optimizer.state()
    }

    fn restore(&mut self, state: OptimizerState) -> bool {
        self.optimizer.restore(state)
    }

    fn set_temperature(&mut self, temperature: f32) {
        self.runner.set_temperature(temperature);
    }

    fn forward(&mut self, batch: &Batch<'_>, noise: u64) -> StepLosses {
        self.runner.forward(batch, noise)
    }

    fn backward(&mut self, batch: &Batch<'_>, weights: &[f64], noise: u64) {
        self.runner.backward(batch, weights, noise);
    }

    fn forward_backward(&mut self, batch: &Batch<'_>, weights: &[f64], noise: u64) -> StepLosses {
        self.runner.forward_backward(batch, weights, noise)
    }

    fn gramian(&self) -> Vec<f64> {
        self.runner.gramian(self.runner.rows())
    }

    fn jacobian(&self, into: &mut Jacobian) {
        self.runner.jacobian(self.runner.rows(), into);
    }

    fn gradient(&self, combine: Combine<'_>, into: &mut [f32]) {
        self.runner.gradient(self.runner.rows(), combine, into);
    }

    fn gradients(&self, parameter: ParameterId) -> Vec<(usize, Vec<f32>)> {
        self.runner.gradients(parameter, self.runner.rows())
    }

    fn representation_gramian(&self) -> Vec<f64> {
        self.runner.representation_gramian(self.runner.rows())
    }

    fn backward_shared(&mut self, groups: &[f64], noise: u64) {
        self.runner.backward_shared(groups, noise);
    }

    fn layerwise_gramian(&mut self, batch: &Batch<'_>, noise: u64) -> (StepLosses, Vec<f64>) {
        self.runner.layerwise_gramian(batch, noise)
    }

    fn step(&mut self, update: Update, combine: Combine<'_>) -> f64 {
        let rows = self.runner.rows();
        self.runner.update(&mut self.optimizer, update, rows, combine)
    }

    fn auxiliary_loss(&self, weights: &[f64]) -> f64 {
        self.runner.auxiliary_loss(weights, self.runner.rows())
    }

    fn penalty(&self) -> f64 {
        self.runner.penalty()
    }

    fn evaluate(&mut self, batch: &Batch<'_>) -> StepLosses {
        self.runner.evaluate(batch)
    }

    fn predict(&mut self, batch: &Batch<'_>) -> Outputs {
        self.runner.outputs(batch)
    }
}
