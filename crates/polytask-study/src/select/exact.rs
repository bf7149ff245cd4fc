//! The best groups of few tasks, for every number of groups, by branch and bound over subsets.
//!
//! `F_k(R)`, the most that the tasks of R can gain in at most k groups, is the best over the groups G of R that hold its
//! first task of `worth(G) + F_{k-1}(R - G)`. A branch is cut where even the bound of `R - G`, each of its tasks in the
//! best company that R - G has for it, does not reach the best found so far.

use super::worth::Set;
use rayon::prelude::*;

/// Tasks at most: `3^19 / 2` branches a number of groups take seconds.
pub const EXACT: usize = 20;

/// The best groups for at most 1, 2, ... `n` groups, as sets of places among the `n` tasks; each line's groups in the order
/// of their first tasks. `worth` has the value of every set of places, that of the empty one included; `company` the
/// most that a place can gain in any group within a set.
pub fn exact(n: usize, worth: &[f64], company: impl Fn(usize, u32) -> f64 + Sync) -> Vec<Vec<Set>> {
    let sets = 1usize << n;
    debug_assert!(n <= EXACT && worth.len() == sets);
    let bound: Vec<f64> = (0..sets as u32)
        .into_par_iter()
        .map(|set| (0..n).filter(|t| set >> t & 1 == 1).map(|task| company(task, set)).sum())
        .collect();
    // Level k holds F_{k+1}. Below the first level only sets without the first task are asked for.
    let mut levels: Vec<Vec<f64>> = vec![worth.to_vec()];
    let full = (sets - 1) as u32;
    for k in 1..n {
        let below = &levels[k - 1];
        let level = (0..sets as u32).into_par_iter().map(|set| match set == full || set & 1 == 0 {
            true => best(set, worth, below, &bound).0,
            false => f64::NEG_INFINITY,
        });
        let level = level.collect();
        levels.push(level);
    }
    (0..n).map(|k| groups(k, full, worth, &levels, &bound)).collect()
}

/// `F_k` of a set and the group of its first task there, given `F_{k-1}`; staying with at most `k - 1` groups counts too,
/// as the group that is the whole set or what it was split into.
fn best(set: u32, worth: &[f64], below: &[f64], bound: &[f64]) -> (f64, u32) {
    if set == 0 {
        return (0.0, 0);
    }
    let first = set & set.wrapping_neg();
    let rest = set & !first;
    let (mut most, mut group) = (worth[set as usize], set);
    // All subsets of the rest, from the largest down.
    let mut others = rest;
    while others != 0 {
        others = (others - 1) & rest;
        let (own, left) = (first | others, rest & !others);
        if worth[own as usize] + bound[left as usize] > most {
            let sum = worth[own as usize] + below[left as usize];
            if sum > most {
                (most, group) = (sum, own);
            }
        }
    }
    (most, group)
}

/// The groups behind `F_{k+1}` of a set.
fn groups(k: usize, set: u32, worth: &[f64], levels: &[Vec<f64>], bound: &[f64]) -> Vec<Set> {
    let (mut rest, mut k, mut groups) = (set, k, Vec::new());
    while rest != 0 {
        let own = match k {
            0 => rest,
            _ => best(rest, worth, &levels[k - 1], bound).1,
        };
        groups.push(Set::from(own));
        rest &= !own;
        k = k.saturating_sub(1);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::matrix::Matrix;
    use crate::select::worth::{Choice, Gain};

    /// All ways to put `n` tasks into at most `k` groups.
    fn partitions(n: usize, k: usize) -> Vec<Vec<Set>> {
        let mut all = vec![Vec::new()];
        for task in 0..n {
            let mut next = Vec::new();
            for groups in all {
                for g in 0..=groups.len().min(k - 1) {
                    let mut more: Vec<Set> = groups.clone();
                    match more.get_mut(g) {
                        Some(group) => *group |= 1 << task,
                        None => more.push(1 << task),
                    }
                    next.push(more);
                }
            }
            all = next;
        }
        all
    }

    #[test]
    fn nothing_beats_what_it_finds() {
        for seed in 0..20u64 {
            let n = 6;
            let mut state = seed;
            let mut noise = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1u64 << 53) as f64 - 0.4
            };
            let matrix = Matrix::from_fn(n, |_| noise());
            let choice = Choice { gain: Gain::Pairs(matrix.clone()), served: (0..n).collect(), helpers: 0 };
            let worth: Vec<f64> = (0..1 << n).map(|set| choice.worth(set).0).collect();
            let company = |task: usize, set: u32| {
                let partners = (0..n).filter(|p| set >> p & 1 == 1 && *p != task);
                partners.map(|p| matrix.at(p, task)).fold(0.0, f64::max)
            };
            let found = exact(n, &worth, company);
            assert_eq!(found.len(), n);
            for (k, groups) in found.iter().enumerate() {
                let total = |groups: &[Set]| groups.iter().map(|g| worth[*g as usize]).sum::<f64>();
                let most = partitions(n, k + 1).iter().map(|p| total(p)).fold(f64::NEG_INFINITY, f64::max);
                assert!(groups.len() <= k + 1);
                assert_eq!(groups.iter().fold(0, |all, g| all | g), (1 << n) - 1, "every task is in a group");
                assert!((total(groups) - most).abs() < 1e-12, "seed {seed}, k {}: {} of {most}", k + 1, total(groups));
            }
        }
    }
}
