//! Domains, and the layers that lead from one to another.

use super::GraphBuilder;
use crate::{Domain, DomainId, GraphError, NodeId, Op, Reduction};

impl GraphBuilder {
    /// Declares ragged sequences: every element of `parent` has any number of elements of the new domain. How many it
    /// has is fed with the data.
    pub fn ragged(&mut self, name: &str, parent: DomainId) -> DomainId {
        self.add_domain(Domain { name: name.to_owned(), parent, over: None })
    }

    /// Declares a product: every element of `parent` has one element of the new domain for each one that its row has in
    /// `over`, for example one for each token of a predicate's sentence.
    pub fn product(&mut self, name: &str, parent: DomainId, over: DomainId) -> DomainId {
        self.add_domain(Domain { name: name.to_owned(), parent, over: Some(over) })
    }

    /// The elements of each parent as one, on the parent domain, `[d]`; zeros where it has none. For
    /// [`Reduction::Attention`] see [`attention_reduce`](Self::attention_reduce).
    pub fn reduce(&mut self, x: NodeId, reduction: Reduction) -> NodeId {
        self.push_reduce(reduction, vec![x])
    }

    /// The mean of each parent's elements, weighed by the softmax of their `scores` (Bahdanau et al. 2015), on the
    /// parent domain, `[d]`. Scores have one feature for each head; each head weighs its share of the features.
    pub fn attention_reduce(&mut self, x: NodeId, scores: NodeId) -> NodeId {
        self.push_reduce(Reduction::Attention, vec![x, scores])
    }

    /// The values of every element for all elements of `domain` that lie in it, `[d]`.
    pub fn spread(&mut self, x: NodeId, domain: DomainId) -> NodeId {
        let shape = self.shape(x);
        self.push_on(domain, Op::Spread { over: false }, vec![x], shape)
    }

    /// The values of the second factor of a product for the elements of the product that stand for it, `[d]`.
    pub fn spread_over(&mut self, x: NodeId, product: DomainId) -> NodeId {
        let shape = self.shape(x);
        self.push_on(product, Op::Spread { over: true }, vec![x], shape)
    }

    /// For every element of the index's domain the values of the element of `x` that column `column` of the index names by
    /// its position within the row, `[d]`; zeros where there is none.
    pub fn gather(&mut self, x: NodeId, index: NodeId, column: usize) -> NodeId {
        let (shape, domain) = (self.shape(x), self.domain(index));
        self.push_on(domain, Op::Gather { column }, vec![x, index], shape)
    }

    pub(super) fn add_domain(&mut self, domain: Domain) -> DomainId {
        if self.graph.domains.iter().any(|d| d.name == domain.name) || domain.name == "rows" {
            self.fail(GraphError::Duplicate(domain.name.clone()));
        }
        let known = |id: DomainId| id.0 <= self.graph.domains.len();
        if !known(domain.parent) || !domain.over.is_none_or(known) {
            self.fail_at(&domain.name, "its elements lie in a domain that does not come before it".into());
        }
        self.graph.domains.push(domain);
        DomainId(self.graph.domains.len())
    }

    /// Which domains an op may read and be on.
    pub(super) fn check_domains(&self, op: &Op, inputs: &[NodeId], own: DomainId) -> Result<(), String> {
        if own.0 > self.graph.domains.len() {
            return Err(format!("it is on domain {} which does not exist", own.0));
        }
        let name = |id: DomainId| self.graph.domain(id).map_or("rows", |d| d.name.as_str());
        let of = |i: usize| self.domain(inputs[i]);
        // From which domain each input should be; none where any will do.
        let expected = |i: usize| match op {
            Op::Reduce(_) => match self.graph.domain(of(i)) {
                Some(domain) if domain.parent == own => Ok(Some(of(0))),
                _ => Err(format!("it reduces {:?} to {:?}, which is not its parent", name(of(i)), name(own))),
            },
            Op::Spread { over: false } if self.graph.lies_in(own, of(i)) => Ok(None),
            Op::Spread { over: true } if self.graph.domain(own).and_then(|d| d.over) == Some(of(i)) => Ok(None),
            Op::Spread { .. } => {
                Err(format!("it spreads {:?} to {:?}, which does not lie in it", name(of(i)), name(own)))
            }
            Op::Gather { .. } if i == 0 => Ok(None),
            Op::Pairwise { .. } => match self.graph.domain(own) {
                Some(Domain { parent, over: Some(over), .. }) => Ok(Some(if i == 0 { *parent } else { *over })),
                _ => Err(format!("it pairs elements on {:?}, which is no product", name(own))),
            },
            _ => Ok(Some(own)),
        };
        for (i, input) in inputs.iter().enumerate() {
            if let Some(expected) = expected(i)?
                && expected != of(i)
            {
                let from = &self.graph.node(*input).name;
                let (wrong, right) = (name(of(i)), name(expected));
                return Err(format!(
                    "it reads {from:?}, which has one element for each of {wrong:?}, expected {right:?}"
                ));
            }
        }
        Ok(())
    }

    fn push_reduce(&mut self, reduction: Reduction, inputs: Vec<NodeId>) -> NodeId {
        let shape = self.shape(inputs[0]);
        let domain = self.graph.domain(self.domain(inputs[0])).map_or(DomainId::ROWS, |d| d.parent);
        self.push_on(domain, Op::Reduce(reduction), inputs, shape)
    }
}
