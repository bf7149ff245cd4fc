//! An op that a caller brings: its slices are gathered from a lane, and what it gives back is led on.

use super::{Kernel, Lane, around, put};
use crate::wiring::{Run, Wiring};
use polytask_graph::{Cotangents, CustomOp, Given, Kept, MOST, Shape, ops};
use std::ops::Range;
use std::sync::Arc;

pub(super) struct Custom {
    op: Arc<dyn CustomOp>,
    /// The second scratch has the cotangents of all inputs, one behind the other.
    wiring: Wiring,
}

/// The kernel of an op that is bound.
pub(super) fn build(op: &ops::Custom, wiring: Wiring) -> Box<dyn Kernel> {
    let Some(bound) = op.what.bound() else { unreachable!("the plan has checked that what callers bring is bound") };
    Box::new(Custom { op: bound.clone(), wiring })
}

/// Scalars an element that are kept for the backward pass.
pub(super) fn kept_width(op: &ops::Custom, inputs: &[&Shape]) -> usize {
    op.what.bound().map_or(0, |bound| bound.saved(inputs))
}

/// Scalars an element to work with in the backward pass.
pub(super) fn scratch_width(inputs: &[&Shape]) -> usize {
    inputs.iter().map(|shape| shape.width()).sum()
}

impl Kernel for Custom {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let rows = lane.count(w.out);
        if rows == 0 {
            return;
        }
        let (parameters, domains) = (self.parameters(lane.values), lane.domains);
        let (parameters, out, saved) = (&parameters[..w.parameters.len()], lane.range(w.out), lane.range(w.saved));
        let (others, out, saved) = around_two(lane.arena, out, saved);
        let mut inputs = [&[][..]; MOST];
        for (input, slot) in inputs.iter_mut().zip(&w.inputs) {
            *input = others.get(domains[slot.domain].range(*slot));
        }
        self.op.forward(Given { rows, inputs: &inputs[..w.inputs.len()], parameters }, out, saved);
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        for copy in 0..self.wiring.copies {
            self.pull(lane, copy);
            self.flow_on(lane, copy);
        }
    }
}

impl Custom {
    /// The values of the parameters.
    fn parameters<'a>(&self, values: &'a [f32]) -> [&'a [f32]; MOST] {
        let mut all = [&[][..]; MOST];
        all.iter_mut().zip(&self.wiring.parameters).for_each(|(own, wire)| *own = &values[wire.value.clone()]);
        all
    }

    /// The cotangents of the inputs, in the scratch, and of the parameters, where they belong.
    fn pull(&self, lane: &mut Lane<'_>, copy: usize) {
        let w = &self.wiring;
        let (rows, values) = (lane.count(w.out), lane.values);
        let cotangent = lane.copies(w.cotangent, copy, 1);
        let [scratch, out, saved] = [w.scratch[1], w.out, w.saved].map(|slot| lane.range(slot));
        let mut gradients = self.gradients(lane.gradient, copy);
        if rows == 0 {
            return;
        }
        let mut view = Lane { gradient: &mut [], arena: &mut *lane.arena, tables: &mut [], ..*lane };
        let (others, mut scratch) = around(&mut view, scratch);
        scratch.fill(0.0);
        let (mut inputs, mut into) = ([&[][..]; MOST], [(); MOST].map(|()| &mut [][..]));
        for (((input, into), slot), flow) in inputs.iter_mut().zip(&mut into).zip(&w.inputs).zip(&w.flows) {
            *input = others.of(*slot);
            let (own, rest) = scratch.split_at_mut(input.len());
            scratch = rest;
            if flow.is_some() {
                *into = own;
            }
        }
        let parameters = self.parameters(values);
        let (inputs, count) = (&inputs[..w.inputs.len()], w.parameters.len());
        let given = Given { rows, inputs, parameters: &parameters[..count] };
        let saved = if saved.is_empty() { &[][..] } else { others.get(saved) };
        let kept = Kept { out: others.get(out), saved };
        let into = Cotangents { inputs: &mut into[..inputs.len()], parameters: &mut gradients[..count] };
        self.op.backward(given, kept, others.get(cotangent), into);
    }

    /// Where one copy of each parameter's gradient goes, zeros where nobody has written before; empty where none is asked for.
    fn gradients<'a>(&self, mut all: &'a mut [f32], copy: usize) -> [&'a mut [f32]; MOST] {
        let mut parts: [(Range<usize>, usize, bool); MOST] = [(); MOST].map(|()| (0..0, 0, false));
        let mut count = 0;
        for (i, wire) in self.wiring.parameters.iter().enumerate() {
            for (run, at) in wire.of(copy) {
                parts[count] = (wire.copy(run.to + at), i, run.accumulate);
                count += 1;
            }
        }
        parts[..count].sort_unstable_by_key(|(range, ..)| range.start);
        let mut gradients = [(); MOST].map(|()| &mut [][..]);
        let mut end = 0;
        for (range, i, accumulate) in &parts[..count] {
            let (_, rest) = all.split_at_mut(range.start - end);
            let (own, rest) = rest.split_at_mut(range.len());
            if !accumulate {
                own.fill(0.0);
            }
            gradients[*i] = own;
            (all, end) = (rest, range.end);
        }
        gradients
    }

    /// Leads the inputs' cotangents from the scratch to where they belong.
    fn flow_on(&self, lane: &mut Lane<'_>, copy: usize) {
        let w = &self.wiring;
        let mut start = lane.range(w.scratch[1]).start;
        for (slot, flow) in w.inputs.iter().zip(&w.flows) {
            let from = start..start + lane.range(*slot).len();
            start = from.end;
            let Some(flow) = flow else { continue };
            let has = |run: &&Run| (run.from..run.from + run.len).contains(&copy);
            for run in flow.runs.iter().filter(has) {
                let into = lane.copies(flow.into, run.to + copy - run.from, 1);
                let (others, into) = around(lane, into);
                put(others.get(from.clone()), into, run.accumulate);
            }
        }
    }
}

/// All of an arena but two parts that are written.
struct Others<'a>([(usize, &'a [f32]); 3]);

impl<'a> Others<'a> {
    fn get(&self, read: Range<usize>) -> &'a [f32] {
        let holds = |(start, part): &&(usize, &[f32])| *start <= read.start && read.end <= start + part.len();
        match self.0.iter().find(holds) {
            Some((start, part)) => &part[read.start - start..read.end - start],
            None => unreachable!("the plan gave two live buffers one place"),
        }
    }
}

/// Two parts of an arena to write, the second of them perhaps empty, and all others to read.
fn around_two(arena: &mut [f32], a: Range<usize>, b: Range<usize>) -> (Others<'_>, &mut [f32], &mut [f32]) {
    // An empty part has no place of its own.
    let b = if b.is_empty() { a.end..a.end } else { b };
    let turned = b.start < a.start;
    let [first, second] = if turned { [b, a] } else { [a, b] };
    let (low, rest) = arena.split_at_mut(first.start);
    let (one, rest) = rest.split_at_mut(first.len());
    let (middle, rest) = rest.split_at_mut(second.start - first.end);
    let (other, high) = rest.split_at_mut(second.len());
    let others = Others([(0, low), (first.end, middle), (second.end, high)]);
    if turned { (others, other, one) } else { (others, one, other) }
}
