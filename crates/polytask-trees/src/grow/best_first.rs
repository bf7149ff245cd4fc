use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::{Grower, Open, Sprout, Structure};
use crate::Growth;

/// Open nodes in the order in which they are split.
struct Entry {
    priority: f64,
    open: Open,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.total_cmp(&other.priority).then(Reverse(self.open.id).cmp(&Reverse(other.open.id)))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

impl Grower<'_> {
    /// Splits leaf after leaf, by gain or level by level.
    pub(super) fn best_first(&self, rows: Vec<u32>) -> Structure {
        let mut sprout = Sprout::new(rows);
        let mut heap = BinaryHeap::new();
        let mut evaluator = self.evaluator();
        let mut root = self.root(&sprout.rows);
        evaluator.evaluate(&sprout.rows, None, &mut root, None);
        let push = |heap: &mut BinaryHeap<Entry>, sprout: &mut Sprout, open: Open| match &open.split {
            Some(split) => {
                let priority = match self.growing.growth {
                    Growth::Leafwise => split.gain,
                    Growth::Depthwise | Growth::Symmetric => -(open.depth as f64),
                };
                heap.push(Entry { priority, open });
            }
            None => sprout.close(open),
        };
        push(&mut heap, &mut sprout, root);
        let mut leaves = 1;
        let mut other = Vec::new();
        while leaves < self.growing.max_leaves
            && let Some(Entry { mut open, .. }) = heap.pop()
        {
            let Some(split) = open.split.take() else { continue };
            let histogram = open.histogram.take();
            let depth = open.depth + 1;
            let [mut left, mut right] = self.divide(&mut sprout, open, split, &mut other);
            leaves += 1;
            if depth < self.growing.max_depth && leaves < self.growing.max_leaves {
                let [small, large] =
                    if left.rows() <= right.rows() { [&mut left, &mut right] } else { [&mut right, &mut left] };
                evaluator.evaluate(&sprout.rows, histogram, small, Some(large));
            } else {
                evaluator.release(histogram);
            }
            push(&mut heap, &mut sprout, left);
            push(&mut heap, &mut sprout, right);
        }
        // In the order of their nodes, so that the order does not depend on the heap's insides.
        let mut rest: Vec<Open> = heap.into_iter().map(|entry| entry.open).collect();
        rest.sort_by_key(|open| open.id);
        for mut open in rest {
            evaluator.release(open.histogram.take());
            sprout.close(open);
        }
        sprout.structure()
    }
}
