//! One lane: a share of the batch with its own buffers, run by one thread from the gather to the gradient.

use crate::domains::{self, Elements};
use crate::gather;
use crate::kernels;
use crate::plan::{InputSlot, Plan};
use crate::rows::Rows;
use crate::wiring::{Scales, Slot};
use polytask_exec::{Batch, Numbers};

/// One lane. Its buffers are allocated once; those of ragged sequences grow to the longest batch that was met.
pub(crate) struct Lane {
    memory: Memory,
    /// Weighted sum of each task's losses.
    losses: Vec<f64>,
    /// Of each auxiliary loss, one task's share, summed over elements.
    auxiliary: Vec<f64>,
}

/// What kernels work on.
struct Memory {
    arena: Aligned,
    indices: Vec<u32>,
    gradient: Vec<f32>,
    /// The gradients of tables.
    tables: Vec<Rows>,
    /// A block of elements of an input that are made as they are asked for.
    scratch: Vec<f32>,
    /// By domain.
    domains: Vec<Elements>,
}

/// The part of an arena that begins where a vector register's worth of memory does.
struct Aligned(Vec<f32>);

const LINE: usize = 64;

impl Aligned {
    fn new(len: usize) -> Self {
        Aligned(vec![0.0; len + LINE / size_of::<f32>()])
    }

    fn start(&self) -> usize {
        self.0.as_ptr().align_offset(LINE)
    }

    fn grow(&mut self, len: usize) {
        let len = len + LINE / size_of::<f32>();
        if len > self.0.len() {
            self.0.resize(len, 0.0);
        }
    }

    fn all(&self) -> &[f32] {
        &self.0[self.start()..]
    }

    fn all_mut(&mut self) -> &mut [f32] {
        let start = self.start();
        &mut self.0[start..]
    }
}

/// Parameters as kernels read them.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub values: &'a [f32],
    pub transposed: &'a [f32],
    pub wide: [&'a [f32]; 2],
    /// See [`Runner::set_temperature`](crate::Runner::set_temperature).
    pub temperature: f32,
}

impl Lane {
    pub(crate) fn new(plan: &Plan) -> Self {
        let memory = Memory {
            arena: Aligned::new(plan.arena[0]),
            indices: vec![0; plan.indices[0]],
            gradient: vec![0.0; plan.gradient],
            tables: plan.tables.iter().map(|table| Rows::new(table.rows, table.width, table.copies)).collect(),
            scratch: Vec::new(),
            domains: plan.arena.iter().map(|_| Elements::default()).collect(),
        };
        Lane { memory, losses: vec![0.0; plan.losses.len()], auxiliary: vec![0.0; plan.auxiliary.len()] }
    }

    /// Gathers rows `first..first + count` of the batch and runs the graph; fills the losses if there are targets.
    pub(crate) fn forward(
        &mut self,
        plan: &Plan,
        weights: Weights<'_>,
        feed: &Batch<'_>,
        (first, count): (usize, usize),
        noise: Option<u64>,
    ) {
        let Lane { memory, losses, auxiliary } = self;
        memory.find(plan, feed, first, count);
        for (slot, numbers) in plan.inputs.iter().zip(feed.inputs) {
            match (slot, numbers) {
                (InputSlot::Real(slot), numbers) => {
                    let own = &memory.domains[slot.domain];
                    let (elements, into) = (&own.sources, &mut memory.arena.all_mut()[own.range(*slot)]);
                    match numbers {
                        Numbers::Real(all) => gather::values(all, elements, *slot, into),
                        Numbers::Bytes(all) => gather::bytes(*all, elements, *slot, into),
                        Numbers::Made(maker) => gather::made(*maker, elements, *slot, into, &mut memory.scratch),
                        Numbers::Index(_) => unreachable!("the runner has checked the kinds of its inputs"),
                    }
                }
                (InputSlot::Index(slot), Numbers::Index(all)) => {
                    let own = &memory.domains[slot.domain];
                    gather::values(all, &own.sources, *slot, &mut memory.indices[own.index_range(*slot)]);
                }
                _ => unreachable!("the runner has checked the kinds of its inputs"),
            }
        }
        let mut view = memory.view(weights, noise);
        plan.kernels.iter().for_each(|kernel| kernel.forward(&mut view));
        for ((loss, target), sum) in plan.losses.iter().zip(feed.targets).zip(losses) {
            *sum = loss.forward(&view, target);
        }
        for (term, sum) in plan.auxiliary.iter().zip(auxiliary) {
            *sum = term.forward(&view);
        }
    }

