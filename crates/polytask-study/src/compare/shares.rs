//! Learning curves: the same comparison with a share of the labels.

use polytask_data::{Random, Split};
use polytask_model::Dataset;
use polytask_model::tasks::Labels;
use polytask_train::Prepared;

/// The stream that draws the order in which labels are given away.
const ORDER: u64 = 1 << 40;

/// The same data with the first `share` (above 0, at most 1) of each task's labels, of the training and of the
/// validation rows, in an order that the seed draws: at least one, and more labels the larger the share. Rows without
/// any label left go. What was fitted on all training rows (scales of numbers, classes) stays.
pub(super) fn thin(prepared: &Prepared, share: f64, seed: u64) -> Prepared {
    let orders = [&prepared.split.train, &prepared.split.valid].map(|rows| {
        let mut order = rows.clone();
        Random::numbered(seed, ORDER).shuffle(&mut order);
        order
    });
    let labels = prepared.data.labels.iter().map(|labels| {
        let mut thinned = labels.clone();
        for order in &orders {
            let labelled: Vec<u32> = order.iter().copied().filter(|row| labels.weighs(*row as usize)).collect();
            let kept = (share * labelled.len() as f64).round().max(1.0) as usize;
            labelled.iter().skip(kept).for_each(|row| forget(&mut thinned, *row as usize));
        }
        thinned
    });
    let labels: Vec<Labels> = labels.collect();
    let left = |rows: &[u32]| {
        let weighs = |row: &&u32| labels.iter().any(|labels| labels.weighs(**row as usize));
        rows.iter().filter(weighs).copied().collect()
    };
    let (train, valid) = (left(&prepared.split.train), left(&prepared.split.valid));
    Prepared {
        encoder: prepared.encoder.clone(),
        tasks: prepared.tasks.clone(),
        split: Split { train, valid, test: prepared.split.test.clone() },
        data: Dataset { labels, ..prepared.data.clone() },
        groups: prepared.groups.clone(),
        given_valid: prepared.given_valid,
        dialect: prepared.dialect.clone(),
        notes: Vec::new(),
        summary: prepared.summary.clone(),
        device: prepared.device.clone(),
    }
}

/// Training does not see the label of a row any more.
fn forget(labels: &mut Labels, row: usize) {
    match &labels.elements {
        None => labels.weights[row] = 0.0,
        Some(ends) => {
            if let Some(&[start, end]) = ends.get(row..row + 2) {
                labels.weights[start as usize..end as usize].fill(0.0);
            }
        }
    }
}
