//! The order in which an epoch visits the rows.

use crate::random::Random;
use polytask_math::seed;

/// `rows` in the random order of one epoch (ChaCha8, Fisher-Yates): a function of the seed and the epoch alone, so
/// that a resumed run sees the same batches. Batches are its `chunks`.
pub fn epoch_order(rows: &[u32], seed: u64, epoch: u64) -> Vec<u32> {
    let mut order = rows.to_vec();
    Random::new(seed, epoch).shuffle(&mut order);
    order
}

/// The rows of several sets in the random order of one epoch, as many as all sets have together. The share of a set with n
/// rows goes by `n^power`: with a power of 1 every row comes once; below, rows of large sets are left out and those of
/// small sets come several times, all of one set as often, give or take one. A function of the seed and the epoch alone.
pub fn mixed_order(sets: &[&[u32]], power: f64, seed: u64, epoch: u64) -> Vec<u32> {
    let total: usize = sets.iter().map(|rows| rows.len()).sum();
    let weight = |rows: &&[u32]| if rows.is_empty() { 0.0 } else { (rows.len() as f64).powf(power) };
    let weights: f64 = sets.iter().map(weight).sum();
    let mut order = Vec::with_capacity(total);
    let mut share = 0.0;
    for (i, rows) in sets.iter().enumerate() {
        share += weight(rows);
        // Rounded so that what is rounded off one set goes to the next.
        let end = if i + 1 == sets.len() { total } else { (total as f64 * share / weights).round() as usize };
        if rows.is_empty() {
            continue;
        }
        // A stream of its own for every set, away from that of the epoch.
        let own = epoch_order(rows, seed::part(seed, i as u64), epoch);
        order.extend(own.iter().cycle().take(end.saturating_sub(order.len())));
    }
    Random::new(seed, epoch).shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_mixed_by_a_power_of_their_size() {
        let (large, small): (Vec<u32>, Vec<u32>) = ((0..900).collect(), (900..1000).collect());
        let counts = |power: f64, epoch: u64| {
            let order = mixed_order(&[&large, &[], &small], power, 3, epoch);
            assert_eq!(order.len(), 1000);
            let mut counts = vec![0usize; 1000];
            order.iter().for_each(|row| counts[*row as usize] += 1);
            counts
        };
        assert!(counts(1.0, 0).iter().all(|count| *count == 1));
        // By the root: 30 to 10.
        let by_root = counts(0.5, 0);
        assert_eq!(by_root[900..].iter().sum::<usize>(), 250);
        assert!(by_root[..900].iter().all(|count| *count <= 1));
        assert!(by_root[900..].iter().all(|count| (2..=3).contains(count)));
        assert_eq!(counts(0.0, 0)[900..].iter().sum::<usize>(), 500);
        // Other rows of the large set in another epoch, and the same ones in the same.
        assert_ne!(counts(0.5, 1), by_root);
        assert_eq!(mixed_order(&[&large, &small], 0.5, 3, 7), mixed_order(&[&large, &small], 0.5, 3, 7));
        // Mixed, not one set after the other.
        let order = mixed_order(&[&large, &small], 0.5, 3, 0);
        let first = order[..200].iter().filter(|row| **row >= 900).count();
        assert!((30..=70).contains(&first), "{first}");
    }

    #[test]
    fn every_row_comes_once_and_epochs_differ() {
        let rows: Vec<u32> = (0..1000).map(|row| row * 3).collect();
        let first = epoch_order(&rows, 5, 0);
        assert_ne!(first, rows);
        assert_ne!(first, epoch_order(&rows, 5, 1));
        assert_ne!(first, epoch_order(&rows, 6, 0));
        assert_eq!(first, epoch_order(&rows, 5, 0));
        let mut sorted = first;
        sorted.sort_unstable();
        assert_eq!(sorted, rows);
    }

    #[test]
    fn orders_are_fixed_for_good() {
        // A change here changes every trained model.
        assert_eq!(epoch_order(&[0, 1, 2, 3, 4, 5, 6, 7], 0, 0), [3, 6, 0, 5, 1, 7, 2, 4]);
        assert_eq!(epoch_order(&[0, 1, 2, 3, 4, 5, 6, 7], 7, 3), [7, 3, 5, 4, 2, 0, 6, 1]);
    }

    #[test]
    fn every_place_is_equally_likely() {
        // 6000 epochs of 6 rows: each cell of the 6 x 6 table expects 1000, standard deviation 29; 150 is 5 of them.
        let mut counts = [[0i32; 6]; 6];
        for epoch in 0..6000 {
            for (place, &row) in epoch_order(&[0, 1, 2, 3, 4, 5], 1, epoch).iter().enumerate() {
                counts[row as usize][place] += 1;
            }
        }
        assert!(counts.iter().flatten().all(|count| (count - 1000).abs() < 150), "{counts:?}");
    }

    #[test]
    fn few_rows_are_fine() {
        assert!(epoch_order(&[], 0, 0).is_empty());
        assert_eq!(epoch_order(&[9], 0, 0), [9]);
    }
}
