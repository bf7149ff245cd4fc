//! The elements of every domain that a lane's rows have, and where their buffers stand in the lane's memory.

use crate::wiring::{SIDE, Slot};
use polytask_exec::Batch;
use polytask_graph::{DomainId, Graph};
use std::ops::Range;

/// A lane's elements of one domain. They stand in the order of the rows, and within a row in that of the data set.
#[derive(Debug, Default)]
pub(crate) struct Elements {
    /// Which of the data set's elements they are.
    pub sources: Vec<u32>,
    /// Where the elements of each parent begin, and where the last one's end. Of the rows: none.
    pub offsets: Vec<u32>,
    /// The same for each row.
    pub by_row: Vec<u32>,
    /// The parents that have any, those with most first: the sequences that are stepped through side by side.
    pub longest: Vec<u32>,
    /// Position of the first of them in the batch.
    pub first: usize,
    /// The parent domain.
    parent: usize,
    numbers: Region,
    indices: Region,
}

/// Where a slot stands: at `base + start * stride`. Slots on the rows have places of their own, made for the most rows that
/// a lane can have; there the stride is 1. Slots on other domains are placed as if there was one element, and what is
/// between them grows with the elements.
#[derive(Clone, Copy, Debug, Default)]
struct Region {
    base: usize,
    stride: usize,
}

impl Elements {
    /// Number of elements.
    pub(crate) fn count(&self) -> usize {
        self.sources.len()
    }

    /// Where the values of a slot of this domain begin.
    pub(crate) fn start(&self, slot: Slot) -> usize {
        self.numbers.base + slot.start * self.numbers.stride
    }

    /// The part of an arena that a slot of this domain fills.
    pub(crate) fn range(&self, slot: Slot) -> Range<usize> {
        let start = self.start(slot);
        start..start + self.filled(slot) * slot.width
    }

    /// Elements that a slot has room for: in blocks, whole ones.
    pub(crate) fn filled(&self, slot: Slot) -> usize {
        if slot.blocked { self.count().next_multiple_of(SIDE) } else { self.count() }
    }

    /// The same for a slot of category indices.
    pub(crate) fn index_range(&self, slot: Slot) -> Range<usize> {
        let start = self.indices.base + slot.start * self.indices.stride;
        start..start + self.count() * slot.width
    }
}

/// The first of element `at`'s own, an element of `outer`, in the domain `inner` that lies in it.
pub(crate) fn first_in(domains: &[Elements], inner: usize, outer: usize, at: usize) -> usize {
    match inner == outer {
        true => at,
        false => domains[inner].offsets[first_in(domains, domains[inner].parent, outer, at)] as usize,
    }
}

/// Finds the elements of the rows `rows` of a feed, which follow `before` in the batch.
pub(crate) fn find(domains: &mut [Elements], graph: &Graph, feed: &Batch<'_>, before: &[u32], rows: &[u32]) {
    let Some((own, ragged)) = domains.split_first_mut() else { return };
    own.sources.clear();
    own.sources.extend_from_slice(rows);
    own.first = before.len();
    if !ragged.is_empty() {
        own.by_row.clear();
        own.by_row.extend(0..=rows.len() as u32);
    }
    for i in 0..ragged.len() {
        let (earlier, later) = ragged.split_at_mut(i);
        let (elements, domain) = (&mut later[0], &graph.domains()[i]);
        let parents = if domain.parent.is_rows() { &*own } else { &earlier[domain.parent.0 - 1] };
        elements.parent = domain.parent.0;
        let offsets = feed.offsets[i];
        let id = DomainId(i + 1);
        elements.first = before.iter().map(|&row| feed.elements(graph, id, row).len()).sum();
        for all in [&mut elements.sources, &mut elements.offsets, &mut elements.by_row] {
            all.clear();
        }
        for &parent in &parents.sources {
            elements.offsets.push(elements.sources.len() as u32);
            elements.sources.extend(offsets[parent as usize]..offsets[parent as usize + 1]);
        }
        elements.offsets.push(elements.sources.len() as u32);
        let Elements { offsets, longest, .. } = elements;
        let length = |parent: u32| offsets[parent as usize + 1] - offsets[parent as usize];
        longest.clear();
        longest.extend((0..parents.count() as u32).filter(|&parent| length(parent) > 0));
        longest.sort_unstable_by_key(|&parent| (std::cmp::Reverse(length(parent)), parent));
        let mut end = 0;
        for &row in rows {
            elements.by_row.push(end);
            end += feed.elements(graph, id, row).len() as u32;
        }
        elements.by_row.push(end);
    }
    for (i, domain) in graph.domains().iter().enumerate() {
        if let Some(over) = domain.over {
            check_product(domains, i + 1, over.0, &domain.name);
        }
    }
}

/// Every element of a product's parent has one element for each that its row has in the second factor.
fn check_product(domains: &[Elements], product: usize, over: usize, name: &str) {
    let parents = &domains[domains[product].parent];
    for (row, factor) in domains[over].by_row.windows(2).enumerate() {
        let own = parents.by_row[row] as usize..=parents.by_row[row + 1] as usize;
        let right = domains[product].offsets[own].windows(2).all(|pair| pair[1] - pair[0] == factor[1] - factor[0]);
        assert!(right, "each of {name:?} has as many elements as its row has in the second factor");
    }
}

/// Gives the domains their regions of a lane's memory, where the slots of a domain need `numbers` scalars and `indices`
/// indices an element, those of the rows so many in all. Gives the lengths needed.
pub(crate) fn lay_out(domains: &mut [Elements], numbers: &[usize], indices: &[usize]) -> (usize, usize) {
    let mut ends = (0, 0);
    for (i, elements) in domains.iter_mut().enumerate() {
        // Whole cache lines.
        let stride = if i == 0 { 1 } else { elements.count().next_multiple_of(16) };
        elements.numbers = Region { base: ends.0, stride };
        elements.indices = Region { base: ends.1, stride };
        ends = (ends.0 + numbers[i] * stride, ends.1 + indices[i] * stride);
    }
    ends
}
