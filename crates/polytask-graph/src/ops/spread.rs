//! From domains to what lies in them.

use super::{Layout, Operation, Site, parameters};
use crate::example::{self, Example};
use crate::{DomainId, Reduction};
use serde::{Deserialize, Serialize};

/// [`Op::Spread`](crate::Op::Spread). With `over` from the second factor of a product to the product: every element gets
/// the values of the one it stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// From the second factor.
    pub over: bool,
}

impl Operation for Spread {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "spread"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.keeps_width()
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::tokens(|g, x| {
                let row = g.reduce(x, Reduction::Mean);
                let domain = g.domain(x);
                let whole = g.spread(row, domain);
                g.mul(x, whole)
            }),
            Example::tokens(|g, x| {
                let pairs = example::pairs(g, x);
                let [own, other] = [g.spread(x, pairs), g.spread_over(x, pairs)];
                g.mul(own, other)
            }),
        ]
    }

    fn input_domain(&self, site: &Site<'_>, i: usize) -> Result<Option<DomainId>, String> {
        let (from, own) = (site.domain_of(i), site.domain);
        let right = match self.over {
            false => site.graph().lies_in(own, from),
            true => site.graph().domain(own).and_then(|domain| domain.over) == Some(from),
        };
        let [from, own] = [from, own].map(|id| site.domain_name(id));
        match right {
            true => Ok(None),
            false => Err(format!("it spreads {from:?} to {own:?}, which does not lie in it")),
        }
    }
}
