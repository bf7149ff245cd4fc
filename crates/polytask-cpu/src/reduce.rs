//! One gradient from those of all lanes, and from those of all ranks.
//!
//! A single rank never does this: there the lanes are summed part by part as an optimiser step needs them. Several ranks
//! each bring what their lanes have left into their first lane, and join it with the others'.

use crate::lane::Lane;
use crate::rows::Met;
use polytask_exec::Collective;
use polytask_exec::tree::{self, PART};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// The ranks that run batches together.
pub(crate) struct Ranks {
    pub collective: Arc<dyn Collective>,
    /// Those that have lanes of the batch: the first ones.
    pub holders: usize,
    /// What is sent of a table.
    buffer: Vec<f32>,
}

impl Ranks {
    pub(crate) fn new(collective: Arc<dyn Collective>) -> Self {
        Ranks { collective, holders: 1, buffer: Vec::new() }
    }

    /// Whether there are others.
    pub(crate) fn several(&self) -> bool {
        self.collective.size() > 1
    }

    /// Keeps of a batch's lanes those that this rank runs.
    pub(crate) fn choose(&mut self, parts: &mut Vec<(usize, usize)>) {
        let (rank, size) = (self.collective.rank(), self.collective.size());
        self.holders = tree::holders(parts.len(), size);
        let own = tree::block(parts.len(), rank, size);
        parts.truncate(own.end);
        parts.drain(..own.start);
    }

    /// Sums the first `count` lanes' gradients in `range` into the first lane's, and over all ranks.
    pub(crate) fn dense(&self, lanes: &mut [Lane], count: usize, range: Range<usize>) {
        let Some((first, others)) = lanes.split_first_mut() else { return };
        let others = &*others;
        let own = &mut first.gradient_mut()[range.clone()];
        own.par_chunks_mut(PART).enumerate().for_each(|(i, into)| {
            let at = range.start + i * PART..range.start + i * PART + into.len();
            let mut buffer = [0.0f32; PART];
            let sum = &mut buffer[..into.len()];
            let leaf = |lane: usize| match lane.checked_sub(1) {
                None => &*into,
                Some(other) => &others[other].gradient()[at.clone()],
            };
            tree::sum(0..count, &leaf, sum);
            into.copy_from_slice(sum);
        });
        self.collective.sum(own, self.holders);
    }

    /// The same for the rows of a table, of which `met` are those that this rank has looked up and becomes those that any
    /// has.
    pub(crate) fn table(&mut self, lanes: &mut [Lane], count: usize, table: usize, met: &mut Met) {
        let rows = met.all_mut();
        self.collective.union(rows);
        let stride = lanes[0].table(table).stride();
        self.buffer.clear();
        self.buffer.resize(rows.len() * stride, 0.0);
        for (&row, into) in rows.iter().zip(self.buffer.chunks_mut(stride.max(1))) {
            let leaf = |lane: usize| lanes[lane].table(table).copies(row as usize);
            tree::sum_some(0..count, &leaf, into);
        }
        self.collective.sum(&mut self.buffer, self.holders);
        lanes[0].table_mut(table).replace(rows, &self.buffer);
    }
}
