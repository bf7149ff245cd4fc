//! Elementwise sums.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;

/// [`Op::Add`](crate::Op::Add).
pub struct Add;

impl Operation for Add {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "add"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        match site.odd_width() {
            Some(odd) => Err(format!("it adds {odd} features to {}", site.shape.width())),
            None if site.inputs.is_empty() => Err("it adds nothing".into()),
            None => Ok(()),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Kept
    }

    fn examples() -> Vec<Example> {
        let sum: fn(&mut crate::GraphBuilder, crate::NodeId) -> crate::NodeId = |g, x| {
            let half = g.affine(x, 0.5, 0.1);
            g.add(&[x, half, x])
        };
        vec![Example::rows(sum), Example::images(sum)]
    }
}
