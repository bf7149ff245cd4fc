//! `activation(x W + b)`.

use super::{Activation, Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Dense`](crate::Op::Dense).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dense {
    /// `d x n`
    pub weight: ParameterId,
    /// `n`
    pub bias: Option<ParameterId>,
    /// Applied to the sum.
    pub activation: Activation,
}

impl Operation for Dense {
    parameters!([weight, bias], matrices[weight]);

    fn label(&self) -> &str {
        "dense"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(1)?;
        site.is_shaped(self.weight, &[site.width(0), site.shape.width()])?;
        self.bias.map_or(Ok(()), |bias| site.is_shaped(bias, &[site.shape.width()]))
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.parameter(self.weight).len()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::rows(|g, x| g.dense(x, 3, Activation::Silu)),
            Example::rows(|g, x| {
                let all = Activation::ALL.map(|activation| g.dense(x, 4, activation));
                g.concat(&all)
            }),
            Example::images(|g, x| g.dense(x, 5, Activation::Tanh)),
            Example::tokens(|g, x| g.dense(x, 7, Activation::Relu)),
        ]
    }

    fn words(&self) -> String {
        match self.activation {
            Activation::Linear => "dense".to_owned(),
            other => format!("dense, {}", other.words()),
        }
    }
}
