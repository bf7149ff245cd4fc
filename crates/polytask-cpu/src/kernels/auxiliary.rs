//! A term that needs no label: the mean of a node's values.

use super::Lane;
use crate::wiring::{Flow, Scales, Slot};

pub(crate) struct AuxiliaryKernel {
    pub values: Slot,
    /// What the mean over features and the losses' shares make of the term's weight.
    pub weight: f64,
    /// The losses that carry it, and where their shares of the cotangent go.
    pub losses: Vec<(usize, Option<Flow>)>,
}

impl AuxiliaryKernel {
    /// The weighted sum over a lane's elements of one loss's share.
    pub(crate) fn forward(&self, lane: &Lane<'_>) -> f64 {
        self.weight * lane.arena[lane.range(self.values)].iter().map(|v| f64::from(*v)).sum::<f64>()
    }

    /// Its cotangent, a share for each loss times the loss's scale.
    pub(crate) fn backward(&self, lane: &mut Lane<'_>, scales: &Scales) {
        let weight = self.weight / scales.counts[self.values.domain].max(1) as f64;
        for (loss, flow) in self.losses.iter().filter_map(|(loss, flow)| Some((loss, flow.as_ref()?))) {
            let by = (weight * scales.auxiliary[*loss]) as f32;
            for run in &flow.runs {
                let into = lane.copies(flow.into, run.to, 1);
                let into = &mut lane.arena[into];
                match run.accumulate {
                    true => into.iter_mut().for_each(|i| *i += by),
                    false => into.fill(by),
                }
            }
        }
    }
}
