//! A trained vector for each position.

use super::{Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Position`](crate::Op::Position).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// `positions x d`
    pub table: ParameterId,
}

impl Operation for Position {
    parameters!([table], matrices []);

    fn label(&self) -> &str {
        "position"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.is_on_sequences()?;
        site.takes(0)?;
        match site.parameter(self.table).dims.first() {
            Some(positions) if *positions > 0 => site.is_shaped(self.table, &[*positions, site.shape.width()]),
            Some(_) | None => Err("its table has no positions".into()),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::tokens(|g, x| {
            let (domain, width) = (g.domain(x), g.features(x));
            let place = g.positions(domain, 3, width);
            g.mul(x, place)
        })]
    }
}
