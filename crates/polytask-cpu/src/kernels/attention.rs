//! Attention within each sequence. Weights are worked out for a few queries at a time and never kept: the backward pass
//! finds them again from the logarithm of each query's sum (Dao et al. 2022).

use super::math::exp;
use super::matmul::{Matrix, matmul};
use super::{Kernel, Lane, disjoint, dot, largest, parents, sum_of, vectorized};
use crate::wiring::Wiring;
use std::ops::Range;

pub(super) struct Attention {
    pub heads: usize,
    /// How far from an element those may be that it sees.
    pub window: Option<usize>,
    /// Kept an element: for each head `ln sum_j exp(s_j)`.
    pub wiring: Wiring,
}

/// Queries that are worked on together.
const QUERIES: usize = 32;

/// Scalars an element that are kept for the backward pass.
pub(super) fn kept_width(heads: usize) -> usize {
    heads
}

/// Scalars an element to work with: keys turned over, and the weights of some queries; values turned over, and the weights'
/// cotangents.
pub(super) fn scratch_widths(d: usize) -> [usize; 2] {
    [d + QUERIES, 2 * (d + QUERIES)]
}

impl Attention {
    /// Features of a head.
    fn size(&self) -> usize {
        self.wiring.out.width / self.heads
    }

    /// The elements of the sequence `own` that at least one of some queries of it sees.
    fn seen(&self, own: &Range<usize>, queries: &Range<usize>) -> Range<usize> {
        match self.window {
            None => own.clone(),
            Some(far) => queries.start.saturating_sub(far).max(own.start)..queries.end.saturating_add(far).min(own.end),
        }
    }

    /// Those among `seen` that one query sees, counted from the first of them.
    fn near(&self, seen: &Range<usize>, query: usize) -> Range<usize> {
        match self.window {
            None => 0..seen.len(),
            Some(far) => {
                let (from, to) =
                    (query.saturating_sub(far).max(seen.start), query.saturating_add(far + 1).min(seen.end));
                from - seen.start..to - seen.start
            }
        }
    }

    /// `q . k` for some queries of a head and the elements that they see, of the keys of the sequence `own`.
    fn scores(
        &self,
        qkv: &[f32],
        queries: Range<usize>,
        keys: &[f32],
        head: usize,
        [own, seen]: [&Range<usize>; 2],
        s: &mut [f32],
    ) {
        let (d, e) = (self.wiring.out.width, self.size());
        let q = Matrix::strided(&qkv[queries.start * 3 * d + head * e..], queries.len(), e, 3 * d);
        matmul(q, turned(keys, head * e, e, own, seen), s, seen.len(), false);
    }
}

/// Features `first..first + d` of a sequence's rows of `width`, turned over: `d x n`.
fn turn(rows: &[f32], width: usize, first: usize, d: usize, into: &mut [f32]) {
    let n = rows.len() / width;
    for (i, row) in rows.chunks_exact(width).enumerate() {
        for (j, v) in row[first..first + d].iter().enumerate() {
            into[j * n + i] = *v;
        }
    }
}

/// Of `keys` or values of a sequence that are turned over, the features `first..first + e` of the elements `seen`.
fn turned<'a>(keys: &'a [f32], first: usize, e: usize, own: &Range<usize>, seen: &Range<usize>) -> Matrix<'a> {
    let n = own.len();
    Matrix::strided(&keys[first * n + seen.start - own.start..(first + e) * n], e, seen.len(), n)
}

/// Some queries of a sequence at a time.
fn blocks(own: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    own.clone().step_by(QUERIES).map(move |start| start..(start + QUERIES).min(own.end))
}

