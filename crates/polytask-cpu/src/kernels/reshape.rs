//! The same features in another shape, or in another layout.

use super::{Kernel, Lane, for_each_copy, put, read_write, vectorized};
use crate::wiring::{SIDE, Wiring};

pub(super) struct Reshape {
    pub wiring: Wiring,
}

impl Kernel for Reshape {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        lay(x, input.blocked, y, out.blocked, out.width, false);
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
            lay(from, w.out.blocked, into, flow.into.blocked, w.out.width, accumulate);
        });
    }
}

/// `into = from` or `into += from` between layouts of elements of this width.
fn lay(from: &[f32], from_blocked: bool, into: &mut [f32], into_blocked: bool, width: usize, accumulate: bool) {
    match (from_blocked, into_blocked) {
        (true, false) => {
            for (block, elements) in from.chunks_exact(SIDE * width).zip(into.chunks_mut(SIDE * width)) {
                vectorized(
                    #[inline(always)]
                    || turn(block, SIDE, elements, width, accumulate),
                );
            }
        }
        (false, true) => {
            for (elements, block) in from.chunks(SIDE * width).zip(into.chunks_exact_mut(SIDE * width)) {
                if !accumulate && elements.len() < block.len() {
                    block.fill(0.0);
                }
                vectorized(
                    #[inline(always)]
                    || turn(elements, width, block, SIDE, accumulate),
                );
            }
        }
        _ => put(from, into, accumulate),
    }
}

/// `into = from^T` or `into += from^T` with rows of the given lengths, as far as both go.
#[inline(always)]
fn turn(from: &[f32], from_row: usize, into: &mut [f32], into_row: usize, accumulate: bool) {
    let (rows, columns) = (from.len() / from_row, into.len() / into_row);
    // Squares, so that neither side's lines leave the nearest cache before they are full.
    for i in (0..rows).step_by(SIDE) {
        for j in (0..columns).step_by(SIDE) {
            for i in i..rows.min(i + SIDE) {
                for j in j..columns.min(j + SIDE) {
                    let (own, value) = (&mut into[j * into_row + i], from[i * from_row + j]);
                    *own = if accumulate { *own + value } else { value };
                }
            }
        }
    }
}
