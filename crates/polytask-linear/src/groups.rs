//! Which tasks belong together, read off their weights.

use crate::Matrix;

/// Tasks in `count` groups: the two groups whose union adds least to the squared distances from the group means are merged
/// until so many are left (Ward, JASA 58, 1963). Groups stand in the order of their first tasks. `blocks` has the columns of
/// each task, as many for all; of `count` beyond the number of tasks, every task is its own.
pub fn groups(weights: &Matrix, blocks: &[usize], count: usize) -> Vec<Vec<usize>> {
    let outputs = blocks.first().copied().unwrap_or(1);
    let vector = |task: usize| -> Vec<f64> {
        (0..weights.rows()).flat_map(|j| weights.row(j)[task * outputs..][..outputs].iter().copied()).collect()
    };
    // Each with its tasks and their mean.
    let mut groups: Vec<(Vec<usize>, Vec<f64>)> = (0..blocks.len()).map(|task| (vec![task], vector(task))).collect();
    while groups.len() > count.max(1) {
        let mut least = (f64::INFINITY, 0, 1);
        for a in 0..groups.len() {
            for b in a + 1..groups.len() {
                let (m, n) = (groups[a].0.len() as f64, groups[b].0.len() as f64);
                let square: f64 = groups[a].1.iter().zip(&groups[b].1).map(|(a, b)| (a - b).powi(2)).sum();
                let added = m * n / (m + n) * square;
                if added < least.0 {
                    least = (added, a, b);
                }
            }
        }
        let (tasks, mean) = groups.remove(least.2);
        let (into, center) = &mut groups[least.1];
        let (m, n) = (into.len() as f64, tasks.len() as f64);
        center.iter_mut().zip(mean).for_each(|(c, other)| *c = (m * *c + n * other) / (m + n));
        into.extend(tasks);
        into.sort_unstable();
    }
    groups.into_iter().map(|(tasks, _)| tasks).collect()
}
