//! Linear-chain conditional random fields over BIO tags, by the forward and the backward algorithm.
//!
//! Probabilities are scaled at every token rather than kept as logarithms, so that a step is a product of a vector with the
//! matrix of the transitions' exponentials.

use super::loss::{LossKernel, Read};
use super::math::exp;
use super::{Lane, dot, parents, read_write, vectorized};
use crate::wiring::ParameterWire;
use polytask_exec::{Labels, Target};
use std::cell::RefCell;
use std::ops::Range;

pub(super) struct Crf {
    /// `[tags]` on the elements of sequences.
    pub prediction: Read,
    /// `(tags + 1) x tags`
    pub transitions: ParameterWire,
}

/// Scores this far below a token's best count as if they were here: their exponential would be nothing.
const FLOOR: f32 = -60.0;
/// Shares of a token's probability that are too small to go on with.
const TINY: f32 = 1e-12;

/// What the algorithms work with; it grows to the longest sequence met by a thread.
#[derive(Default)]
struct Scratch {
    /// Exponentials of the transitions less their largest, 0 where a tag may not follow: `(tags + 1) x tags`.
    steps: Vec<f32>,
    /// By token and tag: the exponential of the score less the token's largest.
    scores: Vec<f32>,
    /// By token and tag, the probability of the tag given the tokens up to it, their scores scaled.
    alpha: Vec<f32>,
    /// By token, what the probabilities were divided by.
    norms: Vec<f32>,
    /// Of a token.
    beta: Vec<f32>,
    /// Of the token after it: `scores * beta / norm`.
    next: Vec<f32>,
    /// The weighted probabilities of the first tags.
    first: Vec<f32>,
    /// `sum over tokens of alpha next'`, the expected transitions but for the factor `steps`.
    pairs: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Crf {
    /// The elements of each sequence that counts, and its weight.
    fn sequences<'a>(
        &self,
        lane: &Lane<'a>,
        target: &Target<'a>,
    ) -> impl Iterator<Item = (Range<usize>, f32)> + use<'a> {
        let (elements, weights) = (lane.elements(self.prediction.slot), target.weights);
        parents(&elements.offsets).filter_map(move |own| {
            let mut all = elements.sources[own.clone()].iter().map(|at| weights[*at as usize]);
            let first = all.clone().next()?;
            all.all(|weight| weight != 0.0).then_some((own, first))
        })
    }

    /// The tags of some elements.
    fn tags<'a>(
        &self,
        lane: &Lane<'a>,
        target: &Target<'a>,
        own: &Range<usize>,
    ) -> impl Iterator<Item = usize> + use<'a> {
        let Labels::Class(tags) = target.labels else { unreachable!("the runner has checked the kinds of its labels") };
        lane.elements(self.prediction.slot).sources[own.clone()].iter().map(|at| tags[*at as usize] as usize)
    }

    fn transitions<'a>(&self, lane: &Lane<'a>) -> &'a [f32] {
        &lane.values[self.transitions.value.clone()]
    }
}

/// Whether a tag goes on with a span.
fn goes_on(tag: usize) -> bool {
    tag != 0 && tag.is_multiple_of(2)
}

impl Scratch {
    /// Takes over the transitions; gives the largest.
    fn begin(&mut self, transitions: &[f32], tags: usize) -> f32 {
        let largest = transitions.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        self.steps.clear();
        self.steps.extend(transitions.iter().enumerate().map(|(i, score)| {
            // Row 0 is the start, row 1 + b what follows tag b.
            let (before, after) = ((i / tags).checked_sub(1), i % tags);
            let follows = !goes_on(after) || before.is_some_and(|before| before == after || before + 1 == after);
            if follows { exp(score - largest) } else { 0.0 }
        }));
        self.pairs.clear();
        self.pairs.resize(tags * tags, 0.0);
        largest
    }

    /// The forward algorithm over the scores `tokens x tags`: the logarithm of the sum over all sequences.
    fn forward(&mut self, z: &[f32], tags: usize, largest: f32) -> f64 {
        let Scratch { steps, scores, alpha, norms, .. } = self;
        scores.clear();
        alpha.clear();
        norms.clear();
        alpha.resize(z.len(), 0.0);
        let mut total = 0.0;
        for (t, z) in z.chunks_exact(tags).enumerate() {
            let best = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            scores.extend(z.iter().map(|z| exp((z - best).max(FLOOR))));
            let (before, own) = alpha.split_at_mut(t * tags);
            let (own, scores) = (&mut own[..tags], &scores[t * tags..]);
            match t.checked_sub(1) {
                None => own.copy_from_slice(&steps[..tags]),
                Some(last) => {
                    let before = before[last * tags..].iter().zip(steps[tags..].chunks_exact(tags));
                    vectorized(
                        #[inline(always)]
                        || {
                            for (&share, steps) in before.filter(|(share, _)| **share > TINY) {
                                own.iter_mut().zip(steps).for_each(|(own, step)| *own += share * step);
                            }
                        },
                    );
                }
            }
            own.iter_mut().zip(scores).for_each(|(own, score)| *own *= score);
            let norm: f32 = own.iter().sum();
            own.iter_mut().for_each(|own| *own /= norm);
            norms.push(norm);
            total += f64::from(norm).ln() + f64::from(best) + f64::from(largest);
        }
        total
    }

