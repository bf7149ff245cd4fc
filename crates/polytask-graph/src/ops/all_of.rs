//! The logit of several events together.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;

/// [`Op::AllOf`](crate::Op::AllOf).
pub struct AllOf;

impl Operation for AllOf {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "all_of"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        match site.odd_width() {
            Some(odd) => Err(format!("it takes {odd} events with {}", site.shape.width())),
            None if site.inputs.is_empty() => Err("it takes no events".into()),
            None => Ok(()),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.inputs.len() * site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| {
            let other = g.affine(x, -0.7, 0.3);
            g.all_of(&[x, other, x])
        })]
    }
}
