//! A trained vector, the same for every row.

use super::{Kernel, Lane, sum_rows};
use crate::wiring::Wiring;

pub(super) struct Vector {
    pub wiring: Wiring,
}

impl Kernel for Vector {
    fn forward(&self, lane: &mut Lane<'_>) {
        let out = self.wiring.out;
        let value = &lane.values[self.wiring.parameters[0].value.clone()];
        lane.values_mut(out).chunks_exact_mut(out.width).for_each(|y| y.copy_from_slice(value));
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let (w, value) = (&self.wiring, &self.wiring.parameters[0]);
        for run in &value.runs {
            for c in 0..run.len {
                let dy = lane.copies(w.cotangent, run.from + c, 1);
                let gradient = &mut lane.gradient[value.copy(run.to + c)];
                if !run.accumulate {
                    gradient.fill(0.0);
                }
                sum_rows(&lane.arena[dy], gradient);
            }
        }
    }
}
