//! Random splits by share, within strata.

use crate::random::Random;
use crate::split::{Shares, Split};

/// Divides every stratum by the shares.
///
/// A stratum of n rows gives part p either floor(n s_p) or ceil(n s_p) rows. Rounding up goes to the parts that are
/// furthest behind over the strata so far, so that the parts' totals come out right even where every stratum is small.
/// Strata are visited in random order, or the first ones would always round the same way.
pub(super) fn split(mut strata: Vec<Vec<u32>>, shares: Shares, random: &mut Random) -> Split {
    random.shuffle(&mut strata);
    let mut parts: [Vec<u32>; 3] = Default::default();
    let mut behind = [0.0; 3];
    for mut rows in strata {
        random.shuffle(&mut rows);
        let counts = apportion(rows.len(), shares.all(), &mut behind);
        let mut rows = rows.into_iter();
        for (part, count) in parts.iter_mut().zip(counts) {
            part.extend(rows.by_ref().take(count));
        }
    }
    Split::of(parts)
}

/// How many of `rows` go to each part; `behind` is what each part lacks against its exact share so far.
fn apportion(rows: usize, shares: [f64; 3], behind: &mut [f64; 3]) -> [usize; 3] {
    // The product of a decimal share and a count may fall a hair below the whole number that is meant.
    let exact = shares.map(|share| share * rows as f64);
    let mut counts = exact.map(|count| (count + 1e-9).floor() as usize);
    let mut parts = [0, 1, 2].map(|part| (part, exact[part] - counts[part] as f64));
    // Furthest behind first; at a tie test goes before valid, valid before train.
    parts.sort_by(|a, b| (behind[b.0] + b.1).total_cmp(&(behind[a.0] + a.1)).then(b.0.cmp(&a.0)));
    let mut left = rows.saturating_sub(counts.iter().sum());
    for (part, fraction) in parts {
        if left > 0 && fraction > 1e-9 {
            counts[part] += 1;
            left -= 1;
        }
    }
    for part in 0..3 {
        behind[part] += exact[part] - counts[part] as f64;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_shares_are_met_exactly() {
        for (valid, test) in [(0.1, 0.2), (0.0, 0.3), (0.15, 0.15), (0.25, 0.0)] {
            let shares = [1.0 - valid - test, valid, test];
            let counts = apportion(100, shares, &mut [0.0; 3]);
            assert_eq!(counts, shares.map(|share| (100.0 * share).round() as usize));
        }
    }

    #[test]
    fn counts_are_rounded_shares_and_lose_no_row() {
        let shares = [0.55, 0.15, 0.3];
        let mut behind = [0.0; 3];
        let mut totals = [0usize; 3];
        for rows in (0..200).chain([1; 400]) {
            let counts = apportion(rows, shares, &mut behind);
            assert_eq!(counts.iter().sum::<usize>(), rows);
            for part in 0..3 {
                assert!((counts[part] as f64 - shares[part] * rows as f64).abs() < 1.0);
                totals[part] += counts[part];
            }
        }
        // 400 strata of one row each: the totals are still those of the shares.
        let rows: usize = totals.iter().sum();
        for part in 0..3 {
            assert!((totals[part] as f64 - shares[part] * rows as f64).abs() < 2.0, "{totals:?}");
        }
    }
}
