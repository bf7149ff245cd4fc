//! One lane: a share of the batch with its own buffers, run by one thread from the gather to the gradient.

use crate::feed::{Feed, Numbers};
use crate::kernels;
use crate::plan::{InputSlot, Plan, Slot};

/// Buffers of one lane. Allocated once.
pub(crate) struct Lane {
    arena: Vec<f32>,
    indices: Vec<u32>,
    gradient: Vec<f32>,
    /// Weighted sum of each task's row losses.
    losses: Vec<f64>,
    /// Of each charge, one loss's share, summed over rows.
    charges: Vec<f64>,
    rows: usize,
}

/// What the cotangents of a batch are multiplied with, by loss.
#[derive(Default)]
pub(crate) struct Scales {
    /// A row of weight 1.
    pub losses: Vec<f64>,
    /// A row of what is charged to the loss.
    pub charges: Vec<f64>,
}

/// Parameters as kernels read them.
#[derive(Clone, Copy)]
pub(crate) struct Weights<'a> {
    pub values: &'a [f32],
    pub transposed: &'a [f32],
    /// See [`Runner::set_temperature`](crate::Runner::set_temperature).
    pub temperature: f32,
}

impl Lane {
    pub(crate) fn new(plan: &Plan) -> Self {
        Lane {
            arena: vec![0.0; plan.arena],
            indices: vec![0; plan.indices],
            gradient: vec![0.0; plan.gradient],
            losses: vec![0.0; plan.losses.len()],
            charges: vec![0.0; plan.charges.len()],
            rows: 0,
        }
    }

    /// Gathers rows `first..first + count` of the batch and runs the graph; fills the losses if there are targets.
    pub(crate) fn forward(
        &mut self,
        plan: &Plan,
        weights: Weights<'_>,
        feed: &Feed<'_>,
        (first, count): (usize, usize),
        noise: Option<u64>,
    ) {
        self.rows = count;
        let rows = &feed.rows[first..first + count];
        for (slot, numbers) in plan.inputs.iter().zip(feed.inputs) {
            match (slot, numbers) {
                (InputSlot::Real(slot), Numbers::Real(all)) => gather(all, rows, *slot, &mut self.arena),
                (InputSlot::Index(slot), Numbers::Index(all)) => gather(all, rows, *slot, &mut self.indices),
                _ => unreachable!("the runner has checked the kinds of its inputs"),
            }
        }
        let mut view = self.view(weights, noise, first);
        plan.kernels.iter().for_each(|kernel| kernel.forward(&mut view));
        for ((loss, target), sum) in plan.losses.iter().zip(feed.targets).zip(&mut self.losses) {
            *sum = loss.forward(&self.arena, rows, target);
        }
        for (charge, sum) in plan.charges.iter().zip(&mut self.charges) {
            *sum = charge.forward(&self.arena, count);
        }
    }

    /// Gradients of `sum over tasks of scale * (weighted sum of row losses)`, per group. Follows a forward pass over
    /// the same rows. Stops before what waits for weights.
    pub(crate) fn backward(
        &mut self,
        plan: &Plan,
        weights: Weights<'_>,
        feed: &Feed<'_>,
        first: usize,
        noise: Option<u64>,
        scales: &Scales,
    ) {
        self.backward_losses(plan, feed, first, scales);
        let mut view = self.view(weights, noise, first);
        plan.backward[..plan.shared_from].iter().for_each(|&node| plan.kernels[node].backward(&mut view));
    }

    /// The first part of a backward pass: the cotangents of the predictions.
    pub(crate) fn backward_losses(&mut self, plan: &Plan, feed: &Feed<'_>, first: usize, scales: &Scales) {
        let rows = &feed.rows[first..first + self.rows];
        for ((loss, target), scale) in plan.losses.iter().zip(feed.targets).zip(&scales.losses) {
            loss.backward(&mut self.arena, rows, target, *scale);
        }
        for charge in &plan.charges {
            charge.backward(&mut self.arena, rows.len(), &scales.charges);
        }
    }

    /// One node of a backward pass.
    pub(crate) fn backward_node(
        &mut self,
        plan: &Plan,
        weights: Weights<'_>,
        first: usize,
        noise: Option<u64>,
        node: usize,
    ) {
        plan.kernels[node].backward(&mut self.view(weights, noise, first));
    }

    /// The rest of the backward pass: the cotangents at the shared representation, summed with the groups' weights, flow
    /// on through the shared part.
    pub(crate) fn backward_shared(
        &mut self,
        plan: &Plan,
        weights: Weights<'_>,
        first: usize,
        noise: Option<u64>,
        groups: &[f64],
    ) {
        let mut view = self.view(weights, noise, first);
        for &node in &plan.backward[plan.shared_from..] {
            if let Some(boundary) = plan.boundaries.iter().find(|b| b.node == node) {
                kernels::merge(&mut view, boundary, groups);
            }
            plan.kernels[node].backward(&mut view);
        }
    }

    /// Adds this lane's part of the inner products of the groups' cotangents at the shared representation.
    pub(crate) fn add_gramian(&self, plan: &Plan, gramian: &mut [f64]) {
        for boundary in &plan.boundaries {
            kernels::add_gramian(&self.arena, self.rows, boundary, gramian, plan.groups);
        }
    }

    pub(crate) fn losses(&self) -> &[f64] {
        &self.losses
    }

    pub(crate) fn charges(&self) -> &[f64] {
        &self.charges
    }

    pub(crate) fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// Values of an output for the rows of the last forward pass.
    pub(crate) fn output(&self, slot: Slot) -> &[f32] {
        &self.arena[slot.range(self.rows)]
    }

    fn view<'a>(&'a mut self, weights: Weights<'a>, noise: Option<u64>, first_row: usize) -> kernels::Lane<'a> {
        kernels::Lane {
            rows: self.rows,
            arena: &mut self.arena,
            indices: &self.indices,
            values: weights.values,
            transposed: weights.transposed,
            gradient: &mut self.gradient,
            noise,
            first_row,
            temperature: weights.temperature,
        }
    }
}

fn gather<T: Copy>(all: &[T], rows: &[u32], slot: Slot, into: &mut [T]) {
    let width = slot.width;
    for (row, into) in rows.iter().zip(into[slot.range(rows.len())].chunks_exact_mut(width)) {
        into.copy_from_slice(&all[*row as usize * width..(*row as usize + 1) * width]);
    }
}
