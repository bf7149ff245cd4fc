//! Elements by their place.

use super::{Layout, Operation, Site, parameters};
use crate::DomainId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Gather`](crate::Op::Gather).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gather {
    /// Which column of the index input.
    pub column: usize,
}

impl Operation for Gather {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "gather"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(2)?;
        site.gives_width(site.width(0))?;
        match self.column < site.width(1) {
            true => Ok(()),
            false => Err(format!("it reads index column {} of {}", self.column, site.width(1))),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::fed_tokens(|g, x| {
            let domain = g.domain(x);
            let places = g.index_on(domain, "places", 1);
            let there = g.gather(x, places, 0);
            g.mul(x, there)
        })]
    }

    fn reads_index(&self, input: usize) -> bool {
        input == 1
    }

    fn input_domain(&self, site: &Site<'_>, i: usize) -> Result<Option<DomainId>, String> {
        Ok((i > 0).then_some(site.domain))
    }
}
