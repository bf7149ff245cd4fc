//! Inputs of one shape, weighed by learnt numbers.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use crate::{ParameterId, Per};
use serde::{Deserialize, Serialize};

/// How a blend weighs its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighing {
    /// By the learnt numbers themselves.
    Free,
    /// By their softmax: shares that sum to 1.
    Softmax,
    /// One input is taken: while training one drawn by the softmax of the numbers, once a step, the same for all rows,
    /// with the gradient of a softmax at the run's temperature (straight-through Gumbel-softmax, Jang et al. 2017);
    /// otherwise the likeliest.
    Sampled,
}

/// [`Op::Blend`](crate::Op::Blend).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Blend {
    /// `inputs x 1`, or `inputs x channels` for a weight a feature.
    pub weights: ParameterId,
    /// What the weights are of these numbers.
    pub weighing: Weighing,
}

impl Operation for Blend {
    parameters!([weights], matrices []);

    fn label(&self) -> &str {
        "blend"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        if let Some(odd) = site.odd_width() {
            return Err(format!("it blends {odd} features with {}", site.shape.width()));
        }
        let (count, free) = (site.inputs.len(), self.weighing == Weighing::Free);
        let dims = &site.parameter(self.weights).dims;
        match dims[..] {
            [n, d] if n == count && n > 0 && (d == 1 || (free && d == site.shape.channels())) => Ok(()),
            _ => Err(format!("its weights have shape {dims:?}, for {count} inputs")),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.inputs.len() * site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::rows(|g, x| {
                let other = g.affine(x, -0.7, 0.3);
                let stitched = g.blend(&[x, other], Per::Layer, 1, 0.8);
                let crossed = g.blend(&[x, other], Per::Channel, 0, 0.7);
                g.softmax_blend(&[stitched, crossed, x])
            }),
            Example::images(|g, x| {
                let other = g.affine(x, -0.7, 0.3);
                g.blend(&[x, other], Per::Channel, 0, 0.6)
            }),
            Example::drawn(|g, x| {
                let other = g.affine(x, -0.7, 0.3);
                g.sampled(&[x, other])
            }),
        ]
    }
}
