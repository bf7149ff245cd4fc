//! Inputs side by side.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;

/// [`Op::Concat`](crate::Op::Concat).
pub struct Concat;

impl Operation for Concat {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "concat"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.gives_width(site.widths().sum())?;
        let joined = (0..site.inputs.len()).all(|i| site.input(i).leading() == site.shape.leading());
        match site.shape.pixels() == 1 || joined {
            true => Ok(()),
            false => Err("it joins images of different sizes".into()),
        }
    }

    fn multiply_adds(&self, _: &Site<'_>) -> usize {
        0
    }

    fn layout(&self) -> Layout {
        Layout::Joined
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::rows(|g, x| {
                let part = g.slice(x, 1, 3);
                g.concat(&[x, part, x])
            }),
            Example::images(|g, x| {
                let part = g.slice(x, 1, 3);
                g.concat(&[x, part])
            }),
        ]
    }
}
