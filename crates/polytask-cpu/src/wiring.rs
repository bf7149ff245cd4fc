//! Where a kernel reads and writes: resolved places instead of names. The plan makes them, kernels and lanes follow them.

use polytask_graph::Shape;
use std::ops::Range;

/// Rows in a block.
pub(crate) const SIDE: usize = 16;

/// A buffer in a lane's arena holding `width` scalars for each element of a domain. A lane knows how many there are, and
/// where the buffer stands: [`Lane::range`](crate::kernels::Lane::range).
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slot {
    pub start: usize,
    pub width: usize,
    /// 0 for the rows.
    pub domain: usize,
    /// Lies in blocks of sixteen elements.
    pub blocked: bool,
}

/// `len` consecutive copies (one per group of losses) that go to consecutive copies of something upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub from: usize,
    pub to: usize,
    pub len: usize,
    /// Add to what is there; otherwise this is the first to write, and overwrites.
    pub accumulate: bool,
}

/// The cotangent of an input and which copies of this node's cotangent it takes.
#[derive(Clone, Debug)]
pub(crate) struct Flow {
    pub into: Slot,
    pub runs: Vec<Run>,
}

/// Where a parameter's values are and where its gradient goes.
#[derive(Clone, Debug)]
pub(crate) struct ParameterWire {
    /// In the flat values.
    pub value: Range<usize>,
    /// First scalar of copy 0 in the lane's gradient; copies stand end to end.
    pub gradient: usize,
    /// Its place among the lane's tables, if its gradient is kept by row.
    pub table: Option<usize>,
    /// Empty when no loss reaches the parameter or nothing is trained.
    pub runs: Vec<Run>,
}

impl ParameterWire {
    /// The runs that take a copy of the node's cotangent, and its place in each.
    pub(crate) fn of(&self, copy: usize) -> impl Iterator<Item = (&Run, usize)> {
        let own = self.runs.iter().filter(move |run| (run.from..run.from + run.len).contains(&copy));
        own.map(move |run| (run, copy - run.from))
    }

    /// Place of one copy of the gradient.
    pub(crate) fn copy(&self, copy: usize) -> Range<usize> {
        let len = self.value.len();
        let start = self.gradient + copy * len;
        start..start + len
    }
}

/// One node's places.
#[derive(Clone, Debug)]
pub(crate) struct Wiring {
    /// Values of the inputs.
    pub inputs: Vec<Slot>,
    /// This node's values.
    pub out: Slot,
    /// Kept from forward to backward by ops that need more than their output.
    pub saved: Slot,
    /// To work with, in the forward and in the backward pass.
    pub scratch: [Slot; 2],
    /// This node's cotangent, `copies x elements x width`.
    pub cotangent: Slot,
    pub copies: usize,
    /// One per input; none where the input needs no gradient.
    pub flows: Vec<Option<Flow>>,
    pub parameters: Vec<ParameterWire>,
}

/// Joins single copies `(from, to, accumulate)` into runs.
pub(crate) fn runs(copies: impl IntoIterator<Item = (usize, usize, bool)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (from, to, accumulate) in copies {
        match runs.last_mut() {
            Some(run) if run.from + run.len == from && run.to + run.len == to && run.accumulate == accumulate => {
                run.len += 1;
            }
            _ => runs.push(Run { from, to, len: 1, accumulate }),
        }
    }
    runs
}

/// A shared node that single losses' own layers read: their cotangents wait side by side until they are weighed.
#[derive(Clone, Debug)]
pub(crate) struct Boundary {
    /// The node whose kernel runs backward once they are weighed: its own, or that of the layers it runs with.
    pub node: usize,
    /// One copy for each of `groups`.
    pub stack: Slot,
    pub groups: Vec<usize>,
    /// The node's own cotangent.
    pub into: Slot,
    /// Whether shared readers have written there before.
    pub accumulate: bool,
}

/// Weights side by side, `k x n`.
#[derive(Clone, Debug)]
pub(crate) struct WideWeight {
    /// Where it lies among all wide weights.
    pub range: Range<usize>,
    pub k: usize,
    pub n: usize,
    /// The weights in the flat values, each `k x` its own columns.
    pub parts: Vec<Range<usize>>,
}

/// Where an op stands: what its kernel must know of the graph.
pub(crate) struct Site<'a> {
    /// Its number; tells random streams apart.
    pub node: usize,
    /// Shapes of its inputs and its own.
    pub inputs: Vec<&'a Shape>,
    pub shape: &'a Shape,
    /// Whether what it gives lies in blocks.
    pub blocked: bool,
    /// Whether it is rectified by the pooling that reads it, see [`pooled`].
    pub pooled: bool,
    /// Whether its input is.
    pub pools: bool,
}

impl Site<'_> {
    /// Length of the pieces that the inputs have along the axis on which they are joined.
    pub(crate) fn runs(&self) -> Vec<usize> {
        let side = if self.blocked { SIDE } else { 1 };
        let joined = self.inputs.iter().all(|x| x.leading() == self.shape.leading());
        self.inputs.iter().map(|x| side * if joined { x.channels() } else { x.width() }).collect()
    }
}

/// What the cotangents of a batch are multiplied with, by loss.
#[derive(Default)]
pub(crate) struct Scales {
    /// An element of weight 1.
    pub losses: Vec<f64>,
    /// The mean of what an auxiliary loss says that the loss carries.
    pub auxiliary: Vec<f64>,
    /// By domain, not by loss: the elements of the batch.
    pub counts: Vec<usize>,
}
