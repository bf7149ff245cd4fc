//! One test for all leaves of a level (oblivious trees, as CatBoost has them).

use rayon::prelude::*;

use super::find::Search;
use super::split::Rule;
use super::sweep::{Gains, sweep};
use super::{Grower, Open, Split, Sprout, Structure, kernel};
use crate::Thresholds;
use crate::binning::Bins;
use crate::random::{Random, Use};

/// A level's candidate: its gain on the statistics' unit.
struct Candidate {
    gain: f64,
    feature: usize,
    rule: Rule,
    /// Leaves that it splits; too few rows on a side keep others as they are.
    divides: Vec<bool>,
}

impl Grower<'_> {
    /// Splits level by level, every leaf by the level's one test. A leaf of which all rows would go one way stays.
    pub(super) fn symmetric(&self, rows: Vec<u32>) -> Structure {
        let mut sprout = Sprout::new(rows);
        let mut level = vec![self.root(&sprout.rows)];
        let mut other = Vec::new();
        for depth in 0..self.growing.max_depth {
            if 2 * level.len() > self.growing.max_leaves {
                break;
            }
            let Some(best) = self.level(&sprout.rows, &level, depth) else { break };
            let gain = best.gain * self.statistics.unit;
            if gain <= self.growing.min_gain {
                break;
            }
            for (open, divides) in std::mem::take(&mut level).into_iter().zip(best.divides) {
                if !divides {
                    level.push(open);
                    continue;
                }
                let share = open.rows() as f64 / sprout.rows.len() as f64;
                let split = Split { feature: best.feature, rule: best.rule.clone(), gain: gain * share };
                level.extend(self.divide(&mut sprout, open, split, &mut other));
            }
        }
        level.into_iter().for_each(|open| sprout.close(open));
        sprout.structure()
    }

    /// The best test of a level.
    fn level(&self, rows: &[u32], level: &[Open], depth: usize) -> Option<Candidate> {
        let mut records = Vec::new();
        let records = self.statistics.gather(rows, &mut records);
        let search = Search { statistics: self.statistics, growing: self.growing };
        let found: Vec<Option<Candidate>> = self
            .features
            .par_iter()
            .map(|&feature| self.feature(&search, feature, rows, records, level, depth))
            .collect();
        found.into_iter().flatten().reduce(|best, next| if next.gain > best.gain { next } else { best })
    }

    /// The best test of a level on one feature.
    fn feature(
        &self,
        search: &Search<'_>,
        feature: usize,
        rows: &[u32],
        records: &[i16],
        level: &[Open],
        depth: usize,
    ) -> Option<Candidate> {
        let bins = &self.bins[feature];
        let size = self.statistics.cell();
        let length = (bins.values() + 1) * size;
        let mut cells = vec![0; length * level.len()];
        let mut all = vec![0; length];
        for (cells, open) in cells.chunks_exact_mut(length).zip(level) {
            let own = &records[open.first * size..open.end * size];
            kernel::add(cells, self.matrix.column(feature), &rows[open.first..open.end], own, size);
            all.iter_mut().zip(&*cells).for_each(|(sum, value)| *sum += value);
        }
        let mut total = vec![0; size];
        level.iter().for_each(|open| total.iter_mut().zip(&open.total).for_each(|(sum, value)| *sum += value));
        let mut sequence = Vec::new();
        search.sequence(bins, &all, &total, None, &mut sequence);
        let least = search.least(bins);
        let missing = matches!(bins, Bins::Numbers { .. }).then(|| bins.values() * size..length);
        let gaps = missing.clone().is_some_and(|missing| all[missing][size - 1] > 0);
        let only = match search.thresholds() {
            Thresholds::Best => None,
            Thresholds::Random => {
                let mut random = Random::new(self.seed, Use::Thresholds, &[self.tree, depth, feature]);
                Some(random.below(sequence.len().max(2) - 1))
            }
        };
        let mut best: Option<(f64, usize, bool, Vec<bool>)> = None;
        let before: f64 = level.iter().map(|open| self.statistics.score(&open.total, f64::from(least.l2))).sum();
        let (mut left, mut gains) = (vec![0; size], Gains::default());
        for missing_left in [false, true] {
            if missing_left && !gaps {
                break;
            }
            let mut sums = vec![0.0f64; sequence.len()];
            let mut open_at = vec![false; sequence.len() * level.len()];
            for (leaf, (cells, open)) in cells.chunks_exact(length).zip(level).enumerate() {
                let start = |left: &mut Vec<i32>| match &missing {
                    Some(missing) if missing_left => left.copy_from_slice(&cells[missing.clone()]),
                    Some(_) | None => left.fill(0),
                };
                start(&mut left);
                sweep(self.statistics, cells, &sequence, &mut left, &open.total, least, &mut gains);
                if let Some(bound) = self.bound(feature, open) {
                    start(&mut left);
                    bound.adjust(
                        self.statistics,
                        cells,
                        &sequence,
                        &mut left,
                        &open.total,
                        f64::from(least.l2),
                        &mut gains.all,
                    );
                }
                let before = self.statistics.score(&open.total, f64::from(least.l2));
                for (at, &gain) in gains.all.iter().enumerate().filter(|gain| gain.1.is_finite()) {
                    sums[at] += f64::from(gain) - before;
                    open_at[at * level.len() + leaf] = true;
                }
            }
            for (at, &sum) in sums.iter().enumerate() {
                if only.is_none_or(|only| only == at) && sum > best.as_ref().map_or(1e-6 * before, |best| best.0) {
                    best = Some((sum, at, missing_left, open_at[at * level.len()..][..level.len()].to_vec()));
                }
            }
        }
        let (gain, at, missing_left, divides) = best?;
        Some(Candidate {
            gain,
            feature,
            rule: search.rule(bins, &sequence, at, (gaps, missing_left), &all, &total),
            divides,
        })
    }
}
