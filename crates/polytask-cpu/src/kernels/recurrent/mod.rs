//! Recurrent layers. All sequences of a lane are stepped through side by side, the longest first, so that those still
//! running at a step are the first ones: one product with the recurrent weight a step, for as many rows as there are
//! sequences, and one wide product over all elements for what does not depend on the step before. Nothing is padded.

mod gru;
mod lstm;

use super::{Kernel, Lane, disjoint, product, vectorized};
use crate::domains::Elements;
use crate::wiring::Wiring;
pub(super) use gru::Gru;
pub(super) use lstm::Lstm;

/// What a layer does with one element, whose gates come from the input (`x W + b`) and from the state before (`h' U`).
pub(super) trait Cell: Send + Sync {
    /// Gates of width `h`: columns of the weights.
    const GATES: usize;
    /// More of width `h` that is kept for the backward pass.
    const KEPT: usize;

    /// Replaces the gates before their activation by those after it, fills what is kept, and moves the carried state and
    /// the hidden state on.
    fn step(&self, gates: &mut [f32], recurrent: &[f32], own: &[f32], kept: &mut [f32], state: State<'_>);

    /// From the cotangent `dh` of the hidden state and the carried one to those of the gates: `input` before the activation
    /// as the input gave them, `recurrent` as the state before gave them. `carry` becomes what belongs to the state
    /// before, besides what flows through the recurrent weight.
    fn pull(&self, seen: Seen<'_>, dh: &[f32], carry: &mut [f32], input: &mut [f32], recurrent: &mut [f32]);

    /// Whether what is carried adds to the cotangent of the hidden state.
    const CARRIES_HIDDEN: bool;

    /// Turns the cotangents of the gates as the input gave them into those as the state before gave them.
    fn to_recurrent(&self, h: usize, gates: &[f32], input: &mut [f32]);
}

/// What moves on from element to element.
pub(super) struct State<'a> {
    pub carried: &'a mut [f32],
    pub hidden: &'a mut [f32],
}

/// What a backward step sees of its element, and of the one before; zeros where there is none.
pub(super) struct Seen<'a> {
    pub gates: &'a [f32],
    pub kept: &'a [f32],
    pub kept_before: Option<&'a [f32]>,
    pub hidden_before: &'a [f32],
}

pub(super) struct Recurrent<C> {
    cell: C,
    reverse: bool,
    /// Kept: the gates of all elements, then the rest. The first scratch: the step's products, carried and hidden states,
    /// and what is kept when nothing is trained.
    wiring: Wiring,
}

/// Scalars an element that are kept for the backward pass.
pub(super) fn kept_width<C: Cell>(h: usize) -> usize {
    (C::GATES + C::KEPT) * h
}

/// Scalars an element to work with.
pub(super) fn scratch_widths<C: Cell>(h: usize, train: bool, copies: usize) -> [usize; 2] {
    [(C::GATES + 2) * h + if train { 0 } else { kept_width::<C>(h) }, (2 * C::GATES + 3) * h * copies + h]
}

impl<C: Cell> Recurrent<C> {
    pub(super) fn new(cell: C, reverse: bool, wiring: Wiring) -> Self {
        Recurrent { cell, reverse, wiring }
    }

    /// The element of a sequence at a step.
    fn at(&self, own: &Elements, sequence: u32, step: usize) -> usize {
        match self.reverse {
            false => own.offsets[sequence as usize] as usize + step,
            true => own.offsets[sequence as usize + 1] as usize - 1 - step,
        }
    }

    /// The element before another in the direction of the layer, if that is not the first.
    fn before(&self, element: usize, step: usize) -> Option<usize> {
        match self.reverse {
            _ if step == 0 => None,
            false => Some(element - 1),
            true => Some(element + 1),
        }
    }

    /// The gates' bias, and what the cell has to itself.
    fn biases<'a>(&self, values: &'a [f32], h: usize) -> (&'a [f32], &'a [f32]) {
        values[self.wiring.parameters[2].value.clone()].split_at(C::GATES * h)
    }
}

/// Elements of a sequence.
fn length(own: &Elements, sequence: u32) -> usize {
    (own.offsets[sequence as usize + 1] - own.offsets[sequence as usize]) as usize
}

