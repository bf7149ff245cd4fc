//! Images as sequences of their pixels.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use crate::{DomainId, Reduction};
use serde::{Deserialize, Serialize};

/// [`Op::Pixels`](crate::Op::Pixels).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pixels {
    /// Elements of zeros before the first pixel.
    pub before: usize,
}

impl Operation for Pixels {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "pixels"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        let [.., channels] = site.image()?;
        site.gives(&[channels])
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::fed_images(|g, x| {
            let domain = g.ragged("pixels", DomainId::ROWS);
            let pixels = g.pixels(x, domain, 1);
            let mixed = g.attention(pixels, 2, false);
            g.reduce(mixed, Reduction::Sum)
        })]
    }

    fn input_domain(&self, site: &Site<'_>, _: usize) -> Result<Option<DomainId>, String> {
        match site.graph().domain(site.domain) {
            Some(own) => Ok(Some(own.parent)),
            None => Err("it takes images apart into sequences; a row is none".to_owned()),
        }
    }
}