    /// Gradients of `sum over tasks of scale * (weighted sum of row losses)`, per group. Follows a forward pass over
    /// the same rows. Stops before what waits for weights.
    pub(crate) fn backward(
        &mut self,
        plan: &Plan,
        weights: Weights<'_>,
        feed: &Batch<'_>,
        noise: Option<u64>,
        scales: &Scales,
    ) {
        self.backward_losses(plan, weights, feed, scales);
        let mut view = self.memory.view(weights, noise);
        plan.backward[..plan.shared_from].iter().for_each(|&node| plan.kernels[node].backward(&mut view));
    }

    /// The first part of a backward pass: the cotangents of the predictions.
    pub(crate) fn backward_losses(&mut self, plan: &Plan, weights: Weights<'_>, feed: &Batch<'_>, scales: &Scales) {
        self.memory.tables.iter_mut().for_each(Rows::clear);
        let mut view = self.memory.view(weights, None);
        for ((loss, target), scale) in plan.losses.iter().zip(feed.targets).zip(&scales.losses) {
            loss.backward(&mut view, target, *scale);
        }
        for term in &plan.auxiliary {
            term.backward(&mut view, scales);
        }
    }

    /// One node of a backward pass.
    pub(crate) fn backward_node(&mut self, plan: &Plan, weights: Weights<'_>, noise: Option<u64>, node: usize) {
        plan.kernels[node].backward(&mut self.memory.view(weights, noise));
    }

    /// The rest of the backward pass: the cotangents at the shared representation, summed with the groups' weights, flow
    /// on through the shared part.
    pub(crate) fn backward_shared(&mut self, plan: &Plan, weights: Weights<'_>, noise: Option<u64>, groups: &[f64]) {
        let mut view = self.memory.view(weights, noise);
        for &node in &plan.backward[plan.shared_from..] {
            for boundary in plan.boundaries.iter().filter(|b| b.node == node) {
                kernels::merge(&mut view, boundary, groups);
            }
            plan.kernels[node].backward(&mut view);
        }
    }

    /// Adds this lane's part of the inner products of the groups' cotangents at the shared representation.
    pub(crate) fn add_gramian(&self, plan: &Plan, gramian: &mut [f64]) {
        for boundary in &plan.boundaries {
            let Memory { arena, domains, .. } = &self.memory;
            kernels::add_gramian(arena.all(), &domains[boundary.stack.domain], boundary, gramian, plan.groups);
        }
    }

    pub(crate) fn losses(&self) -> &[f64] {
        &self.losses
    }

    pub(crate) fn auxiliary(&self) -> &[f64] {
        &self.auxiliary
    }

    pub(crate) fn gradient(&self) -> &[f32] {
        &self.memory.gradient
    }

    pub(crate) fn gradient_mut(&mut self) -> &mut [f32] {
        &mut self.memory.gradient
    }

    pub(crate) fn table(&self, table: usize) -> &Rows {
        &self.memory.tables[table]
    }

    pub(crate) fn table_mut(&mut self, table: usize) -> &mut Rows {
        &mut self.memory.tables[table]
    }

    /// Values of an output for the rows of the last forward pass.
    pub(crate) fn output(&self, slot: Slot) -> &[f32] {
        &self.memory.arena.all()[self.memory.domains[slot.domain].range(slot)]
    }
}

impl Memory {
    /// Finds the elements of rows `first..first + count` of the batch and makes room for them.
    fn find(&mut self, plan: &Plan, feed: &Batch<'_>, first: usize, count: usize) {
        let (before, rows) = (&feed.rows[..first], &feed.rows[first..first + count]);
        domains::find(&mut self.domains, &plan.graph, feed, before, rows);
        let (numbers, indices) = domains::lay_out(&mut self.domains, &plan.arena, &plan.indices);
        self.arena.grow(numbers);
        if indices > self.indices.len() {
            self.indices.resize(indices, 0);
        }
    }

    fn view<'a>(&'a mut self, weights: Weights<'a>, noise: Option<u64>) -> kernels::Lane<'a> {
        kernels::Lane {
            arena: self.arena.all_mut(),
            indices: &self.indices,
            values: weights.values,
            transposed: weights.transposed,
            wide: weights.wide,
            gradient: &mut self.gradient,
            tables: &mut self.tables,
            noise,
            temperature: weights.temperature,
            domains: &self.domains,
        }
    }
}
