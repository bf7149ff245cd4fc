//! The elements of each parent as one.

use super::math::exp;
use super::{Kernel, Lane, disjoint, for_each_copy, parents, read_write, vectorized};
use crate::wiring::{Flow, Wiring};
use polytask_graph::Reduction as Kind;

pub(super) struct Reduce {
    pub kind: Kind,
    pub wiring: Wiring,
}

impl Kernel for Reduce {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        if self.kind == Kind::Attention {
            return self.attend(lane);
        }
        let width = w.out.width;
        let elements = parents(&lane.elements(w.inputs[0]).offsets);
        let (x, y) = read_write(lane.arena, lane.range(w.inputs[0]), lane.range(w.out));
        for (own, y) in elements.zip(y.chunks_exact_mut(width)) {
            let count = own.len();
            let mut own = x[own.start * width..own.end * width].chunks_exact(width);
            // The first one stands for itself, so that a maximum below zero is one.
            match own.next() {
                Some(first) => y.copy_from_slice(first),
                None => y.fill(0.0),
            }
            vectorized(
                #[inline(always)]
                || match self.kind {
                    Kind::Max => own.for_each(|x| y.iter_mut().zip(x).for_each(|(y, x)| *y = y.max(*x))),
                    Kind::Sum | Kind::Mean | Kind::Attention => {
                        own.for_each(|x| y.iter_mut().zip(x).for_each(|(y, x)| *y += x));
                    }
                },
            );
            if self.kind == Kind::Mean && count > 0 {
                y.iter_mut().for_each(|y| *y /= count as f32);
            }
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        if self.kind == Kind::Attention {
            return self.pull_back(lane);
        }
        let Some(flow) = &w.flows[0] else { return };
        let width = w.out.width;
        if self.kind == Kind::Max {
            return self.to_largest(lane, flow);
        }
        let offsets = lane.elements(w.inputs[0]).offsets.as_slice();
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
            for (own, from) in parents(offsets).zip(from.chunks_exact(width)) {
                let share = if self.kind == Kind::Mean { 1.0 / own.len() as f32 } else { 1.0 };
                for into in into[own.start * width..own.end * width].chunks_exact_mut(width) {
                    for (into, from) in into.iter_mut().zip(from) {
                        *into = if accumulate { *into } else { 0.0 } + share * from;
                    }
                }
            }
        });
    }
}

impl Reduce {
    /// The cotangent of a maximum goes to the first element that has it.
    fn to_largest(&self, lane: &mut Lane<'_>, flow: &Flow) {
        let (w, width) = (&self.wiring, self.wiring.out.width);
        let elements = lane.elements(w.inputs[0]);
        for run in &flow.runs {
            for c in 0..run.len {
                let (from, into) = (lane.copies(w.cotangent, run.from + c, 1), lane.copies(flow.into, run.to + c, 1));
                let places = [lane.range(w.inputs[0]), lane.range(w.out), from, into];
                let [x, y, from, into] = disjoint(lane.arena, places);
                if !run.accumulate {
                    into.fill(0.0);
                }
                for (parent, own) in parents(&elements.offsets).enumerate() {
                    for j in 0..width {
                        let at = parent * width + j;
                        if let Some(first) = own.clone().find(|e| x[e * width + j] == y[at]) {
                            into[first * width + j] += from[at];
                        }
                    }
                }
            }
        }
    }

    /// `y = sum over elements e of p_e x_e`, `p = softmax(s)`.
    fn attend(&self, lane: &mut Lane<'_>) {
        let (w, width) = (&self.wiring, self.wiring.out.width);
        let heads = w.inputs[1].width;
        let elements = lane.elements(w.inputs[0]);
        let places = [lane.range(w.inputs[0]), lane.range(w.inputs[1]), lane.range(w.out)];
        let [x, scores, y] = disjoint(lane.arena, places);
        y.fill(0.0);
        for (own, y) in parents(&elements.offsets).zip(y.chunks_exact_mut(width)) {
            for head in 0..heads {
                let softmax = Softmax::new(own.clone().map(|e| scores[e * heads + head]));
                let features = share(head, heads, width);
                for e in own.clone() {
                    let p = softmax.of(scores[e * heads + head]);
                    let x = &x[e * width..][features.clone()];
                    y[features.clone()].iter_mut().zip(x).for_each(|(y, x)| *y += p * x);
                }
            }
        }
    }

    /// `dx_e = p_e dy`; `ds_e = p_e (dy . x_e - dy . y)`.
    fn pull_back(&self, lane: &mut Lane<'_>) {
        let (w, width) = (&self.wiring, self.wiring.out.width);
        let heads = w.inputs[1].width;
        let elements = lane.elements(w.inputs[0]);
        for (input, flow) in w.flows.iter().enumerate() {
            let Some(flow) = flow else { continue };
            for run in &flow.runs {
                for c in 0..run.len {
                    let (dy, into) = (lane.copies(w.cotangent, run.from + c, 1), lane.copies(flow.into, run.to + c, 1));
                    let places = [lane.range(w.inputs[0]), lane.range(w.inputs[1]), lane.range(w.out), dy, into];
                    let [x, scores, y, dy, into] = disjoint(lane.arena, places);
                    if !run.accumulate {
                        into.fill(0.0);
                    }
                    for (parent, own) in parents(&elements.offsets).enumerate() {
                        for head in 0..heads {
                            let features = share(head, heads, width);
                            let (y, dy) =
                                (&y[parent * width..][features.clone()], &dy[parent * width..][features.clone()]);
                            let along = dot(y, dy);
                            let softmax = Softmax::new(own.clone().map(|e| scores[e * heads + head]));
                            for e in own.clone() {
                                let p = softmax.of(scores[e * heads + head]);
                                let at = e * width + features.start..e * width + features.end;
                                match input {
                                    0 => into[at].iter_mut().zip(dy).for_each(|(i, dy)| *i += p * dy),
                                    _ => into[e * heads + head] += p * (dot(dy, &x[at]) - along),
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The features that a head weighs.
fn share(head: usize, heads: usize, width: usize) -> std::ops::Range<usize> {
    head * (width / heads)..(head + 1) * (width / heads)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `exp(s - max) / sum over all of exp(s - max)`
struct Softmax {
    max: f32,
    sum: f32,
}

impl Softmax {
    fn new(scores: impl Iterator<Item = f32> + Clone) -> Self {
        let max = scores.clone().fold(f32::NEG_INFINITY, f32::max);
        Softmax { max, sum: scores.map(|s| exp(s - max)).sum() }
    }

    fn of(&self, score: f32) -> f32 {
        exp(score - self.max) / self.sum
    }
}
