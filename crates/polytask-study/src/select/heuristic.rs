//! Good groups of many tasks, for every number of groups, and how good any could be.
//!
//! From every task alone, the two groups whose union gains most (or loses least) are joined, again and again. At each
//! number of groups tasks then move to other groups, and pairs change places, while the sum rises. Last, each number of
//! groups is tried again from the best of one more with two groups joined and from the best of one less with one task taken
//! out. Nothing is drawn at random.

use super::matrix::Matrix;
use super::worth::Set;
use std::collections::HashMap;

/// Groups for at most 1, 2, ... `n` groups of `n` tasks. `worth` is asked for sets of places.
pub fn heuristic(n: usize, worth: impl Fn(Set) -> f64) -> Vec<Vec<Set>> {
    let mut known = Known { worth, values: HashMap::new() };
    let mut groups: Vec<Set> = (0..n).map(|task| 1 << task).collect();
    let mut best: Vec<Vec<Set>> = vec![Vec::new(); n];
    while !groups.is_empty() {
        known.improve(&mut groups, n);
        best[groups.len() - 1] = groups.clone();
        if groups.len() == 1 {
            break;
        }
        known.join(&mut groups);
    }
    for k in (1..n).rev() {
        let mut joined = best[k].clone();
        known.join(&mut joined);
        known.try_from(joined, &mut best[k - 1], n);
    }
    for k in 1..n {
        if let Some(parted) = known.part(&best[k - 1]) {
            known.try_from(parted, &mut best[k], n);
        }
        // At most k + 1 groups may as well be k.
        if known.total(&best[k - 1]) >= known.total(&best[k]) {
            best[k] = best[k - 1].clone();
        }
    }
    for groups in &mut best {
        groups.sort_unstable_by_key(|group| group.trailing_zeros());
    }
    best
}

struct Known<F> {
    worth: F,
    values: HashMap<Set, f64>,
}

impl<F: Fn(Set) -> f64> Known<F> {
    fn worth(&mut self, set: Set) -> f64 {
        if set == 0 {
            return 0.0;
        }
        *self.values.entry(set).or_insert_with(|| (self.worth)(set))
    }

    fn total(&mut self, groups: &[Set]) -> f64 {
        groups.iter().map(|group| self.worth(*group)).sum()
    }

    /// Joins the two groups that this costs least.
    fn join(&mut self, groups: &mut Vec<Set>) {
        let mut best = (f64::NEG_INFINITY, 0, 1);
        for a in 0..groups.len() {
            for b in a + 1..groups.len() {
                let (x, y) = (groups[a], groups[b]);
                let change = self.worth(x | y) - self.worth(x) - self.worth(y);
                if change > best.0 {
                    best = (change, a, b);
                }
            }
        }
        let other = groups.swap_remove(best.2);
        groups[best.1] |= other;
    }

    /// The same groups with the task alone that this pays most for; none where all are alone.
    fn part(&mut self, groups: &[Set]) -> Option<Vec<Set>> {
        let mut best: Option<(f64, usize, usize)> = None;
        for (g, &group) in groups.iter().enumerate().filter(|(_, group)| group.count_ones() > 1) {
            for task in super::worth::members(group) {
                let change = self.worth(group & !(1 << task)) + self.worth(1 << task) - self.worth(group);
                if best.is_none_or(|b| change > b.0) {
                    best = Some((change, g, task));
                }
            }
        }
        best.map(|(_, g, task)| {
            let mut parted = groups.to_vec();
            parted[g] &= !(1 << task);
            parted.push(1 << task);
            parted
        })
    }

    fn try_from(&mut self, mut groups: Vec<Set>, best: &mut Vec<Set>, n: usize) {
        self.improve(&mut groups, n);
        if self.total(&groups) > self.total(best) {
            *best = groups;
        }
    }

