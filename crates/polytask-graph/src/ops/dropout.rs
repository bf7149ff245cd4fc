//! Features that are dropped while training.

use super::{Layout, Operation, Site, parameters, site};
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Dropout`](crate::Op::Dropout).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dropout {
    /// Share that is dropped, in `[0, 1)`.
    pub rate: f32,
}

impl Operation for Dropout {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "dropout"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.keeps_width()?;
        site::dropped(self.rate)
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Kept
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| g.dropout(x, 0.3)), Example::images(|g, x| g.dropout(x, 0.3))]
    }
}