impl Kernel for Attention {
    /// `y = sum_j softmax(s)_j v_j`
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (d, e, heads, sequences) = (w.out.width, self.size(), self.heads, lane.elements(w.out));
        let scale = 1.0 / (e as f32).sqrt();
        let places = [lane.range(w.inputs[0]), lane.range(w.out), lane.range(w.saved), lane.range(w.scratch[0])];
        let [qkv, y, sums, scratch] = disjoint(lane.arena, places);
        let (keys, weights) = scratch.split_at_mut(sequences.count() * d);
        for own in parents(&sequences.offsets) {
            turn(&qkv[own.start * 3 * d..own.end * 3 * d], 3 * d, d, d, keys);
            for (head, queries) in (0..heads).flat_map(|head| blocks(own.clone()).map(move |queries| (head, queries))) {
                let seen = self.seen(&own, &queries);
                let n = seen.len();
                let p = &mut weights[..queries.len() * n];
                self.scores(qkv, queries.clone(), keys, head, [&own, &seen], p);
                vectorized(
                    #[inline(always)]
                    || {
                        for (query, p) in queries.clone().zip(p.chunks_exact_mut(n)) {
                            let near = self.near(&seen, query);
                            p[..near.start].fill(0.0);
                            p[near.end..].fill(0.0);
                            let sum = softmax(&mut p[near], scale);
                            if let Some(kept) = sums.get_mut(query * heads + head) {
                                *kept = sum;
                            }
                        }
                    },
                );
                let values = Matrix::strided(&qkv[seen.start * 3 * d + 2 * d + head * e..], n, e, 3 * d);
                matmul(Matrix::new(p, queries.len(), n), values, &mut y[queries.start * d + head * e..], d, false);
            }
        }
    }

    /// `dv_j = sum_i p_ij dy_i`; `ds_ij = p_ij (dy_i . v_j - dy_i . y_i) / sqrt(e)`; `dq_i = sum_j ds_ij k_j`;
    /// `dk_j = sum_i ds_ij q_i`.
    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let (d, e, heads, sequences) = (w.out.width, self.size(), self.heads, lane.elements(w.out));
        let (count, scale) = (sequences.count(), 1.0 / (e as f32).sqrt());
        let copies = flow.runs.iter().map(|run| run.to + run.len).max().unwrap_or(0);
        let places = [
            lane.range(w.inputs[0]),
            lane.range(w.out),
            lane.range(w.saved),
            lane.range(w.scratch[1]),
            lane.copies(w.cotangent, 0, w.copies),
            lane.copies(flow.into, 0, copies),
        ];
        let [qkv, y, sums, scratch, dy, dqkv] = disjoint(lane.arena, places);
        let (keys, scratch) = scratch.split_at_mut(count * d);
        let (values, scratch) = scratch.split_at_mut(count * d);
        let (weights, slopes) = scratch.split_at_mut(count * QUERIES);
        for run in flow.runs.iter().filter(|run| !run.accumulate) {
            dqkv[run.to * count * 3 * d..(run.to + run.len) * count * 3 * d].fill(0.0);
        }
        for own in parents(&sequences.offsets) {
            turn(&qkv[own.start * 3 * d..own.end * 3 * d], 3 * d, d, d, keys);
            turn(&qkv[own.start * 3 * d..own.end * 3 * d], 3 * d, 2 * d, d, values);
            for (head, queries) in (0..heads).flat_map(|head| blocks(own.clone()).map(move |queries| (head, queries))) {
                let seen = self.seen(&own, &queries);
                let n = seen.len();
                let (m, p) = (queries.len(), &mut weights[..queries.len() * n]);
                self.scores(qkv, queries.clone(), keys, head, [&own, &seen], p);
                vectorized(
                    #[inline(always)]
                    || {
                        for (query, p) in queries.clone().zip(p.chunks_exact_mut(n)) {
                            let (sum, near) = (sums[query * heads + head], self.near(&seen, query));
                            p[..near.start].fill(0.0);
                            p[near.end..].fill(0.0);
                            p[near].iter_mut().for_each(|p| *p = exp(*p * scale - sum));
                        }
                    },
                );
                let (p, ds) = (&*p, &mut slopes[..m * n]);
                // Where a head's part of a row begins.
                let at = |element: usize, part: usize| (element * 3 + part) * d + head * e;
                let strided = |part: usize, elements: &Range<usize>| {
                    Matrix::strided(&qkv[at(elements.start, part)..], elements.len(), e, 3 * d)
                };
                for (run, c) in flow.runs.iter().flat_map(|run| (0..run.len).map(move |c| (run, c))) {
                    let dy = &dy[(run.from + c) * count * d..][..count * d];
                    let dqkv = &mut dqkv[(run.to + c) * count * 3 * d..][..count * 3 * d];
                    let rows = Matrix::strided(&dy[queries.start * d + head * e..], m, e, d);
                    matmul(Matrix::new(p, m, n).t(), rows, &mut dqkv[at(seen.start, 2)..], 3 * d, true);
                    matmul(rows, turned(values, head * e, e, &own, &seen), ds, n, false);
                    vectorized(
                        #[inline(always)]
                        || {
                            for (query, (ds, p)) in queries.clone().zip(ds.chunks_exact_mut(n).zip(p.chunks_exact(n))) {
                                let part = query * d + head * e..query * d + (head + 1) * e;
                                let along = dot(&dy[part.clone()], &y[part]);
                                ds.iter_mut().zip(p).for_each(|(ds, p)| *ds = p * (*ds - along) * scale);
                            }
                        },
                    );
                    let ds = Matrix::new(ds, m, n);
                    matmul(ds, strided(1, &seen), &mut dqkv[at(queries.start, 0)..], 3 * d, true);
                    matmul(ds.t(), strided(0, &queries), &mut dqkv[at(seen.start, 1)..], 3 * d, true);
                }
            }
        }
    }
}

/// `s_j` becomes `exp(scale s_j) / sum_i exp(scale s_i)`; gives the logarithm of the sum.
#[inline(always)]
fn softmax(s: &mut [f32], scale: f32) -> f32 {
    let max = largest(s) * scale;
    s.iter_mut().for_each(|s| *s = exp(*s * scale - max));
    let sum = sum_of(s, |s| s);
    let each = 1.0 / sum;
    s.iter_mut().for_each(|s| *s *= each);
    max + sum.ln()
}
