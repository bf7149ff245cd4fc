//! A trained vector for each position in a sequence.

use super::{Kernel, Lane, parents, put};
use crate::wiring::Wiring;

pub(super) struct Position {
    pub wiring: Wiring,
}

impl Position {
    /// The row of the table for every element, in order.
    fn rows<'a>(&self, lane: &Lane<'a>) -> impl Iterator<Item = usize> + use<'a> {
        let last = self.wiring.parameters[0].value.len() / self.wiring.out.width - 1;
        parents(&lane.elements(self.wiring.out).offsets).flat_map(move |own| (0..own.len()).map(move |p| p.min(last)))
    }
}

impl Kernel for Position {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (out, rows) = (self.wiring.out, self.rows(lane));
        let table = &lane.values[self.wiring.parameters[0].value.clone()];
        for (row, y) in rows.zip(lane.values_mut(out).chunks_exact_mut(out.width)) {
            y.copy_from_slice(&table[row * out.width..][..out.width]);
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, table, width) = (&self.wiring, &self.wiring.parameters[0], self.wiring.out.width);
        for run in &table.runs {
            for c in 0..run.len {
                let (dy, rows) = (lane.copies(w.cotangent, run.from + c, 1), self.rows(lane));
                let gradient = &mut lane.gradient[table.copy(run.to + c)];
                if !run.accumulate {
                    gradient.fill(0.0);
                }
                for (row, dy) in rows.zip(lane.arena[dy].chunks_exact(width)) {
                    put(dy, &mut gradient[row * width..][..width], true);
                }
            }
        }
    }
}
