//! Elementwise products.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;

/// [`Op::Mul`](crate::Op::Mul).
pub struct Mul;

impl Operation for Mul {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "mul"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(2)?;
        let (a, b) = (site.width(0), site.width(1));
        match a == b || a == 1 || b == 1 {
            true => site.gives_width(a.max(b)),
            false => Err(format!("it multiplies {a} features with {b}")),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::rows(|g, x| {
                let half = g.affine(x, 0.5, 0.1);
                g.mul(x, half)
            }),
            Example::rows(|g, x| {
                let one = g.slice(x, 0, 1);
                g.mul(one, x)
            }),
            Example::images(|g, x| {
                let half = g.affine(x, 0.5, 0.1);
                g.mul(x, half)
            }),
        ]
    }
}
