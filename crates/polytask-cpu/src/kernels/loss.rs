//! The losses: a lane's part of a task's loss, and the cotangent of its prediction.

use super::math::{exp, sigmoid};
use crate::feed::{Labels, Target};
use crate::plan::{Flow, Slot};
use polytask_graph::LossKind;

pub(crate) struct LossKernel {
    kind: LossKind,
    prediction: Slot,
    /// Where the prediction's cotangent goes: a single copy.
    flow: Option<Flow>,
}

impl LossKernel {
    pub(crate) fn new(kind: LossKind, prediction: Slot, flow: Option<Flow>) -> Self {
        LossKernel { kind, prediction, flow }
    }

    /// `sum over rows of weight * loss`.
    pub(crate) fn forward(&self, arena: &[f32], rows: &[u32], target: &Target<'_>) -> f64 {
        let z = &arena[self.prediction.range(rows.len())];
        let mut total = 0.0;
        for (z, &row) in z.chunks_exact(self.prediction.width).zip(rows) {
            let weight = target.weights[row as usize];
            if weight > 0.0 {
                total += f64::from(weight) * self.row_loss(z, label(target, row as usize, z.len()));
            }
        }
        total
    }

    /// Cotangent of `scale * sum over rows of weight * loss`.
    pub(crate) fn backward(&self, arena: &mut [f32], rows: &[u32], target: &Target<'_>, scale: f64) {
        let Some(flow) = &self.flow else { return };
        let width = self.prediction.width;
        for run in &flow.runs {
            let start = flow.into.start + run.to * rows.len() * width;
            let into = start..start + rows.len() * width;
            let (z, dz) = super::read_write(arena, self.prediction.range(rows.len()), into);
            for ((z, dz), &row) in z.chunks_exact(width).zip(dz.chunks_exact_mut(width)).zip(rows) {
                if !run.accumulate {
                    dz.fill(0.0);
                }
                let weight = (scale * f64::from(target.weights[row as usize])) as f32;
                if weight != 0.0 {
                    self.row_cotangent(z, label(target, row as usize, width), weight, dz);
                }
            }
        }
    }

    fn row_loss(&self, z: &[f32], label: Label<'_>) -> f64 {
        let mean = |f: &dyn Fn(f64, f64) -> f64| match label {
            Label::Real(y) => {
                z.iter().zip(y).map(|(z, y)| f(f64::from(*z), f64::from(*y))).sum::<f64>() / z.len() as f64
            }
            Label::Class(_) => f64::NAN,
        };
        match self.kind {
            LossKind::Mse => mean(&|z, y| (z - y) * (z - y)),
            LossKind::Mae => mean(&|z, y| (z - y).abs()),
            LossKind::Huber { delta } => mean(&|z, y| {
                let (e, delta) = ((z - y).abs(), f64::from(delta));
                if e <= delta { 0.5 * e * e } else { delta * (e - 0.5 * delta) }
            }),
            LossKind::BinaryCrossEntropy => mean(&|z, y| z.max(0.0) - z * y + (-z.abs()).exp().ln_1p()),
            LossKind::Poisson => mean(&|z, y| z.exp() - y * z),
            LossKind::CrossEntropy => match label {
                Label::Class(y) => {
                    let max = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    let sum: f64 = z.iter().map(|z| f64::from(z - max).exp()).sum();
                    sum.ln() + f64::from(max) - z.get(y as usize).map_or(f64::NAN, |z| f64::from(*z))
                }
                Label::Real(_) => f64::NAN,
            },
        }
    }

    /// Adds `weight * d loss / d z`.
    fn row_cotangent(&self, z: &[f32], label: Label<'_>, weight: f32, dz: &mut [f32]) {
        let mut each = |f: &dyn Fn(f32, f32) -> f32| {
            if let Label::Real(y) = label {
                let weight = weight / z.len() as f32;
                dz.iter_mut().zip(z).zip(y).for_each(|((dz, z), y)| *dz += weight * f(*z, *y));
            }
        };
        match self.kind {
            LossKind::Mse => each(&|z, y| 2.0 * (z - y)),
            // The subgradient at 0 is 0.
            LossKind::Mae => each(&|z, y| if z == y { 0.0 } else { (z - y).signum() }),
            LossKind::Huber { delta } => each(&|z, y| (z - y).clamp(-delta, delta)),
            LossKind::BinaryCrossEntropy => each(&|z, y| sigmoid(z) - y),
            LossKind::Poisson => each(&|z, y| z.exp() - y),
            LossKind::CrossEntropy => {
                if let Label::Class(y) = label {
                    let max = z.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                    let sum: f32 = z.iter().map(|z| exp(z - max)).sum();
                    dz.iter_mut().zip(z).for_each(|(dz, z)| *dz += weight * exp(z - max) / sum);
                    dz[y as usize] -= weight;
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Label<'a> {
    Real(&'a [f32]),
    Class(u32),
}

fn label<'a>(target: &Target<'a>, row: usize, width: usize) -> Label<'a> {
    match target.labels {
        Labels::Real(all) => Label::Real(&all[row * width..(row + 1) * width]),
        Labels::Class(all) => Label::Class(all[row]),
    }
}
