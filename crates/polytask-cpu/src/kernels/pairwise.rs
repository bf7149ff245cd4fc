//! Scores of all pairs of a row's elements in two domains: `s_ij = a_i . b_j`, or `a_i . root` for the pair of an element
//! with itself.

use super::matmul::{Matrix, matmul};
use super::{Kernel, Lane, disjoint, dot, with_each_copy};
use crate::domains::Elements;
use crate::wiring::Wiring;
use std::ops::Range;

pub(super) struct Pairwise {
    pub root: bool,
    pub wiring: Wiring,
}

/// The elements of one row: on the left, on the right, and their pairs.
struct Row {
    left: Range<usize>,
    right: Range<usize>,
    pairs: Range<usize>,
}

impl Row {
    /// `m x d`
    fn left<'a>(&self, a: &'a [f32], d: usize) -> Matrix<'a> {
        Matrix::new(&a[self.left.start * d..self.left.end * d], self.left.len(), d)
    }

    /// `n x d`
    fn right<'a>(&self, b: &'a [f32], d: usize) -> Matrix<'a> {
        Matrix::new(&b[self.right.start * d..self.right.end * d], self.right.len(), d)
    }

    /// `m x n`
    fn pairs<'a>(&self, s: &'a [f32]) -> Matrix<'a> {
        Matrix::new(&s[self.pairs.clone()], self.left.len(), self.right.len())
    }

    /// Elements with the place of their pair with themselves.
    fn diagonal(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (left, pairs, n) = (self.left.clone(), self.pairs.start, self.right.len());
        left.enumerate().map(move |(i, e)| (e, pairs + i * n + i))
    }
}

impl Pairwise {
    fn rows<'a>(&self, domains: &'a [Elements]) -> impl Iterator<Item = Row> + use<'a> {
        let [left, right] = [self.wiring.inputs[0], self.wiring.inputs[1]].map(|x| domains[x.domain].by_row.windows(2));
        let pairs = domains[self.wiring.out.domain].by_row.windows(2);
        let range = |ends: &[u32]| ends[0] as usize..ends[1] as usize;
        let rows = left.zip(right).zip(pairs);
        let rows = rows.map(move |((l, r), p)| Row { left: range(l), right: range(r), pairs: range(p) });
        rows.filter(|row| !row.pairs.is_empty())
    }

    fn root<'a>(&self, lane: &Lane<'a>) -> Option<&'a [f32]> {
        self.root.then(|| &lane.values[self.wiring.parameters[0].value.clone()])
    }
}

impl Kernel for Pairwise {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (w, root, domains) = (&self.wiring, self.root(lane), lane.domains);
        let d = w.inputs[0].width;
        // The two may be one.
        let (others, s) = super::around(lane, lane.range(w.out));
        let (a, b) = (others.of(w.inputs[0]), others.of(w.inputs[1]));
        for row in self.rows(domains) {
            matmul(row.left(a, d), row.right(b, d).t(), &mut s[row.pairs.clone()], row.right.len(), false);
            if let Some(root) = root {
                row.diagonal().for_each(|(e, at)| s[at] = dot(&a[e * d..][..d], root));
            }
        }
    }

    /// `da_i = sum_j ds_ij b_j`, `db_j = sum_i ds_ij a_i`; with a root, whatever its own element was taken for is put right.
    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, root, domains) = (&self.wiring, self.root(lane), lane.domains);
        let d = w.inputs[0].width;
        for wire in &w.parameters {
            for run in &wire.runs {
                for c in 0..run.len {
                    let places = [lane.range(w.inputs[0]), lane.copies(w.cotangent, run.from + c, 1)];
                    let [a, ds] = disjoint(lane.arena, places);
                    let gradient = &mut lane.gradient[wire.copy(run.to + c)];
                    if !run.accumulate {
                        gradient.fill(0.0);
                    }
                    for (e, at) in self.rows(domains).flat_map(|row| row.diagonal()) {
                        gradient.iter_mut().zip(&a[e * d..][..d]).for_each(|(g, a)| *g += ds[at] * a);
                    }
                }
            }
        }
        for (side, flow) in w.flows.iter().enumerate() {
            let Some(flow) = flow else { continue };
            with_each_copy(lane, w.cotangent, flow, |others, ds, into, accumulate| {
                let other = others.of(w.inputs[1 - side]);
                if !accumulate {
                    into.fill(0.0);
                }
                for row in self.rows(domains) {
                    let (own, ds_row) =
                        if side == 0 { (&row.left, row.pairs(ds)) } else { (&row.right, row.pairs(ds).t()) };
                    let other_row = if side == 0 { row.right(other, d) } else { row.left(other, d) };
                    matmul(ds_row, other_row, &mut into[own.start * d..own.end * d], d, true);
                    let Some(root) = root else { continue };
                    for (e, at) in row.diagonal() {
                        let (into, other) = (&mut into[e * d..][..d], &other[e * d..][..d]);
                        into.iter_mut().zip(other).for_each(|(i, o)| *i -= ds[at] * o);
                        if side == 0 {
                            into.iter_mut().zip(root).for_each(|(i, r)| *i += ds[at] * r);
                        }
                    }
                }
            });
        }
    }
}
