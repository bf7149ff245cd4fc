//! Features turned in pairs by their position in the sequence.

use super::{Kernel, Lane, for_each_copy, parents, read_write};
use crate::wiring::Wiring;
use polytask_graph::ops;

pub(super) struct Rotary {
    op: ops::Rotary,
    /// Cosine and sine of the angles of the first positions, `positions x head / 2`.
    table: Vec<[f32; 2]>,
    wiring: Wiring,
}

/// Positions whose angles are worked out once.
const POSITIONS: usize = 512;

impl Rotary {
    pub(super) fn new(op: ops::Rotary, wiring: Wiring) -> Self {
        let table = (0..POSITIONS).flat_map(|p| (0..op.head / 2).map(move |j| (p, j)));
        let table = table.map(|(p, j)| angle(p, j, &op)).collect();
        Rotary { op, table, wiring }
    }

    /// `into = turned from`, or `into +=` that; `sign` -1 turns back.
    fn turn(&self, offsets: &[u32], sign: f32, from: &[f32], into: &mut [f32], accumulate: bool) {
        let (width, half) = (self.wiring.out.width, self.op.head / 2);
        for own in parents(offsets) {
            for e in own.clone() {
                let position = e - own.start;
                let (from, into) = (&from[e * width..][..width], &mut into[e * width..][..width]);
                super::put(&from[self.op.turned..], &mut into[self.op.turned..], accumulate);
                let heads = from[..self.op.turned].chunks_exact(self.op.head).zip(into.chunks_exact_mut(self.op.head));
                for (from, into) in heads {
                    let ((a, b), (to_a, to_b)) = (from.split_at(half), into.split_at_mut(half));
                    for j in 0..half {
                        let known = self.table.get(position * half + j);
                        let [cos, sin] = known.copied().unwrap_or_else(|| angle(position, j, &self.op));
                        let sin = sign * sin;
                        let before = if accumulate { [to_a[j], to_b[j]] } else { [0.0, 0.0] };
                        to_a[j] = before[0] + cos * a[j] - sin * b[j];
                        to_b[j] = before[1] + sin * a[j] + cos * b[j];
                    }
                }
            }
        }
    }
}

/// Cosine and sine of `position / base^(2j / e)`.
fn angle(position: usize, j: usize, op: &ops::Rotary) -> [f32; 2] {
    let (sin, cos) = (position as f64 * op.frequency(j)).sin_cos();
    [cos as f32, sin as f32]
}

impl Kernel for Rotary {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let offsets = &lane.elements(out).offsets;
        let (x, y) = read_write(lane.arena, lane.range(input), lane.range(out));
        self.turn(offsets, 1.0, x, y, false);
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let offsets = &lane.elements(w.out).offsets;
        for_each_copy(lane, w.cotangent, flow, |from, into, accumulate| {
            self.turn(offsets, -1.0, from, into, accumulate);
        });
    }
}
