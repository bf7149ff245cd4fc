//! Terms that depend on parameters alone: their gradient, worked out once a step before any parameter moves.

use crate::kernels::{dot, vectorized};
use crate::piece::PIECE;
use polytask_graph::{Graph, ParameterId, Penalty, PenaltyKind};
use polytask_math::algebra::{Matrix, eigen};
use rayon::prelude::*;
use std::ops::Range;

/// Added to the squares of singular values, whose root has no slope at 0 otherwise.
const SMOOTH: f64 = 1e-6;

/// The penalties of a graph.
pub(crate) struct Penalties {
    terms: Vec<Term>,
    /// By parameter: where its part of `gradient` begins.
    places: Vec<Option<usize>>,
    /// Of those parameters that a penalty measures.
    gradient: Vec<f32>,
    value: f64,
}

struct Term {
    penalty: Penalty,
    /// In the flat values, and in the gradient.
    copies: Vec<(Range<usize>, usize)>,
    /// Of a matrix.
    columns: usize,
    /// As long as a parameter, or as a matrix's columns squared.
    scratch: Vec<f32>,
}

impl Penalties {
    /// `ranges` are the parameters' places in the flat values.
    pub(crate) fn new(graph: &Graph, range: impl Fn(ParameterId) -> Range<usize>) -> Self {
        let mut places = vec![None; graph.parameters().len()];
        let mut len = 0;
        let terms = graph.penalties().iter().map(|penalty| {
            let copies = penalty.parameters.iter().map(|&p| {
                let own = range(p);
                let place = *places[p.0].get_or_insert_with(|| {
                    len += own.len();
                    len - own.len()
                });
                (own, place)
            });
            let copies: Vec<_> = copies.collect();
            let dims = penalty.parameters.first().map_or(&[][..], |p| &graph.parameter(*p).dims);
            let columns = dims.last().copied().unwrap_or(0);
            let scratch = match penalty.kind {
                PenaltyKind::Mean => dims.iter().product(),
                PenaltyKind::Orthogonal { .. } => columns * columns,
                PenaltyKind::Edges(_) | PenaltyKind::TraceNorm => 0,
            };
            Term { penalty: penalty.clone(), copies, columns, scratch: vec![0.0; scratch] }
        });
        let terms = terms.collect();
        Penalties { terms, places, gradient: vec![0.0; len], value: 0.0 }
    }

    /// Works value and gradient out at these parameters.
    pub(crate) fn refresh(&mut self, values: &[f32]) {
        self.gradient.fill(0.0);
        self.value = self.terms.iter_mut().map(|term| term.add(values, &mut self.gradient)).sum();
    }

    /// What all terms came to.
    pub(crate) fn value(&self) -> f64 {
        self.value
    }

    /// The gradient of a parameter that a penalty measures.
    pub(crate) fn of(&self, parameter: ParameterId, part: Range<usize>) -> Option<&[f32]> {
        let start = self.places[parameter.0]?;
        Some(&self.gradient[start + part.start..start + part.end])
    }
}

impl Term {
    /// Adds the gradient; gives the value.
    fn add(&mut self, values: &[f32], gradient: &mut [f32]) -> f64 {
        let Term { penalty, copies, columns, scratch } = self;
        let strength = penalty.strength;
        let value: f64 = match &penalty.kind {
            PenaltyKind::Mean => {
                let share = 1.0 / copies.len() as f32;
                scratch.fill(0.0);
                for (own, _) in &*copies {
                    scratch.iter_mut().zip(&values[own.clone()]).for_each(|(m, w)| *m += share * w);
                }
                copies.iter().map(|copy| pull(copy, scratch, strength, values, gradient)).sum()
            }
            PenaltyKind::Edges(edges) => {
                let pair = |edge: &polytask_graph::Edge| {
                    let (a, b) = (&copies[edge.a], &copies[edge.b]);
                    let by = strength * edge.weight;
                    pull(b, &values[a.0.clone()], by, values, gradient);
                    pull(a, &values[b.0.clone()], by, values, gradient) * f64::from(edge.weight)
                };
                edges.iter().map(pair).sum()
            }
            PenaltyKind::TraceNorm => trace_norm(copies, strength, values, gradient),
            PenaltyKind::Orthogonal { groups } => {
                let each = |(own, place): &(Range<usize>, usize)| {
                    let into = &mut gradient[*place..*place + own.len()];
                    orthogonal(&values[own.clone()], *columns, *groups, strength, scratch, into)
                };
                copies.iter().map(each).sum()
            }
        };
        f64::from(strength) * value
    }
}

