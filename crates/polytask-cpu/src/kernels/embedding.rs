//! Categories looked up in a table.

use super::{Kernel, Lane, put};
use crate::rows::Rows;
use crate::wiring::Wiring;
use polytask_graph::IndexColumn;

pub(super) struct Embedding {
    pub column: IndexColumn,
    pub wiring: Wiring,
}

impl Embedding {
    /// The level of each element, in order; none where it is missing or unseen.
    fn levels<'a>(&self, lane: &Lane<'a>) -> impl Iterator<Item = Option<usize>> + use<'a> {
        let (input, column) = (self.wiring.inputs[0], self.column);
        let elements = lane.indices(input).chunks_exact(input.width);
        elements.map(move |row| Some(row[column.column] as usize).filter(|&level| level < column.levels))
    }
}

impl Kernel for Embedding {
    fn forward(&self, lane: &mut Lane<'_>) {
        let out = self.wiring.out;
        let table = &lane.values[self.wiring.parameters[0].value.clone()];
        let levels = self.levels(lane);
        let y = lane.values_mut(out);
        for (level, y) in levels.zip(y.chunks_exact_mut(out.width)) {
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
                let levels = self.levels(lane);
                let cotangent = &lane.arena[lane.copies(w.cotangent, run.from + c, 1)];
                let looked_up = levels.zip(cotangent.chunks_exact(width));
                let looked_up = looked_up.filter_map(|(level, cotangent)| Some((level?, cotangent)));
                match table.table {
                    Some(at) => {
                        let rows: &mut Rows = &mut lane.tables[at];
                        looked_up.for_each(|(level, d)| put(d, rows.add(level, run.to + c), true));
                    }
                    None => {
                        let gradient = &mut lane.gradient[table.copy(run.to + c)];
                        if !run.accumulate {
                            gradient.fill(0.0);
                        }
                        looked_up.for_each(|(level, d)| put(d, &mut gradient[level * width..][..width], true));
                    }
                }
            }
        }
    }
}
