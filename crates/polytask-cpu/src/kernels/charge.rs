//! A term that needs no label: the mean of a node's values.

use crate::plan::{Flow, Slot};

pub(crate) struct ChargeKernel {
    pub values: Slot,
    /// What the mean over features and the losses' shares make of the term's weight.
    pub weight: f64,
    /// The losses that carry it, and where their shares of the cotangent go.
    pub losses: Vec<(usize, Option<Flow>)>,
}

impl ChargeKernel {
    /// The weighted sum over a lane's rows of one loss's share.
    pub(crate) fn forward(&self, arena: &[f32], rows: usize) -> f64 {
        self.weight * arena[self.values.range(rows)].iter().map(|v| f64::from(*v)).sum::<f64>()
    }

    /// Its cotangent, a share for each loss times the loss's scale.
    pub(crate) fn backward(&self, arena: &mut [f32], rows: usize, scales: &[f64]) {
        let len = rows * self.values.width;
        for (loss, flow) in &self.losses {
            let by = (self.weight * scales[*loss]) as f32;
            for run in flow.iter().flat_map(|flow| &flow.runs) {
                let start = flow.as_ref().map_or(0, |flow| flow.into.start) + run.to * len;
                let into = &mut arena[start..start + len];
                match run.accumulate {
                    true => into.iter_mut().for_each(|i| *i += by),
                    false => into.fill(by),
                }
            }
        }
    }
}
