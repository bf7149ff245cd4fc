//! Numbers from outside.

use super::{Fed, Layout, Operation, Site, parameters};
use crate::example::Example;

/// [`Op::Input`](crate::Op::Input).
pub struct Input;

impl Operation for Input {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "input"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(0)
    }

    fn multiply_adds(&self, _: &Site<'_>) -> usize {
        0
    }

    fn layout(&self) -> Layout {
        Layout::Fed
    }

    fn examples() -> Vec<Example> {
        vec![Example::fed(|g, x| {
            let width = g.features(x);
            let own = g.input("own", width);
            g.add(&[x, own])
        })]
    }

    fn fed(&self) -> Option<Fed> {
        Some(Fed::Numbers)
    }
}
