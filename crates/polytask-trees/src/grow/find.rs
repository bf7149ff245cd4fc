//! The best split of one feature in one node.

use super::category::order;
use super::monotone::Bound;
use super::split::Rule;
use super::statistics::Statistics;
use super::sweep::{Gains, Least, sweep};
use crate::binning::Bins;
use crate::random::Random;
use crate::{Growing, Thresholds};

/// Memory that is used again for every feature.
#[derive(Default)]
pub(super) struct Scratch {
    /// Histograms of one feature, all 0 between uses.
    pub(super) cells: Vec<i32>,
    pub(super) sequence: Vec<u8>,
    pub(super) left: Vec<i32>,
    pub(super) gains: Gains,
    /// The bins of a node of few rows.
    pub(super) filled: Vec<u8>,
}

/// A feature's best split: its score (both sides, on the statistics' unit) and its rule.
pub(super) struct Found {
    pub(super) score: f32,
    pub(super) rule: Rule,
}

/// What is the same for all nodes of a tree.
pub(super) struct Search<'a> {
    pub(super) statistics: &'a Statistics,
    pub(super) growing: &'a Growing,
}

/// A penalty of 0 would divide by 0 where a side has no Hessian.
const LEAST_L2: f64 = 1e-6;

impl Search<'_> {
    pub(super) fn l2(&self, bins: &Bins) -> f64 {
        let l2 = match bins {
            Bins::Numbers { .. } => self.growing.l2,
            Bins::Categories { .. } => self.growing.l2.max(self.growing.category_l2),
        };
        l2.max(LEAST_L2)
    }

    pub(super) fn least(&self, bins: &Bins) -> Least {
        Least {
            rows: self.growing.min_rows.clamp(1, i32::MAX as usize) as i32,
            hessian: self.growing.min_hessian as f32,
            l2: self.l2(bins) as f32,
        }
    }

    /// Bins with rows, in the order in which they can go left. `filled` has all that have rows, ascending, where they are
    /// known.
    pub(super) fn sequence(
        &self,
        bins: &Bins,
        cells: &[i32],
        total: &[i32],
        filled: Option<&[u8]>,
        into: &mut Vec<u8>,
    ) {
        let size = self.statistics.cell();
        let end = match bins {
            Bins::Numbers { .. } => bins.values(),
            Bins::Categories { .. } => bins.values() + 1,
        };
        into.clear();
        match filled {
            Some(filled) => into.extend(filled.iter().filter(|bin| usize::from(**bin) < end)),
            None => {
                into.resize(end, 0);
                let mut length = 0;
                for (bin, cell) in cells.chunks_exact(size).take(end).enumerate() {
                    into[length] = bin as u8;
                    length += usize::from(cell[size - 1] > 0);
                }
                into.truncate(length);
            }
        }
        if let Bins::Categories { .. } = bins {
            order(self.statistics, cells, total, self.growing.category_smoothing, into);
        }
    }

    /// Splits of one feature; `random` draws a threshold where thresholds are random.
    pub(super) fn find(
        &self,
        bins: &Bins,
        cells: &[i32],
        total: &[i32],
        bound: Option<&Bound<'_>>,
        (filled, random): (Option<&[u8]>, Option<Random>),
        (sequence, left, gains): (&mut Vec<u8>, &mut Vec<i32>, &mut Gains),
    ) -> Option<Found> {
        self.sequence(bins, cells, total, filled, sequence);
        let size = self.statistics.cell();
        let least = self.least(bins);
        let missing = match bins {
            Bins::Numbers { .. } => &cells[bins.values() * size..][..size],
            Bins::Categories { .. } => &[],
        };
        let gaps = missing.last().is_some_and(|&count| count > 0);
        if sequence.len() < 2 && !gaps {
            return None;
        }
        let only = random.map(|random| drawn(bins, sequence, random));
        let mut best: Option<(f32, usize, bool)> = None;
        for missing_left in [false, true] {
            if missing_left && !gaps {
                break;
            }
            left.clear();
            if missing_left {
                left.extend_from_slice(missing)
            } else {
                left.resize(size, 0)
            }
            sweep(self.statistics, cells, sequence, left, total, least, gains);
            if let Some(bound) = bound {
                left.fill(0);
                if missing_left {
                    left.copy_from_slice(missing);
                }
                bound.adjust(self.statistics, cells, sequence, left, total, f64::from(least.l2), &mut gains.all);
            }
            for (at, &score) in gains.all.iter().enumerate() {
                let open = only.is_none_or(|only| only == at || (gaps && !missing_left && at + 1 == sequence.len()));
                if open && score > best.map_or(f32::NEG_INFINITY, |best| best.0) {
                    best = Some((score, at, missing_left));
                }
            }
        }
        let (score, at, missing_left) = best?;
        Some(Found { score, rule: self.rule(bins, sequence, at, (gaps, missing_left), cells, total) })
    }

    /// The rule of the split behind place `at` of the sequence.
    pub(super) fn rule(
        &self,
        bins: &Bins,
        sequence: &[u8],
        at: usize,
        (gaps, left): (bool, bool),
        cells: &[i32],
        total: &[i32],
    ) -> Rule {
        let size = self.statistics.cell();
        match bins {
            Bins::Numbers { .. } => {
                // In the middle of the bins between the two values, which have no row here.
                let last = match sequence.get(at + 1) {
                    Some(&next) => ((u16::from(sequence[at]) + u16::from(next) - 1) / 2) as u8,
                    None => (bins.values() - 1) as u8,
                };
                // Where nothing is missing here, what is missing elsewhere goes the way of most rows.
                let fewer =
                    || -> i32 { sequence[..=at].iter().map(|&bin| cells[usize::from(bin) * size + size - 1]).sum() };
                let missing_left = if gaps { left } else { 2 * i64::from(fewer()) >= i64::from(total[size - 1]) };
                Rule::Number { last, missing: bins.values() as u8, missing_left }
            }
            Bins::Categories { .. } => {
                let mut set = [0u64; 4];
                sequence[..=at].iter().for_each(|&bin| set[usize::from(bin >> 6)] |= 1 << (bin & 63));
                Rule::Category(set)
            }
        }
    }

    pub(super) fn thresholds(&self) -> Thresholds {
        self.growing.thresholds
    }
}

/// The place behind which a random threshold falls: drawn between the least and the largest value of a column of
/// numbers, or among the places of an order of categories.
fn drawn(bins: &Bins, sequence: &[u8], mut random: Random) -> usize {
    let places = sequence.len().saturating_sub(1);
    if places < 2 {
        return 0;
    }
    match bins {
        Bins::Categories { .. } => random.below(places),
        Bins::Numbers { edges } => {
            let low = f64::from(edges[usize::from(sequence[0])]);
            let high = f64::from(edges[usize::from(sequence[places]) - 1]);
            let threshold = low + (high - low) * random.uniform();
            let bin = edges.partition_point(|&edge| f64::from(edge) < threshold);
            sequence[..places].partition_point(|&filled| usize::from(filled) <= bin).saturating_sub(1)
        }
    }
}
