//! `y = sum_i w_i x_i` with learnt weights.

use super::math::exp;
use super::noise::uniform;
use super::{Kernel, Lane, dot, read_write, vectorized};
use crate::wiring::{Run, Slot, Wiring};
use polytask_graph::Weighing;
use polytask_math::seed::mix;

pub(super) struct Blend {
    pub weighing: Weighing,
    pub node: u64,
    pub wiring: Wiring,
}

/// What the numbers of a softmax come to.
#[derive(Clone, Copy)]
struct Shares {
    max: f32,
    sum: f32,
    /// Divides the numbers.
    temperature: f32,
    /// Names the draws that are added to the numbers.
    noise: Option<u64>,
}

impl Shares {
    fn new(numbers: &[f32], temperature: f32, noise: Option<u64>) -> Self {
        let mut shares = Shares { max: f32::NEG_INFINITY, sum: 0.0, temperature, noise };
        let drawn = |shares: &Shares, i: usize| shares.drawn(numbers, i);
        shares.max = (0..numbers.len()).map(|i| drawn(&shares, i)).fold(f32::NEG_INFINITY, f32::max);
        shares.sum = (0..numbers.len()).map(|i| exp((drawn(&shares, i) - shares.max) / temperature)).sum();
        shares
    }

    /// A number with its draw from the Gumbel distribution: the largest falls on `i` with the probability that the
    /// softmax of the numbers gives it.
    fn drawn(&self, numbers: &[f32], i: usize) -> f32 {
        numbers[i] + self.noise.map_or(0.0, |noise| -(-uniform(noise, i as u64).ln()).ln())
    }

    fn of(&self, numbers: &[f32], i: usize) -> f32 {
        exp((self.drawn(numbers, i) - self.max) / self.temperature) / self.sum
    }

    /// The first of the largest.
    fn taken(&self, numbers: &[f32]) -> usize {
        (0..numbers.len()).find(|&i| self.drawn(numbers, i) == self.max).unwrap_or(0)
    }
}

impl Blend {
    fn shares(&self, lane: &Lane<'_>) -> Option<Shares> {
        let numbers = &lane.values[self.wiring.parameters[0].value.clone()];
        let noise = lane.noise.map(|noise| noise ^ mix(self.node));
        match self.weighing {
            Weighing::Free => None,
            Weighing::Softmax => Some(Shares::new(numbers, 1.0, None)),
            Weighing::Sampled => Some(Shares::new(numbers, lane.temperature, noise)),
        }
    }

    /// What input `i` is multiplied with: a number, or one a feature.
    fn weight<'a>(&self, values: &'a [f32], shares: Option<Shares>, i: usize) -> Weight<'a> {
        let numbers = &values[self.wiring.parameters[0].value.clone()];
        let each = numbers.len() / self.wiring.inputs.len();
        let shared = |of: &dyn Fn(Shares) -> f32| Weight::One(shares.map_or(numbers[i], of));
        match self.weighing {
            Weighing::Softmax => shared(&|shares| shares.of(numbers, i)),
            Weighing::Sampled => shared(&|shares| f32::from(u8::from(shares.taken(numbers) == i))),
            Weighing::Free if each == 1 => Weight::One(numbers[i]),
            Weighing::Free => Weight::Each(&numbers[i * each..(i + 1) * each]),
        }
    }

    /// `dw_i = sum over rows of dy x_i`; through a softmax `s` of the numbers at temperature T,
    /// `(s_i / T) (dw_i - sum_j s_j dw_j)`.
    fn weight_gradient(&self, lane: &mut Lane<'_>, shares: Option<Shares>, copy: usize, run: Run) {
        let w = &self.wiring;
        let wire = &w.parameters[0];
        let (dy, domains) = (lane.copies(w.cotangent, copy, 1), lane.domains);
        let gradient = &mut lane.gradient[wire.copy(run.to + copy - run.from)];
        if !run.accumulate {
            gradient.fill(0.0);
        }
        let (arena, numbers) = (&*lane.arena, &lane.values[wire.value.clone()]);
        let x = |slot: Slot| &arena[domains[slot.domain].range(slot)];
        let along = |i: usize| {
            vectorized(
                #[inline(always)]
                || dot(&arena[dy.clone()], x(w.inputs[i])),
            )
        };
        match shares {
            Some(shares) => {
                let mean: f32 = (0..numbers.len()).map(|i| shares.of(numbers, i) * along(i)).sum();
                for (i, gradient) in gradient.iter_mut().enumerate() {
                    *gradient += shares.of(numbers, i) * (along(i) - mean) / shares.temperature;
                }
            }
            None if gradient.len() == w.inputs.len() => {
                gradient.iter_mut().enumerate().for_each(|(i, gradient)| *gradient += along(i));
            }
            None => {
                let each = gradient.len() / w.inputs.len();
                for (gradient, input) in gradient.chunks_exact_mut(each).zip(&w.inputs) {
                    let pairs = arena[dy.clone()].chunks_exact(each).zip(x(*input).chunks_exact(each));
                    vectorized(
                        #[inline(always)]
                        || {
                            for (dy, x) in pairs {
                                gradient.iter_mut().zip(dy).zip(x).for_each(|((g, dy), x)| *g += dy * x);
                            }
                        },
                    );
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Weight<'a> {
    One(f32),
    Each(&'a [f32]),
}

impl Weight<'_> {
    /// `into = w * from`, or `into +=` that.
    fn put(self, from: &[f32], into: &mut [f32], accumulate: bool) {
        if !accumulate {
            into.fill(0.0);
        }
        vectorized(
            #[inline(always)]
            || match self {
                // What is not taken may hold anything.
                Weight::One(0.0) => {}
                Weight::One(w) => into.iter_mut().zip(from).for_each(|(i, f)| *i += w * f),
                Weight::Each(w) => {
                    for (from, into) in from.chunks_exact(w.len()).zip(into.chunks_exact_mut(w.len())) {
                        into.iter_mut().zip(from).zip(w).for_each(|((i, f), w)| *i += w * f);
                    }
                }
            },
        );
    }
}

impl Kernel for Blend {
    fn forward(&self, lane: &mut Lane<'_>) {
        let shares = self.shares(lane);
        for (i, input) in self.wiring.inputs.iter().enumerate() {
            let (x, y) = read_write(lane.arena, lane.range(*input), lane.range(self.wiring.out));
            self.weight(lane.values, shares, i).put(x, y, i > 0);
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let shares = self.shares(lane);
        for run in &w.parameters[0].runs {
            (run.from..run.from + run.len).for_each(|copy| self.weight_gradient(lane, shares, copy, *run));
        }
        for (i, flow) in w.flows.iter().enumerate() {
            let Some(flow) = flow else { continue };
            let weight = self.weight(lane.values, shares, i);
            for run in &flow.runs {
                let from = lane.copies(w.cotangent, run.from, run.len);
                let into = lane.copies(flow.into, run.to, run.len);
                let (from, into) = read_write(lane.arena, from, into);
                weight.put(from, into, run.accumulate);
            }
        }
    }
}
