//! A trained vector for all rows.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use crate::{Init, ParameterId};
use serde::{Deserialize, Serialize};

/// [`Op::Vector`](crate::Op::Vector).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Vector {
    /// `d`
    pub value: ParameterId,
}

impl Operation for Vector {
    parameters!([value], matrices []);

    fn label(&self) -> &str {
        "vector"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(0)?;
        site.is_shaped(self.value, &[site.shape.width()])
    }

    fn multiply_adds(&self, _: &Site<'_>) -> usize {
        0
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| {
            let width = g.features(x);
            let constant = g.vector(width, Init::Uniform(0.4));
            g.mul(x, constant)
        })]
    }
}
