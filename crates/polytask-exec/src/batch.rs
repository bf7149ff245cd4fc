//! What a step reads: columns of numbers, indices and labels, and which rows of them make the batch.
//!
//! Inputs, targets and domains stand in the graph's order; [`Ports`](crate::Ports) finds them by name.

use crate::vectorized;
use polytask_graph::{DomainId, Graph, LossId};
use std::ops::Range;

/// Values of one input node for all elements of its domain in a data set (all rows, if it has no other), row-major.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// For an [`Input`](polytask_graph::Op::Input) of width d: `n x d`.
    Real(&'a [f32]),
    /// For an [`Index`](polytask_graph::Op::Index) of width c: `n x c`; `u32::MAX` marks a missing level.
    Index(&'a [u32]),
    /// For an [`Input`](polytask_graph::Op::Input) of width d: `n x d` bytes, which become numbers lane by lane.
    Bytes(Bytes<'a>),
    /// For an [`Input`](polytask_graph::Op::Input) whose rows are made as they are asked for.
    Made(&'a dyn Gather),
}

/// Bytes in channels, as the pixels of images are: a row's byte `b` at place i stands for `b * scale[c] + shift[c]`,
/// where c is i modulo the number of channels.
#[derive(Clone, Copy, Debug)]
pub struct Bytes<'a> {
    /// Row-major.
    pub values: &'a [u8],
    /// One a channel.
    pub scale: &'a [f32],
    /// One a channel.
    pub shift: &'a [f32],
}

impl Bytes<'_> {
    /// The numbers that bytes, the first of them of channel 0, stand for.
    pub fn convert(&self, bytes: &[u8], into: &mut [f32]) {
        if let ([scale], [shift]) = (self.scale, self.shift) {
            return vectorized(
                #[inline(always)]
                || into.iter_mut().zip(bytes).for_each(|(x, b)| *x = f32::from(*b) * scale + shift),
            );
        }
        let pixels = into.chunks_mut(self.scale.len().max(1)).zip(bytes.chunks(self.scale.len().max(1)));
        for (into, bytes) in pixels {
            for (((x, b), scale), shift) in into.iter_mut().zip(bytes).zip(self.scale).zip(self.shift) {
                *x = f32::from(*b) * scale + shift;
            }
        }
    }
}

/// Makes rows of an input: reads, decodes or changes what it gathers.
pub trait Gather: Sync + std::fmt::Debug {
    /// Fills `into`, `rows x d`, with these rows of the data set. Called from several threads, each with other rows.
    fn gather(&self, rows: &[u32], into: &mut [f32]);
}

/// Labels of one task for all elements of its prediction's domain in a data set; of arcs, of the domain their labels are on.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'a> {
    /// `n x width of the prediction`, row-major.
    Real(&'a [f32]),
    /// `n` class indices; of arcs `n x 2`.
    Class(&'a [u32]),
}

/// One task's labels and the weight of each element; a missing label has weight 0 (and any value).
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The labels.
    pub labels: Labels<'a>,
    /// `n`, at least 0.
    pub weights: &'a [f32],
}

/// A batch: rows of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// One entry per input node, in graph order.
    pub inputs: &'a [Numbers<'a>],
    /// One entry per loss, in graph order. Empty for prediction.
    pub targets: &'a [Target<'a>],
    /// One entry per domain of the graph, in its order: where the elements of each element of the parent domain begin in the
    /// data set, and where the last one's end. One longer than the data set has elements of the parent; never descending.
    pub offsets: &'a [&'a [u32]],
    /// The rows of the batch, in order.
    pub rows: &'a [u32],
}

impl Batch<'_> {
    /// Sum of a task's weights over the batch; 0 means that the task is absent from it.
    pub fn weight(&self, graph: &Graph, task: LossId) -> f64 {
        let weights = self.targets[task.0].weights;
        let domain = graph.node(graph.losses()[task.0].labelled()).domain;
        if !domain.is_rows() {
            let own =
                |&row: &u32| weights[self.elements(graph, domain, row)].iter().map(|w| f64::from(*w)).sum::<f64>();
            return self.rows.iter().map(own).sum();
        }
        // Several sums side by side: one alone would wait for each addition.
        let (blocks, rest) = self.rows.as_chunks::<8>();
        let mut sums = [0.0f64; 8];
        for block in blocks {
            for (sum, &row) in sums.iter_mut().zip(block) {
                *sum += f64::from(weights[row as usize]);
            }
        }
        rest.iter().map(|&row| f64::from(weights[row as usize])).sum::<f64>() + sums.iter().sum::<f64>()
    }

    /// The data set's elements of a domain that a row has.
    pub fn elements(&self, graph: &Graph, domain: DomainId, row: u32) -> Range<usize> {
        match graph.domain(domain) {
            None => row as usize..row as usize + 1,
            Some(of) => {
                let parents = self.elements(graph, of.parent, row);
                let offsets = self.offsets[domain.0 - 1];
                offsets[parents.start] as usize..offsets[parents.end] as usize
            }
        }
    }
}
