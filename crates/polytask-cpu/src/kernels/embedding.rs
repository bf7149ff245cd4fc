//! Categories looked up in a table.

use super::{Kernel, Lane, put};
use crate::plan::Wiring;
use polytask_graph::IndexColumn;

pub(super) struct Embedding {
    pub column: IndexColumn,
    pub wiring: Wiring,
}

impl Embedding {
    /// The level of each row, in row order; none where it is missing or unseen.
    fn levels<'a>(&self, indices: &'a [u32], rows: usize) -> impl Iterator<Item = Option<usize>> + 'a {
        let (input, column) = (self.wiring.inputs[0], self.column);
        let rows = indices[input.range(rows)].chunks_exact(input.width);
        rows.map(move |row| Some(row[column.column] as usize).filter(|&level| level < column.levels))
    }
}

impl Kernel for Embedding {
    fn forward(&self, lane: &mut Lane<'_>) {
        let out = self.wiring.out;
        let table = &lane.values[self.wiring.parameters[0].value.clone()];
        let y = &mut lane.arena[out.range(lane.rows)];
        for (level, y) in self.levels(lane.indices, lane.rows).zip(y.chunks_exact_mut(out.width)) {
            match level {
                Some(level) => y.copy_from_slice(&table[level * out.width..(level + 1) * out.width]),
                None => y.fill(0.0),
            }
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, table) = (&self.wiring, &self.wiring.parameters[0]);
        let width = w.out.width;
        for run in &table.runs {
            for c in 0..run.len {
                let gradient = &mut lane.gradient[table.copy(run.to + c)];
                if !run.accumulate {
                    gradient.fill(0.0);
                }
                let start = w.cotangent.start + (run.from + c) * lane.rows * width;
                let cotangent = &lane.arena[start..start + lane.rows * width];
                for (level, cotangent) in self.levels(lane.indices, lane.rows).zip(cotangent.chunks_exact(width)) {
                    if let Some(level) = level {
                        put(cotangent, &mut gradient[level * width..(level + 1) * width], true);
                    }
                }
            }
        }
    }
}
