//! Random splits that keep groups whole.

use std::cmp::Reverse;

use crate::random::Random;
use crate::split::{Shares, Split};

/// Gives each group, in random order, to the part that lacks most rows. A part that ends up empty, as may happen with
/// few or uneven groups, takes the smallest group of the part with most groups.
pub(super) fn split(mut groups: Vec<Vec<u32>>, shares: Shares, random: &mut Random) -> Split {
    random.shuffle(&mut groups);
    let shares = shares.all();
    let rows: usize = groups.iter().map(Vec::len).sum();
    let mut lacking = shares.map(|share| share * rows as f64);
    let mut parts: [Vec<Vec<u32>>; 3] = Default::default();
    for group in groups {
        let most = (1..3).fold(0, |most, part| if lacking[part] > lacking[most] { part } else { most });
        lacking[most] -= group.len() as f64;
        parts[most].push(group);
    }
    for empty in 0..3 {
        if shares[empty] == 0.0 || !parts[empty].is_empty() {
            continue;
        }
        let richest = (1..3).fold(0, |most, part| if parts[part].len() > parts[most].len() { part } else { most });
        if parts[richest].len() > 1 {
            parts[richest].sort_by_key(|group| Reverse(group.len()));
            let smallest = parts[richest].pop();
            parts[empty].extend(smallest);
        }
    }
    Split::of(parts.map(|groups| groups.concat()))
}