    /// Moves tasks, and exchanges pairs, while the sum rises. The number of groups stays, for none is emptied.
    fn improve(&mut self, groups: &mut [Set], n: usize) {
        /// What rounding could be.
        const LEAST: f64 = 1e-12;
        loop {
            let mut better = false;
            for task in 0..n {
                let one = 1 << task;
                let Some(from) = groups.iter().position(|g| g & one != 0) else { continue };
                for to in (0..groups.len()).filter(|&to| to != from) {
                    let (x, y) = (groups[from], groups[to]);
                    let before = self.worth(x) + self.worth(y);
                    if x != one && self.worth(x & !one) + self.worth(y | one) > before + LEAST {
                        (groups[from], groups[to]) = (x & !one, y | one);
                        better = true;
                        break;
                    }
                    let swap = super::worth::members(y).find(|&other| {
                        let (x, y) = (x & !one | 1 << other, y & !(1 << other) | one);
                        self.worth(x) + self.worth(y) > before + LEAST
                    });
                    if let Some(other) = swap {
                        (groups[from], groups[to]) = (x & !one | 1 << other, y & !(1 << other) | one);
                        better = true;
                        break;
                    }
                }
            }
            if !better {
                return;
            }
        }
    }
}

/// What no `k` groups can exceed: the sum over tasks of the mean of the best partners that a group of its size could have.
///
/// A task in a group of more than s has at least s partners, so it gains at most the mean `b_j(s)` of the s best that it
/// could have, which falls with s. In k groups at most `(k - 1) s` tasks are in groups of s or fewer if there are more than
/// `k s` tasks, so at least the others lose `b_j(s - 1) - b_j(s)`; the least of these losses are taken off.
pub fn bound(matrix: &Matrix, k: usize) -> f64 {
    let n = matrix.tasks();
    let means = |to: usize| {
        let mut incoming: Vec<f64> = (0..n).filter(|from| *from != to).map(|from| matrix.at(from, to)).collect();
        incoming.sort_unstable_by(|a, b| b.total_cmp(a));
        let mut sum = 0.0;
        let mean = |(i, v): (usize, f64)| {
            sum += v;
            sum / (i + 1) as f64
        };
        let means: Vec<f64> = incoming.into_iter().enumerate().map(mean).collect();
        // Alone a task gains nothing: that is as good as a partner who does nothing.
        let alone = means.first().copied().unwrap_or(0.0).max(0.0);
        std::iter::once(alone).chain(means).collect::<Vec<f64>>()
    };
    let all: Vec<Vec<f64>> = (0..n).map(means).collect();
    let mut total: f64 = all.iter().map(|means| means[0]).sum();
    for size in 1..n {
        if n <= k * size {
            break;
        }
        let larger = n - (k - 1) * size;
        let mut losses: Vec<f64> = all.iter().map(|means| means[size - 1] - means[size]).collect();
        losses.sort_unstable_by(f64::total_cmp);
        total -= losses.iter().take(larger).map(|loss| loss.max(0.0)).sum::<f64>();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::exact::exact;
    use crate::select::worth::{Choice, Gain};

    fn random(n: usize, seed: u64) -> Matrix {
        let mut state = seed;
        Matrix::from_fn(n, |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64 - 0.3
        })
    }

    #[test]
    fn it_comes_close_to_the_best_and_stays_below_the_bound() {
        let n = 9;
        let (mut reached, mut best) = (0.0, 0.0);
        for seed in 0..10 {
            let matrix = random(n, seed);
            let choice = Choice { gain: Gain::Pairs(matrix.clone()), served: (0..n).collect(), helpers: 0 };
            let worth: Vec<f64> = (0..1 << n).map(|set| choice.worth(set).0).collect();
            let company = |task: usize, set: u32| {
                let partners = (0..n).filter(|p| set >> p & 1 == 1 && *p != task);
                partners.map(|p| matrix.at(p, task)).fold(0.0, f64::max)
            };
            let total = |groups: &[Set]| groups.iter().map(|g| worth[*g as usize]).sum::<f64>();
            let (found, most) = (heuristic(n, |set| choice.worth(set).0), exact(n, &worth, company));
            for k in 0..n {
                let (found, most, bound) = (total(&found[k]), total(&most[k]), bound(&matrix, k + 1));
                assert!(found <= most + 1e-12 && most <= bound + 1e-12, "k {}: {found} {most} {bound}", k + 1);
                reached += found;
                best += most;
            }
            // One group is all tasks, and all is known of it.
            assert!((bound(&matrix, 1) - total(&most[0])).abs() < 1e-9);
        }
        assert!(reached > 0.98 * best, "{reached} of {best}");
    }
}
