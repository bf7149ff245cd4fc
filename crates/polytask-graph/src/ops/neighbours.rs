//! What stands before and after in a sequence.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Neighbours`](crate::Op::Neighbours).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    /// How many before.
    pub before: usize,
    /// How many after.
    pub after: usize,
}

impl Operation for Neighbours {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "neighbours"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.is_on_sequences()?;
        site.takes(1)?;
        let seen = self.before.saturating_add(1).saturating_add(self.after);
        site.gives_width(seen.saturating_mul(site.width(0)))
    }

    fn multiply_adds(&self, _: &Site<'_>) -> usize {
        0
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::tokens(|g, x| g.neighbours(x, 2, 1))]
    }
}
