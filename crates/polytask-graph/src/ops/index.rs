//! Category indices from outside.

use super::{Fed, Layout, Operation, Site, parameters};
use crate::IndexColumn;
use crate::example::Example;

/// [`Op::Index`](crate::Op::Index).
pub struct Index;

impl Operation for Index {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "index"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(0)
    }

    fn multiply_adds(&self, _: &Site<'_>) -> usize {
        0
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::fed(|g, x| {
            let index = g.index_input("codes", 2);
            let level = g.embedding(index, IndexColumn { column: 1, levels: 4 }, 3);
            g.concat(&[x, level])
        })]
    }

    fn fed(&self) -> Option<Fed> {
        Some(Fed::Indices)
    }
}
