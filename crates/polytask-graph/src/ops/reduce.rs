//! From sequences to what has them.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use crate::{Activation, DomainId};
use serde::{Deserialize, Serialize};

/// How the elements of one parent become one; the settings of [`Op::Reduce`](crate::Op::Reduce).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest value of each feature.
    Max,
    /// Their mean weighed by `softmax(s)` over the elements of the parent, `s` the second input. Its width is the number
    /// of heads: feature `j` of `d` is weighed by score `j * heads / d`.
    Attention,
}

impl Operation for Reduction {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "reduce"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        match self {
            Reduction::Sum | Reduction::Mean | Reduction::Max => site.keeps_width(),
            Reduction::Attention => {
                site.takes(2)?;
                let (width, scores) = (site.width(0), site.width(1));
                site.gives_width(width)?;
                match width.is_multiple_of(scores) {
                    true => Ok(()),
                    false => Err(format!("it has {scores} scores for {width} features; they must divide them")),
                }
            }
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
            Example::tokens(|g, x| g.reduce(x, Reduction::Sum)),
            Example::tokens(|g, x| g.reduce(x, Reduction::Mean)),
            Example::tokens(|g, x| g.reduce(x, Reduction::Max)),
            Example::tokens(|g, x| {
                let scores = g.dense(x, 2, Activation::Linear);
                g.attention_reduce(x, scores)
            }),
        ]
    }

    fn input_domain(&self, site: &Site<'_>, i: usize) -> Result<Option<DomainId>, String> {
        let (from, own) = (site.domain_of(i), site.domain);
        match site.graph().domain(from) {
            Some(domain) if domain.parent == own => Ok(Some(site.domain_of(0))),
            Some(_) | None => {
                let [from, own] = [from, own].map(|id| site.domain_name(id));
                Err(format!("it reduces {from:?} to {own:?}, which is not its parent"))
            }
        }
    }
}
