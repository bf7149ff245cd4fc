//! How features lie in memory: as plain rows, or as the images of sixteen rows side by side.
//!
//! Plain features are `rows x features`. Images lie in *blocks* of [`SIDE`] rows, `rows / SIDE x features x SIDE`: one
//! feature of sixteen rows fills a vector register. So a convolution of any number of channels and any width works on
//! full vectors, without copying its windows into a matrix first, and what it does at an edge or with a stride is the
//! same for the whole vector. (Few channels leave most of a register empty where channels lie side by side, and narrow
//! images do where pixels lie side by side.)
//!
//! Readers that know plain rows only get a copy, a reshape that the plan adds. A lane has whole blocks; the rows that
//! fill the last one up hold zeros at the inputs and have no loss.

use super::MIN_LANE_FLOPS;
use crate::wiring::SIDE;
use polytask_graph::{Activation, DomainId, Graph, NodeId, Op, Pooling, ops};

/// What a node has one element for, and how they lie.
#[derive(Clone, Copy)]
pub(super) struct Layout {
    pub domain: DomainId,
    pub blocked: bool,
}

/// The graph with the copies it needs, and for every node whether it lies in blocks.
pub(super) fn layout(graph: &Graph) -> (Graph, Vec<bool>) {
    let own = blocks(graph);
    if !own.contains(&true) {
        return (graph.clone(), own);
    }
    let full = graph.with_copies(|read, reader| match reader {
        Some(reader) => {
            let node = graph.node(reader);
            wants(&node.op, own[node.inputs[0].0], own[reader.0]).is_some_and(|blocks| blocks != own[read.0])
        }
        // Losses know plain rows.
        None => own[read.0],
    });
    let own = blocks(&full);
    (full, own)
}

/// Whether each node gives blocks.
fn blocks(graph: &Graph) -> Vec<bool> {
    let mut all: Vec<bool> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let first = node.inputs.first().is_some_and(|x| all[x.0]);
        let shape = |x: &NodeId| &graph.node(*x).shape;
        all.push(match node.op.layout() {
            ops::Layout::Rows => false,
            ops::Layout::Blocks => true,
            ops::Layout::Kept => first,
            ops::Layout::Joined => first && node.inputs.iter().all(|x| shape(x).leading() == node.shape.leading()),
            // A copy in the same shape is there to change the layout.
            ops::Layout::Copied if node.inputs.first().map(shape) == Some(&node.shape) => !first,
            ops::Layout::Fed | ops::Layout::Copied => node.shape.image().is_some(),
        });
    }
    all
}

/// The layout that an op reads; none where it reads either. `first` is that of its first input, `own` what it gives.
fn wants(op: &Op, first: bool, own: bool) -> Option<bool> {
    match op.layout() {
        ops::Layout::Rows => Some(false),
        ops::Layout::Blocks => Some(true),
        ops::Layout::Kept => Some(first),
        ops::Layout::Joined => Some(own),
        ops::Layout::Fed | ops::Layout::Copied => None,
    }
}

/// Rows that a lane has of a batch, of which there are `most` at most: whole blocks, so many that a lane has work enough, and that it has enough to take the
/// statistics of batch norm from.
pub(super) fn lane_rows(graph: &Graph, batch: usize, most: usize) -> usize {
    let norms = graph.nodes().iter().any(|n| matches!(n.op, Op::BatchNorm(_)));
    let by_rows = batch.div_ceil(SIDE) / if norms { MIN_NORM_BLOCKS } else { 1 };
    let by_work = batch.saturating_mul(graph.training_flops()) / MIN_LANE_FLOPS;
    batch.div_ceil(by_rows.min(by_work).min(most).max(1)).next_multiple_of(SIDE)
}

/// Blocks of a lane that takes statistics.
const MIN_NORM_BLOCKS: usize = 2;

/// By node: whether it is a rectified convolution that nothing but max pooling reads. Pooling then passes no cotangent on
/// where the largest value is not above 0, so that the convolution has none to cut off: one pass less over its output.
pub(super) fn pooled(graph: &Graph) -> Vec<bool> {
    let rectified = |op: &Op| matches!(op, Op::Conv2d(ops::Conv2d { activation: Activation::Relu, .. }));
    let mut all: Vec<bool> = graph.nodes().iter().map(|node| rectified(&node.op)).collect();
    for node in graph.nodes().iter().filter(|n| !matches!(n.op, Op::Pool(ops::Pool { pooling: Pooling::Max, .. }))) {
        node.inputs.iter().for_each(|x| all[x.0] = false);
    }
    let seen =
        graph.losses().iter().flat_map(|loss| loss.nodes()).chain(graph.auxiliary_losses().iter().map(|a| a.node));
    seen.for_each(|x| all[x.0] = false);
    all
}
