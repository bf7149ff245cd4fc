//! A loss that a caller brings, element by element.

use super::loss::{LossKernel, Read};
use super::{Lane, read_write};
use polytask_exec::{Labels, Target};
use polytask_graph::{Custom, CustomLoss, Shape};
use std::sync::Arc;

pub(super) struct Elements {
    loss: Arc<dyn CustomLoss>,
    /// Labels an element has.
    labels: usize,
    prediction: Read,
}

/// The kernel of a loss that is bound.
pub(super) fn build(loss: &Custom<dyn CustomLoss>, shape: &Shape, prediction: Read) -> Box<dyn LossKernel> {
    let Some(bound) = loss.bound() else { unreachable!("the plan has checked that what callers bring is bound") };
    Box::new(Elements { loss: bound.clone(), labels: bound.label_width(shape), prediction })
}

impl Elements {
    /// The elements that count: their places in the lane, their weights and labels.
    fn labelled<'a>(
        &self,
        rows: &'a [u32],
        target: &Target<'a>,
    ) -> impl Iterator<Item = (usize, f32, &'a [f32])> + use<'a> {
        let (Labels::Real(labels), width, weights) = (target.labels, self.labels, target.weights) else {
            unreachable!("the runner has checked the kinds of its labels")
        };
        let one = move |(i, &row): (usize, &u32)| {
            let row = row as usize;
            (i, weights[row], &labels[row * width..(row + 1) * width])
        };
        rows.iter().enumerate().map(one).filter(|(_, weight, _)| *weight != 0.0)
    }
}

impl LossKernel for Elements {
    fn forward(&self, lane: &Lane<'_>, target: &Target<'_>) -> f64 {
        let slot = self.prediction.slot;
        let z = &lane.arena[lane.range(slot)];
        let one = |(i, weight, label): (usize, f32, &[f32])| {
            f64::from(weight) * self.loss.value(&z[i * slot.width..(i + 1) * slot.width], label)
        };
        self.labelled(&lane.elements(slot).sources, target).map(one).sum()
    }

    fn backward(&self, lane: &mut Lane<'_>, target: &Target<'_>, scale: f64) {
        let Read { slot, flow: Some(flow) } = &self.prediction else { return };
        let rows = lane.elements(*slot).sources.as_slice();
        for run in &flow.runs {
            let (values, into) = (lane.range(*slot), lane.copies(flow.into, run.to, 1));
            let (z, dz) = read_write(lane.arena, values, into);
            if !run.accumulate {
                dz.fill(0.0);
            }
            for (i, weight, label) in self.labelled(rows, target) {
                let own = i * slot.width..(i + 1) * slot.width;
                let scale = (scale * f64::from(weight)) as f32;
                self.loss.add_gradient(&z[own.clone()], label, scale, &mut dz[own]);
            }
        }
    }
}
