//! Features as shares of 1.

use super::{Layout, Operation, Site, parameters, site};
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Softmax`](crate::Op::Softmax).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Softmax {
    /// Share of the features that are left out of a row's sum, and are 0, while training; a row that would lose all
    /// keeps all. In `[0, 1)`. Dropout for the gates of experts (Zhao et al. 2019).
    pub dropout: f32,
}

impl Operation for Softmax {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "softmax"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.keeps_width()?;
        site::dropped(self.dropout)
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| g.softmax(x)), Example::rows(|g, x| g.softmax_with_dropout(x, 0.3))]
    }
}