/// Adds the gradient of `by * ||w - center||^2`; gives the square.
fn pull(copy: &(Range<usize>, usize), center: &[f32], by: f32, values: &[f32], gradient: &mut [f32]) -> f64 {
    let (own, place) = copy;
    in_parts(&mut gradient[*place..*place + own.len()], |part, into| {
        let (w, center) = (&values[own.start + part.start..own.start + part.end], &center[part]);
        let mut sum = 0.0;
        for ((g, w), c) in into.iter_mut().zip(w).zip(center) {
            let d = w - c;
            *g += 2.0 * by * d;
            sum += f64::from(d) * f64::from(d);
        }
        sum
    })
}

/// Runs over parts of a slice side by side, and sums what they give in their order.
fn in_parts(all: &mut [f32], each: impl Fn(Range<usize>, &mut [f32]) -> f64 + Sync) -> f64 {
    let len = all.len();
    if len <= PIECE {
        return each(0..len, all);
    }
    let part = |i: usize| i * PIECE..((i + 1) * PIECE).min(len);
    // Collected first, so that the order of the sum does not depend on the threads.
    let sums: Vec<f64> = all.par_chunks_mut(PIECE).enumerate().map(|(i, into)| each(part(i), into)).collect();
    sums.iter().sum()
}

/// With `G = W W^T` over the flattened parameters as rows of `W`, the smoothed sum of singular values is
/// `tr (G + e)^(1/2)` and its gradient `(G + e)^(-1/2) W`.
fn trace_norm(copies: &[(Range<usize>, usize)], strength: f32, values: &[f32], gradient: &mut [f32]) -> f64 {
    let n = copies.len();
    let mut gramian = Matrix::zeros(n, n);
    for i in 0..n {
        for j in 0..=i {
            let (a, b) = (&values[copies[i].0.clone()], &values[copies[j].0.clone()]);
            let parts = a.chunks(1024).zip(b.chunks(1024));
            let product: f64 = parts
                .map(|(a, b)| {
                    f64::from(vectorized(
                        #[inline(always)]
                        || dot(a, b),
                    ))
                })
                .sum();
            *gramian.get_mut(i, j) = product;
            *gramian.get_mut(j, i) = product;
        }
    }
    let (roots, vectors) = eigen(&gramian);
    let roots: Vec<f64> = roots.iter().map(|v| (v.max(0.0) + SMOOTH).sqrt()).collect();
    for (t, (own, place)) in copies.iter().enumerate() {
        let factors = (0..n).map(|s| {
            let along = |k: usize| vectors.get(t, k) * vectors.get(s, k) / roots[k];
            (0..n).map(along).sum::<f64>() as f32 * strength
        });
        let factors: Vec<f32> = factors.collect();
        in_parts(&mut gradient[*place..*place + own.len()], |part, into| {
            for (factor, (other, _)) in factors.iter().zip(copies) {
                let w = &values[other.start + part.start..other.start + part.end];
                into.iter_mut().zip(w).for_each(|(g, w)| *g += factor * w);
            }
            0.0
        });
    }
    roots.iter().sum()
}

/// `f = sum_{g < h} ||W_g^T W_h||^2 = ||S||^2 / 2` with `S` = `W^T W` where row and column are of different groups and 0
/// elsewhere; the gradient is `2 W S`.
fn orthogonal(w: &[f32], columns: usize, groups: usize, strength: f32, s: &mut [f32], into: &mut [f32]) -> f64 {
    let each = columns / groups;
    s.fill(0.0);
    vectorized(
        #[inline(always)]
        || {
            for row in w.chunks_exact(columns) {
                for (a, s) in row.iter().zip(s.chunks_exact_mut(columns)) {
                    s.iter_mut().zip(row).for_each(|(s, b)| *s += a * b);
                }
            }
        },
    );
    for (i, s) in s.chunks_exact_mut(columns).enumerate() {
        let own = i / each * each;
        s[own..own + each].fill(0.0);
    }
    let by = 2.0 * strength;
    vectorized(
        #[inline(always)]
        || {
            for (row, into) in w.chunks_exact(columns).zip(into.chunks_exact_mut(columns)) {
                for (a, s) in row.iter().zip(s.chunks_exact(columns)) {
                    into.iter_mut().zip(s).for_each(|(g, s)| *g += by * a * s);
                }
            }
        },
    );
    0.5 * s.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>()
}
