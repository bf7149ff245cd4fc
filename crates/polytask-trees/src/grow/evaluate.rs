//! Histograms of one or two nodes and the best split of each, over features in parallel.

use std::cell::RefCell;
use std::ops::Range;

use rayon::prelude::*;

use super::find::{Found, Scratch, Search};
use super::{Grower, Open, Split, kernel};
use crate::Thresholds;
use crate::binning::Bins;
use crate::random::{Random, Use};

/// Rows from which on a node keeps its histogram: with fewer it is cheaper to build those of both its children.
const KEEP: usize = 192;
/// Bytes of kept histograms in one tree.
const MOST: usize = 1 << 29;
/// Bytes of histograms that a thread holds between trees.
const SPARE: usize = 1 << 26;
/// A node has few rows where bins are at least so many times more.
const FEW: usize = 4;
/// Work (integers touched) that is worth a second thread.
const PARALLEL: usize = 1 << 17;

thread_local! {
    static MEMORY: RefCell<Memory> = RefCell::default();
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Evaluates the nodes of one tree.
pub(super) struct Evaluator<'a> {
    grower: &'a Grower<'a>,
    search: Search<'a>,
    /// First integer of every feature's cells in a histogram.
    offsets: Vec<usize>,
    memory: Memory,
    /// Histograms that there are.
    kept: usize,
}

/// What growing a tree allocates and the thread's next tree uses again.
#[derive(Default)]
struct Memory {
    histograms: Vec<Vec<i32>>,
    records: [Vec<i16>; 2],
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        let mut memory = std::mem::take(&mut self.memory);
        let bytes = self.offsets[self.offsets.len() - 1] * size_of::<i32>();
        memory.histograms.truncate(SPARE / bytes.max(1));
        MEMORY.set(memory);
    }
}

/// One feature's part of the work.
struct Job<'a> {
    feature: usize,
    /// Cells that keep the small node's histogram.
    keep: Option<&'a mut [i32]>,
    /// Cells of the parent, which become the large node's.
    parent: Option<&'a mut [i32]>,
}

/// The rows of a node and their records.
struct Side<'a> {
    open: &'a Open,
    rows: &'a [u32],
    records: &'a [i16],
}

impl<'a> Grower<'a> {
    pub(super) fn evaluator(&'a self) -> Evaluator<'a> {
        let size = self.statistics.cell();
        let mut offsets = vec![0];
        let mut end = 0;
        for &feature in self.features {
            end += (self.bins[feature].values() + 1) * size;
            offsets.push(end);
        }
        let search = Search { statistics: self.statistics, growing: self.growing };
        Evaluator { grower: self, search, offsets, memory: MEMORY.take(), kept: 0 }
    }
}

impl<'a> Evaluator<'a> {
    /// Gives a histogram back.
    pub(super) fn release(&mut self, histogram: Option<Vec<i32>>) {
        if let Some(histogram) = histogram {
            self.memory.histograms.push(histogram);
            self.kept -= 1;
        }
    }

    /// Whether a node keeps its histogram for its children.
    fn keeps(&self, open: &Open) -> bool {
        let growing = self.grower.growing;
        let bytes = (self.kept + 1) * self.offsets[self.offsets.len() - 1] * size_of::<i32>();
        open.rows() >= KEEP
            && growing.features_per_split >= 1.0
            && growing.thresholds == Thresholds::Best
            && open.depth + 1 < growing.max_depth
            && bytes <= MOST
    }

    fn histogram(&mut self) -> Vec<i32> {
        self.kept += 1;
        let mut histogram = self.memory.histograms.pop().unwrap_or_default();
        histogram.clear();
        histogram.resize(self.offsets[self.offsets.len() - 1], 0);
        histogram
    }

