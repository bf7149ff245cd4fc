//! Some features.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Slice`](crate::Op::Slice).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// First feature.
    pub start: usize,
    /// One past the last.
    pub end: usize,
}

impl Operation for Slice {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "slice"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(1)?;
        let (Slice { start, end }, from) = (self, site.input(0));
        match start < end && *end <= from.channels() {
            true => site.gives_width(from.pixels() * (end - start)),
            false => Err(format!("it takes features {start}..{end} of {}", from.channels())),
        }
    }

    fn multiply_adds(&self, _: &Site<'_>) -> usize {
        0
    }

    fn layout(&self) -> Layout {
        Layout::Kept
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| g.slice(x, 1, 4)), Example::images(|g, x| g.slice(x, 1, 3))]
    }
}
