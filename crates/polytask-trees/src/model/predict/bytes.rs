//! Rows as bytes, column by column: a number is the count of the model's thresholds below it, a category its bin. What a
//! node asks is then whether a byte lies in a run of bytes.

use super::{BLOCK, CHUNK};
use crate::binning::{Bins, finite};
use crate::{Column, Features, Model, Schema, Test, Tree};

/// What a number that is missing is as a byte.
const MISSING: u8 = 255;
/// Thresholds of one column; a feature with more of them has several columns.
const MOST: usize = 254;
/// Thresholds that are compared at once.
const TOGETHER: usize = 8;
/// Rows from which on it is quicker to compare with every threshold than to search.
const FEW: usize = 24;

/// `last + 1` bytes from `start` on; after 255 comes 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: u8,
    pub(super) last: u8,
}

impl Run {
    #[inline(always)]
    pub(super) fn holds(self, byte: u8) -> bool {
        byte.wrapping_sub(self.start) <= self.last
    }

    /// All other bytes, of a run that has not all.
    pub(super) fn others(self) -> Self {
        Self { start: self.start.wrapping_add(self.last).wrapping_add(1), last: 254 - self.last }
    }
}

/// A set of bytes, as bits and as runs.
pub(super) struct Set {
    bits: [u64; 4],
    pub(super) runs: Vec<Run>,
}

impl Set {
    fn new(bytes: &[u8]) -> Self {
        let mut set = Self { bits: [0; 4], runs: Vec::new() };
        for &byte in bytes {
            set.bits[usize::from(byte >> 6)] |= 1 << (byte & 63);
            match set.runs.last_mut() {
                Some(run) if run.start + run.last + 1 == byte => run.last += 1,
                Some(_) | None => set.runs.push(Run { start: byte, last: 0 }),
            }
        }
        set
    }

    pub(super) fn holds(&self, byte: u8) -> bool {
        self.bits[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }
}

/// What a node asks of a column's byte; a row goes left if it is held.
#[derive(Clone, Copy)]
pub(super) enum Ask {
    Run(Run),
    /// One of the model's sets, by its number.
    Set(u32),
}

enum Read {
    /// Thresholds, ascending; infinite ones, which no number lies above, fill up the last few.
    Numbers(Vec<[f32; TOGETHER]>),
    Categories(Bins),
}

/// How the features that a model asks for become columns of bytes.
pub(super) struct Columns {
    /// Of each column its feature, and how it is read.
    columns: Vec<(usize, Read)>,
    /// First column of each feature.
    firsts: Vec<usize>,
    pub(super) sets: Vec<Set>,
}

impl Columns {
    pub(super) fn new(model: &Model) -> Self {
        let mut thresholds: Vec<Vec<f32>> = vec![Vec::new(); model.columns.len()];
        let mut asked = vec![false; model.columns.len()];
        for node in model.trees.iter().flat_map(|tree: &Tree| &tree.nodes) {
            asked[node.feature as usize] = true;
            if let Test::Number { threshold, .. } = node.test {
                thresholds[node.feature as usize].push(threshold);
            }
        }
        let mut all = Self { columns: Vec::new(), firsts: Vec::new(), sets: Vec::new() };
        for (feature, (schema, mut thresholds)) in model.columns.iter().zip(thresholds).enumerate() {
            all.firsts.push(all.columns.len());
            match schema {
                Schema::Numbers => {
                    thresholds.sort_by(f32::total_cmp);
                    thresholds.dedup();
                    let few = |some: &[f32]| std::array::from_fn(|at| some.get(at).copied().unwrap_or(f32::INFINITY));
                    all.columns.extend(
                        thresholds
                            .chunks(MOST)
                            .map(|some| (feature, Read::Numbers(some.chunks(TOGETHER).map(few).collect()))),
                    );
                }
                Schema::Categories { .. } if asked[feature] => {
                    all.columns.push((feature, Read::Categories(schema.bins())));
                }
                Schema::Categories { .. } => {}
            }
        }
        all
    }

    /// Number of columns.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Which column a node asks, and what.
    pub(super) fn ask(&mut self, feature: u32, test: &Test) -> (u32, Ask) {
        let mut column = self.firsts[feature as usize];
        let ask = match test {
            Test::Number { threshold, missing_left } => {
                let mut place = 0;
                while let (_, Read::Numbers(some)) = &self.columns[column] {
                    let some = some.as_flattened();
                    place = some.partition_point(|other| other < threshold);
                    if some.get(place).is_some_and(|found| found <= threshold) {
                        break;
                    }
                    column += 1;
                }
                let place = place as u8;
                // What is missing comes right before byte 0.
                Ask::Run(match missing_left {
                    true => Run { start: MISSING, last: place + 1 },
                    false => Run { start: 0, last: place },
                })
            }
            Test::Category { left } => match Set::new(left) {
                set if set.runs.len() == 1 && set.runs[0].last < 255 => Ask::Run(set.runs[0]),
                set => {
                    self.sets.push(set);
                    Ask::Set(self.sets.len() as u32 - 1)
                }
            },
        };
        (column as u32, ask)
    }

    /// Bytes of at most [`BLOCK`] rows from `first` on, column by column.
    #[inline(always)]
    pub(super) fn read(&self, features: &Features, first: usize, rows: usize, bytes: &mut [[u8; BLOCK]]) {
        for ((feature, read), bytes) in self.columns.iter().zip(bytes) {
            match (&features.columns()[*feature], read) {
                (Column::Numbers(values), Read::Numbers(thresholds)) => {
                    count(&values[first..first + rows], thresholds, bytes);
                }
                (Column::Categories(codes), Read::Categories(bins)) => {
                    let codes = &codes[first..first + rows];
                    bytes.iter_mut().zip(codes).for_each(|(byte, &code)| *byte = bins.category(code));
                }
                // Features were compared with the model before.
                (Column::Numbers(_), Read::Categories(_)) | (Column::Categories(_), Read::Numbers(_)) => {}
            }
        }
    }
}

/// How many thresholds lie below each number.
#[inline(always)]
fn count(values: &[f32], thresholds: &[[f32; TOGETHER]], bytes: &mut [u8; BLOCK]) {
    if values.len() < FEW {
        for (byte, &value) in bytes.iter_mut().zip(values) {
            let below = thresholds.as_flattened().partition_point(|&threshold| threshold < finite(value));
            *byte = if value.is_nan() { MISSING } else { below as u8 };
        }
        return;
    }
    let (mut own, mut below) = ([f32::NAN; BLOCK], [0u32; BLOCK]);
    own.iter_mut().zip(values).for_each(|(own, value)| *own = finite(*value));
    let room = values.len().next_multiple_of(CHUNK).min(BLOCK);
    let (own, below) = (&own[..room], &mut below[..room]);
    for few in thresholds {
        for (below, value) in below.iter_mut().zip(own) {
            *below += few.iter().map(|threshold| u32::from(threshold < value)).sum::<u32>();
        }
    }
    for (byte, (below, value)) in bytes.iter_mut().zip(below.iter().zip(own)) {
        *byte = if value.is_nan() { MISSING } else { *below as u8 };
    }
}