    /// Finds the splits of a node, or of two that were one: `histogram` is then that of their parent.
    pub(super) fn evaluate(
        &mut self,
        rows: &[u32],
        mut histogram: Option<Vec<i32>>,
        small: &mut Open,
        large: Option<&mut Open>,
    ) {
        let mut keep = if self.keeps(small) { Some(self.histogram()) } else { None };
        // A node whose histogram is its parent's less the other's needs no records.
        let mut records = std::mem::take(&mut self.memory.records);
        let [first, second] = &mut records;
        let few = &self.side(rows, small, first);
        let many = large.as_deref().map(|open| match histogram {
            Some(_) => Side { open, rows: &rows[open.first..open.end], records: &[] },
            None => self.side(rows, open, second),
        });
        let jobs = self.jobs(small.parent, keep.as_deref_mut(), histogram.as_deref_mut());
        let work = jobs.len()
            * (self.grower.statistics.cell() + 1)
            * (few.rows.len() + many.as_ref().map_or(0, |many| many.rows.len().min(512)));
        let run = |job: Job<'_>| SCRATCH.with_borrow_mut(|scratch| self.run(job, few, many.as_ref(), scratch));
        let found: Vec<[Option<(usize, Found)>; 2]> = if work > PARALLEL {
            let least = jobs.len().div_ceil(8 * rayon::current_num_threads());
            jobs.into_par_iter().with_min_len(least).map(run).collect()
        } else {
            jobs.into_iter().map(run).collect()
        };
        let mut best: [Option<(usize, Found)>; 2] = [None, None];
        for pair in found {
            for (best, found) in best.iter_mut().zip(pair) {
                if let Some(found) = found
                    && best.as_ref().is_none_or(|best| found.1.score > best.1.score)
                {
                    *best = Some(found);
                }
            }
        }
        let [first, second] = best;
        let splits =
            [self.split(&few.open.total, first), many.as_ref().and_then(|many| self.split(&many.open.total, second))];
        self.memory.records = records;
        let [first, second] = splits;
        small.split = first;
        // A histogram is only kept for a node that is going to have children.
        match &small.split {
            Some(_) => small.histogram = keep,
            None => self.release(keep),
        }
        match large {
            Some(large) => {
                large.split = second;
                match large.split.is_some() && large.rows() >= KEEP {
                    true => large.histogram = histogram,
                    false => self.release(histogram),
                }
            }
            None => self.release(histogram),
        }
    }

