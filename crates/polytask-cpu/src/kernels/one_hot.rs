//! Categories as one-hot blocks.

use super::{Kernel, Lane};
use crate::wiring::Wiring;
use polytask_graph::IndexColumn;

pub(super) struct OneHot {
    pub columns: Vec<IndexColumn>,
    pub wiring: Wiring,
}

impl Kernel for OneHot {
    fn forward(&self, lane: &mut Lane<'_>) {
        let (input, out) = (self.wiring.inputs[0], self.wiring.out);
        let indices = lane.indices(input);
        let y = lane.values_mut(out);
        y.fill(0.0);
        for (indices, y) in indices.chunks_exact(input.width).zip(y.chunks_exact_mut(out.width)) {
            let mut start = 0;
            for column in &self.columns {
                let level = indices[column.column] as usize;
                if level < column.levels {
                    y[start + level] = 1.0;
                }
                start += column.levels;
            }
        }
    }

    fn backward(&self, _: &mut Lane<'_>) {}
}
