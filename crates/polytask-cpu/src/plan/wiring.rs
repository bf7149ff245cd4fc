//! Where a kernel reads and writes: resolved places instead of names.

use std::ops::Range;

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