    fn side<'b>(&self, rows: &'b [u32], open: &'b Open, records: &'b mut Vec<i16>) -> Side<'b> {
        let rows = &rows[open.first..open.end];
        Side { open, rows, records: self.grower.statistics.gather(rows, records) }
    }

    /// The features that are looked at, each with its cells.
    fn jobs<'b>(
        &self,
        parent: Option<(usize, usize)>,
        keep: Option<&'b mut [i32]>,
        histogram: Option<&'b mut [i32]>,
    ) -> Vec<Job<'b>> {
        let grower = self.grower;
        let some = grower.growing.features_per_split;
        if some < 1.0 {
            let count = ((some * grower.features.len() as f64).ceil() as usize).max(1);
            let names = [grower.tree, parent.map_or(0, |parent| parent.0 + 1)];
            let chosen = Random::new(grower.seed, Use::Features, &names).choose(grower.features.len(), count);
            let job = |place: u32| Job { feature: grower.features[place as usize], keep: None, parent: None };
            return chosen.into_iter().map(job).collect();
        }
        let (mut keep, mut histogram) = (keep, histogram);
        let part = |cells: &mut Option<&'b mut [i32]>, length: usize| {
            let (part, rest) = cells.take()?.split_at_mut(length);
            *cells = Some(rest);
            Some(part)
        };
        let mut jobs = Vec::with_capacity(grower.features.len());
        for (place, &feature) in grower.features.iter().enumerate() {
            let length = self.offsets[place + 1] - self.offsets[place];
            jobs.push(Job { feature, keep: part(&mut keep, length), parent: part(&mut histogram, length) });
        }
        jobs
    }

    /// One feature: the histogram of the small node, that of the large one, and the best split of each.
    fn run(
        &self,
        job: Job<'_>,
        few: &Side<'_>,
        many: Option<&Side<'_>>,
        scratch: &mut Scratch,
    ) -> [Option<(usize, Found)>; 2] {
        let grower = self.grower;
        let Job { feature, keep, parent } = job;
        let (bins, column) = (&grower.bins[feature], grower.matrix.column(feature));
        let size = grower.statistics.cell();
        let length = (bins.values() + 1) * size;
        let Scratch { cells: spare, sequence, left, gains, filled } = scratch;
        if spare.len() < length {
            spare.resize(length, 0);
        }
        let spare = &mut spare[..length];
        let mut find = |cells: &[i32], side: &Side<'_>, filled: Option<&[u8]>| {
            let random = match self.search.thresholds() {
                Thresholds::Best => None,
                Thresholds::Random => {
                    Some(Random::new(grower.seed, Use::Thresholds, &[grower.tree, side.open.id, feature]))
                }
            };
            let bound = grower.bound(feature, side.open);
            let (random, memory) = ((filled, random), (&mut *sequence, &mut *left, &mut *gains));
            let found = self.search.find(bins, cells, &side.open.total, bound.as_ref(), random, memory);
            found.map(|found| (feature, found))
        };
        let kept = keep.is_some();
        let cells = keep.unwrap_or(&mut *spare);
        kernel::add(cells, column, few.rows, few.records, size);
        let known = (!kept).then(|| self.filled(bins, column, few.rows, filled)).flatten();
        let first = find(cells, few, known);
        let second = match (many, parent) {
            (Some(many), Some(parent)) => {
                match known {
                    Some(known) => self.each_filled(cells, known, |cell, at| kernel::subtract(&mut parent[at], cell)),
                    None => kernel::subtract(parent, cells),
                }
                find(parent, many, None)
            }
            (Some(many), None) => {
                if !kept {
                    self.clear(spare, known);
                }
                kernel::add(spare, column, many.rows, many.records, size);
                let known = self.filled(bins, column, many.rows, filled);
                let second = find(spare, many, known);
                self.clear(spare, known);
                return [first, second];
            }
            (None, _) => None,
        };
        if !kept {
            self.clear(spare, known);
        }
        [first, second]
    }

    /// The bins that have rows, ascending, where looking at the rows is quicker than looking at all bins.
    fn filled<'b>(&self, bins: &Bins, column: &[u8], rows: &[u32], into: &'b mut Vec<u8>) -> Option<&'b [u8]> {
        if rows.len() * FEW > bins.values() {
            return None;
        }
        into.clear();
        into.extend(rows.iter().map(|&row| column[row as usize]));
        into.sort_unstable();
        into.dedup();
        Some(into)
    }

    /// Every filled cell, with its place in a histogram.
    fn each_filled(&self, cells: &mut [i32], filled: &[u8], mut each: impl FnMut(&mut [i32], Range<usize>)) {
        let size = self.grower.statistics.cell();
        for &bin in filled {
            let at = usize::from(bin) * size..(usize::from(bin) + 1) * size;
            each(&mut cells[at.clone()], at);
        }
    }

    /// Empties a histogram whose filled cells are known, or any.
    fn clear(&self, cells: &mut [i32], filled: Option<&[u8]>) {
        match filled {
            Some(filled) => self.each_filled(cells, filled, |cell, _| cell.fill(0)),
            None => cells.fill(0),
        }
    }

    /// The split of a node, if it gains anything.
    fn split(&self, total: &[i32], found: Option<(usize, Found)>) -> Option<Split> {
        let (feature, found) = found?;
        let statistics = self.grower.statistics;
        let before = statistics.score(total, self.grower.growing.l2.max(1e-6));
        let gain = f64::from(found.score) - before;
        // Rounding makes differences of a millionth.
        if !(gain > 1e-6 * before && gain * statistics.unit > self.grower.growing.min_gain) {
            return None;
        }
        Some(Split { feature, rule: found.rule, gain: gain * statistics.unit })
    }
}
