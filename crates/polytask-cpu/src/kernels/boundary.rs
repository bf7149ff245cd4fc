//! The shared representation: where the tasks' cotangents stand side by side until they are weighed.

use super::{Lane, read_write, vectorized};
use crate::domains::Elements;
use crate::wiring::Boundary;

/// The node's cotangent `= sum over groups of weight * copy`, or `+=` where shared readers have written already.
pub(crate) fn merge(lane: &mut Lane<'_>, boundary: &Boundary, weights: &[f64]) {
    let into = lane.range(boundary.into);
    if !boundary.accumulate {
        lane.arena[into.clone()].fill(0.0);
    }
    for (copy, &group) in boundary.groups.iter().enumerate() {
        let weight = weights[group] as f32;
        let (from, into) = read_write(lane.arena, lane.copies(boundary.stack, copy, 1), into.clone());
        if weight != 0.0 {
            vectorized(
                #[inline(always)]
                || into.iter_mut().zip(from).for_each(|(i, f)| *i += weight * f),
            );
        }
    }
}

/// Adds the inner products of the copies to a Gramian, both triangles. Products are summed in f64.
pub(crate) fn add_gramian(arena: &[f32], own: &Elements, boundary: &Boundary, gramian: &mut [f64], groups: usize) {
    let len = own.filled(boundary.stack) * boundary.stack.width;
    let copy = |c: usize| &arena[own.start(boundary.stack) + c * len..][..len];
    for (i, &a) in boundary.groups.iter().enumerate() {
        for (j, &b) in boundary.groups.iter().enumerate().take(i + 1) {
            let pairs = copy(i).iter().zip(copy(j));
            let product: f64 = vectorized(
                #[inline(always)]
                || pairs.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum(),
            );
            gramian[a * groups + b] += product;
            if i != j {
                gramian[b * groups + a] += product;
            }
        }
    }
}
