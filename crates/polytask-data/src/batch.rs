//! The order in which an epoch visits the rows.

use crate::random::Random;

/// `rows` in the random order of one epoch (ChaCha8, Fisher-Yates): a function of the seed and the epoch alone, so
/// that a resumed run sees the same batches. Batches are its `chunks`.
pub fn epoch_order(rows: &[u32], seed: u64, epoch: u64) -> Vec<u32> {
    let mut order = rows.to_vec();
    Random::new(seed, epoch).shuffle(&mut order);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

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