impl<C: Cell> Kernel for Recurrent<C> {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (own, d, h) = (lane.elements(w.out), w.inputs[0].width, w.out.width);
        let (n, g) = (own.count(), C::GATES * h);
        let [input, recurrent] = [0, 1].map(|i| &lane.values[w.parameters[i].value.clone()]);
        let (bias, cell_bias) = self.biases(lane.values, h);
        let places = [lane.range(w.inputs[0]), lane.range(w.out), lane.range(w.saved), lane.range(w.scratch[0])];
        let [x, y, saved, scratch] = disjoint(lane.arena, places);
        let (products, scratch) = scratch.split_at_mut(n * g);
        let (carried, scratch) = scratch.split_at_mut(n * h);
        let (hidden, scratch) = scratch.split_at_mut(n * h);
        let kept = if w.saved.width > 0 { saved } else { scratch };
        let (gates, kept) = kept.split_at_mut(n * g);
        product::forward(x, input, Some(bias), gates, d, g);

        let (mut running, mut step) = (own.longest.as_slice(), 0);
        carried[..running.len() * h].fill(0.0);
        hidden[..running.len() * h].fill(0.0);
        loop {
            while let Some((last, others)) = running.split_last()
                && length(own, *last) <= step
            {
                running = others;
            }
            if running.is_empty() {
                return;
            }
            let products = &mut products[..running.len() * g];
            match step {
                0 => products.fill(0.0),
                _ => product::forward(&hidden[..running.len() * h], recurrent, None, products, h, g),
            }
            vectorized(
                #[inline(always)]
                || {
                    let states = carried.chunks_exact_mut(h).zip(hidden.chunks_exact_mut(h));
                    for ((&sequence, products), (carried, hidden)) in
                        running.iter().zip(products.chunks_exact(g)).zip(states)
                    {
                        let e = self.at(own, sequence, step);
                        let kept = &mut kept[e * C::KEPT * h..(e + 1) * C::KEPT * h];
                        let state = State { carried, hidden };
                        self.cell.step(&mut gates[e * g..(e + 1) * g], products, cell_bias, kept, state);
                        y[e * h..(e + 1) * h].copy_from_slice(hidden);
                    }
                },
            );
            step += 1;
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        if w.copies == 0 {
            return;
        }
        let (own, d, h, copies) = (lane.elements(w.out), w.inputs[0].width, w.out.width, w.copies);
        let (n, g, sequences) = (own.count(), C::GATES * h, own.longest.len());
        let recurrent = lane.weight(&w.parameters[1], h, g);
        let places =
            [lane.range(w.out), lane.range(w.saved), lane.copies(w.cotangent, 0, copies), lane.range(w.scratch[1])];
        let start = places[3].start;
        let [y, saved, dy, scratch] = disjoint(lane.arena, places);
        let (gates, kept) = saved.split_at(n * g);
        // Cotangents of the gates of all elements; those of a step, side by side; what they make of the hidden states, of
        // the carried ones; and the hidden state before each element.
        let (all, scratch) = scratch.split_at_mut(copies * n * g);
        let (products, scratch) = scratch.split_at_mut(copies * n * g);
        let (hidden, scratch) = scratch.split_at_mut(copies * n * h);
        let (carried, scratch) = scratch.split_at_mut(copies * n * h);
        let (own_hidden, before) = scratch.split_at_mut(copies * n * h);
        let own_hidden = &mut own_hidden[..h.min(copies * n * h)];
        carried[..copies * sequences * h].fill(0.0);
        for &sequence in &own.longest {
            for step in 0..length(own, sequence) {
                let e = self.at(own, sequence, step);
                let into = &mut before[e * h..(e + 1) * h];
                match self.before(e, step) {
                    Some(b) => into.copy_from_slice(&y[b * h..(b + 1) * h]),
                    None => into.fill(0.0),
                }
            }
        }
        let longest = own.longest.first().map_or(0, |&first| length(own, first));
        let (mut running, mut later) = (0, 0);
        for step in (0..longest).rev() {
            while running < sequences && length(own, own.longest[running]) > step {
                running += 1;
            }
            vectorized(
                #[inline(always)]
                || {
                    for copy in 0..copies {
                        for (s, &sequence) in own.longest[..running].iter().enumerate() {
                            let e = self.at(own, sequence, step);
                            own_hidden.copy_from_slice(&dy[(copy * n + e) * h..][..h]);
                            if s < later {
                                let from = &hidden[(copy * later + s) * h..][..h];
                                own_hidden.iter_mut().zip(from).for_each(|(d, f)| *d += f);
                            }
                            let carried = &mut carried[(copy * sequences + s) * h..][..h];
                            if C::CARRIES_HIDDEN {
                                own_hidden.iter_mut().zip(&*carried).for_each(|(d, c)| *d += c);
                            }
                            let kept_at = |e: usize| &kept[e * C::KEPT * h..(e + 1) * C::KEPT * h];
                            let seen = Seen {
                                gates: &gates[e * g..(e + 1) * g],
                                kept: kept_at(e),
                                kept_before: self.before(e, step).map(kept_at),
                                hidden_before: &before[e * h..(e + 1) * h],
                            };
                            let input = &mut all[(copy * n + e) * g..][..g];
                            let products = &mut products[(copy * running + s) * g..][..g];
                            self.cell.pull(seen, own_hidden, carried, input, products);
                        }
                    }
                },
            );
            if step > 0 {
                let rows = copies * running;
                product::input_gradient(&products[..rows * g], recurrent, &mut hidden[..rows * h], false);
            }
            later = running;
        }

        // `dW = x^T dgates`, `db = sum dgates`, `dx = dgates W^T`, then `dU = h'^T dgates`.
        let all = start..start + copies * n * g;
        let before = {
            let end = lane.range(w.scratch[1]).end;
            end - n * h..end
        };
        self.flow_on(lane, all.clone(), d);
        for wire in [1, 2] {
            let wire = &w.parameters[wire];
            for run in wire.runs.iter().filter(|run| !run.accumulate) {
                (0..run.len).for_each(|c| lane.gradient[wire.copy(run.to + c)].fill(0.0));
            }
        }
        for copy in 0..copies {
            let dgates = all.start + copy * n * g..all.start + (copy + 1) * n * g;
            let places = [dgates, lane.range(w.saved), before.clone()];
            let [dgates, saved, before] = disjoint(lane.arena, places);
            let mut sums = |part: std::ops::Range<usize>, dgates: &[f32]| {
                for (run, c) in w.parameters[2].of(copy) {
                    let gradient = &mut lane.gradient[w.parameters[2].copy(run.to + c)];
                    vectorized(
                        #[inline(always)]
                        || {
                            dgates.chunks_exact(g).for_each(|d| {
                                gradient[part.clone()].iter_mut().zip(&d[g - part.len()..]).for_each(|(s, d)| *s += d);
                            });
                        },
                    );
                }
            };
            sums(0..g, dgates);
            self.cell.to_recurrent(h, &saved[..n * g], dgates);
            if g < 4 * h {
                sums(g..4 * h, dgates);
            }
            for (run, c) in w.parameters[1].of(copy) {
                let gradient = &mut lane.gradient[w.parameters[1].copy(run.to + c)];
                product::weight_gradient(before, dgates, gradient, h, g, true);
            }
        }
    }
}

impl<C: Cell> Recurrent<C> {
    /// The cotangents of all gates turned into the input weight's gradient and the input's cotangent.
    fn flow_on(&self, lane: &mut Lane<'_>, all: std::ops::Range<usize>, d: usize) {
        let w = &self.wiring;
        let (g, one) = (C::GATES * w.out.width, all.len() / w.copies);
        for copy in 0..w.copies {
            for (run, c) in w.parameters[0].of(copy) {
                let x = &lane.arena[lane.range(w.inputs[0])];
                let dgates = &lane.arena[all.start + copy * one..][..one];
                let gradient = &mut lane.gradient[w.parameters[0].copy(run.to + c)];
                product::weight_gradient(x, dgates, gradient, d, g, run.accumulate);
            }
        }
        let Some(flow) = &w.flows[0] else { return };
        let weight = lane.weight(&w.parameters[0], d, g);
        for run in &flow.runs {
            let from = all.start + run.from * one..all.start + (run.from + run.len) * one;
            let [from, into] = disjoint(lane.arena, [from, lane.copies(flow.into, run.to, run.len)]);
            product::input_gradient(from, weight, into, run.accumulate);
        }
    }
}
