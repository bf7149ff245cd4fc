//! Piecewise-linear encodings of numbers.

use super::{Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Bins`](crate::Op::Bins).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// `n x (bins + 1)`, rising in each row; not trained.
    pub edges: ParameterId,
}

impl Operation for Bins {
    parameters!([edges], matrices []);

    fn label(&self) -> &str {
        "bins"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(1)?;
        let (edges, width) = (site.parameter(self.edges), site.width(0));
        if edges.is_trained() {
            return Err("its edges are not to be trained: their learning rate is 0".into());
        }
        match edges.dims[..] {
            [rows, columns] if rows == width && columns >= 2 => site.gives_width(rows * (columns - 1)),
            _ => Err(format!("its edges have shape {:?}, expected {width} rows of 2 or more", edges.dims)),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| g.bins(x, 3)), Example::tokens(|g, x| g.bins(x, 5))]
    }
}
