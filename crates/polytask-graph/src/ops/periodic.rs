//! Periodic embeddings of numbers.

use super::{Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Periodic`](crate::Op::Periodic).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Periodic {
    /// `n x m`
    pub frequency: ParameterId,
    /// `n x m`, in turns.
    pub phase: ParameterId,
}

impl Operation for Periodic {
    parameters!([frequency, phase], matrices []);

    fn label(&self) -> &str {
        "periodic"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(1)?;
        let width = site.width(0);
        let dims = &site.parameter(self.frequency).dims;
        match dims[..] {
            [rows, count] if rows == width && count >= 1 => {
                site.is_shaped(self.phase, dims)?;
                site.gives_width(rows * count)
            }
            _ => Err(format!("its frequencies have shape {dims:?}, expected {width} rows of 1 or more")),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| g.periodic(x, 5, 0.3)), Example::tokens(|g, x| g.periodic(x, 2, 0.5))]
    }
}
