//! Domains, and the layers that lead from one to another.

use super::GraphBuilder;
use crate::{Domain, DomainId, GraphError, NodeId, Op, Reduction, ops};

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
        self.push_on(domain, Op::Spread(ops::Spread { over: false }), vec![x], shape)
    }

    /// The values of the second factor of a product for the elements of the product that stand for it, `[d]`.
    pub fn spread_over(&mut self, x: NodeId, product: DomainId) -> NodeId {
        let shape = self.shape(x);
        self.push_on(product, Op::Spread(ops::Spread { over: true }), vec![x], shape)
    }

    /// For every element of the index's domain the values of the element of `x` that column `column` of the index names by
    /// its position within the row, `[d]`; zeros where there is none.
    pub fn gather(&mut self, x: NodeId, index: NodeId, column: usize) -> NodeId {
        let (shape, domain) = (self.shape(x), self.domain(index));
        self.push_on(domain, Op::Gather(ops::Gather { column }), vec![x, index], shape)
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

    fn push_reduce(&mut self, reduction: Reduction, inputs: Vec<NodeId>) -> NodeId {
        let shape = self.shape(inputs[0]);
        let domain = self.graph.domain(self.domain(inputs[0])).map_or(DomainId::ROWS, |d| d.parent);
        self.push_on(domain, Op::Reduce(reduction), inputs, shape)
    }
}
