//! Scores of pairs.

use super::{Layout, Operation, Site, parameters};
use crate::example::{self, Example};
use crate::{Domain, DomainId, ParameterId};
use serde::{Deserialize, Serialize};

/// [`Op::Pairwise`](crate::Op::Pairwise).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pairwise {
    /// `d`
    pub root: Option<ParameterId>,
}

impl Operation for Pairwise {
    parameters!([root], matrices []);

    fn label(&self) -> &str {
        "pairwise"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.is_on_sequences()?;
        site.takes(2)?;
        site.gives_width(1)?;
        let (a, b) = (site.width(0), site.width(1));
        if a != b {
            return Err(format!("it multiplies {a} features with {b}"));
        }
        let Some(root) = self.root else { return Ok(()) };
        site.is_shaped(root, &[a])?;
        match site.graph().domain(site.domain).is_some_and(|domain| domain.over == Some(domain.parent)) {
            true => Ok(()),
            false => Err("a root is the pair of an element with itself, and its factors are two domains".into()),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.widths().next().unwrap_or(0)
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::tokens(|g, x| {
                let pairs = example::pairs(g, x);
                g.biaffine(pairs, x, x, false)
            }),
            Example::tokens(|g, x| {
                let pairs = example::pairs(g, x);
                g.biaffine(pairs, x, x, true)
            }),
        ]
    }

    fn input_domain(&self, site: &Site<'_>, i: usize) -> Result<Option<DomainId>, String> {
        match site.graph().domain(site.domain) {
            Some(Domain { parent, over: Some(over), .. }) => Ok(Some(if i == 0 { *parent } else { *over })),
            Some(_) | None => {
                Err(format!("it pairs elements on {:?}, which is no product", site.domain_name(site.domain)))
            }
        }
    }
}