    /// The backward algorithm: writes the probability of every tag of every token, `tokens x tags`, through
    /// `each(token, tag probabilities)` from the last token on, and adds the expected transitions.
    fn backward(&mut self, tags: usize, weight: f32, mut each: impl FnMut(usize, &[f32])) {
        let Scratch { steps, scores, alpha, norms, beta, next, pairs, .. } = self;
        beta.clear();
        beta.resize(tags, 1.0);
        next.resize(tags, 0.0);
        for t in (0..norms.len()).rev() {
            let own = t * tags..(t + 1) * tags;
            // The scaled probability of the tag with all tokens; `next` is free until the token before needs it.
            next.iter_mut().zip(&alpha[own.clone()]).zip(&*beta).for_each(|((p, a), b)| *p = a * b);
            each(t, next);
            let Some(before) = t.checked_sub(1) else { return };
            let all = scores[own].iter().zip(&*beta);
            next.iter_mut().zip(all).for_each(|(next, (score, beta))| *next = score * beta / norms[t]);
            let rows = steps[tags..].chunks_exact(tags).zip(pairs.chunks_exact_mut(tags));
            let shares = &alpha[before * tags..][..tags];
            vectorized(
                #[inline(always)]
                || {
                    for ((beta, share), (steps, pairs)) in beta.iter_mut().zip(shares).zip(rows) {
                        *beta = dot(steps, next);
                        if *share > TINY {
                            let by = weight * share;
                            pairs.iter_mut().zip(&*next).for_each(|(pair, next)| *pair += by * next);
                        }
                    }
                },
            );
        }
    }
}

impl LossKernel for Crf {
    fn forward(&self, lane: &Lane<'_>, target: &Target<'_>) -> f64 {
        let (slot, transitions) = (self.prediction.slot, self.transitions(lane));
        let (tags, z) = (slot.width, &lane.arena[lane.range(slot)]);
        SCRATCH.with_borrow_mut(|scratch| {
            let largest = scratch.begin(transitions, tags);
            let of = |(own, weight): (Range<usize>, f32)| {
                let all = scratch.forward(&z[own.start * tags..own.end * tags], tags, largest);
                let (mut score, mut row) = (0.0, 0);
                for (token, tag) in own.clone().zip(self.tags(lane, target, &own)) {
                    score += f64::from(z[token * tags + tag]) + f64::from(transitions[row * tags + tag]);
                    row = 1 + tag;
                }
                f64::from(weight) * (all - score)
            };
            self.sequences(lane, target).map(of).sum()
        })
    }

    /// `dz = P(tag) - 1 at the label`, and the same of the transitions.
    fn backward(&self, lane: &mut Lane<'_>, target: &Target<'_>, scale: f64) {
        let (slot, transitions) = (self.prediction.slot, self.transitions(lane));
        let tags = slot.width;
        let copy = self.transitions.runs.first().map(|run| (self.transitions.copy(run.to), run.accumulate));
        if let Some((gradient, false)) = &copy {
            lane.gradient[gradient.clone()].fill(0.0);
        }
        let into = self.prediction.flow.iter().flat_map(|flow| flow.runs.iter().map(move |run| (flow.into, run)));
        let into = into.map(|(slot, run)| (lane.copies(slot, run.to, 1), run.accumulate)).next();
        let Some((into, accumulate)) = into else { return };
        if !accumulate {
            lane.arena[into.clone()].fill(0.0);
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let largest = scratch.begin(transitions, tags);
            let mut start = std::mem::take(&mut scratch.first);
            start.clear();
            start.resize(tags, 0.0);
            for (own, weight) in self.sequences(lane, target) {
                let (weight, labels) = ((scale * f64::from(weight)) as f32, self.tags(lane, target, &own));
                let (z, dz) = read_write(lane.arena, lane.range(slot), into.clone());
                scratch.forward(&z[own.start * tags..own.end * tags], tags, largest);
                let dz = &mut dz[own.start * tags..own.end * tags];
                scratch.backward(tags, weight, |token, shares| {
                    let dz = &mut dz[token * tags..][..tags];
                    dz.iter_mut().zip(shares).for_each(|(dz, share)| *dz += weight * share);
                    if token == 0 {
                        start.iter_mut().zip(shares).for_each(|(start, share)| *start += weight * share);
                    }
                });
                let mut row = 0;
                for (dz, tag) in dz.chunks_exact_mut(tags).zip(labels) {
                    dz[tag] -= weight;
                    if let Some((gradient, _)) = &copy {
                        lane.gradient[gradient.start + row * tags + tag] -= weight;
                    }
                    row = 1 + tag;
                }
            }
            if let Some((gradient, _)) = &copy {
                let gradient = &mut lane.gradient[gradient.clone()];
                let (first, rest) = gradient.split_at_mut(tags);
                first.iter_mut().zip(&start).for_each(|(g, share)| *g += share);
                let expected = scratch.pairs.iter().zip(&scratch.steps[tags..]);
                rest.iter_mut().zip(expected).for_each(|(g, (pair, step))| *g += pair * step);
            }
            scratch.first = start;
        });
    }
}
