//! Growing one structure: which rows share a leaf.
//!
//! A structure is grown on [`Statistics`], records of small integers. Histograms of these are built feature by feature
//! (`kernel`), thresholds are swept over (`sweep`), and the best split of a node is found (`find`). `best_first` splits
//! one leaf at a time, `symmetric` all leaves of a level by one test.

mod best_first;
mod category;
mod evaluate;
mod find;
mod kernel;
mod monotone;
mod split;
mod statistics;
mod sweep;
mod symmetric;
mod values;

pub(crate) use split::{Split, Structure};
pub(crate) use statistics::Statistics;
pub(crate) use values::{Residual, Valued, values};

use monotone::Bound;
use split::{Inner, Leaf};

use crate::binning::{Bins, Matrix};
use crate::{Growing, Growth};

/// All that a tree is grown from.
pub(crate) struct Grower<'a> {
    pub(crate) matrix: &'a Matrix,
    pub(crate) bins: &'a [Bins],
    pub(crate) growing: &'a Growing,
    pub(crate) statistics: &'a Statistics,
    /// Features that the tree may use.
    pub(crate) features: &'a [usize],
    /// For every feature the signs of the statistics' outputs; empty if no feature is monotone.
    pub(crate) signs: &'a [Option<Vec<i8>>],
    pub(crate) seed: u64,
    /// Number of the tree, which names its random streams.
    pub(crate) tree: usize,
}

/// A leaf that may still be split.
struct Open {
    id: usize,
    first: usize,
    end: usize,
    total: Vec<i32>,
    histogram: Option<Vec<i32>>,
    depth: usize,
    /// Whose child it is, and on which side.
    parent: Option<(usize, usize)>,
    bounds: Option<Vec<[f64; 2]>>,
    split: Option<Split>,
}

impl Open {
    fn rows(&self) -> usize {
        self.end - self.first
    }
}

/// A tree as it grows.
struct Sprout {
    rows: Vec<u32>,
    nodes: Vec<Inner>,
    leaves: Vec<Leaf>,
}

impl Sprout {
    fn new(rows: Vec<u32>) -> Self {
        Self { rows, nodes: Vec::new(), leaves: Vec::new() }
    }

    /// Makes a leaf of an open node.
    fn close(&mut self, open: Open) {
        let child = -1 - self.leaves.len() as i32;
        if let Some((parent, side)) = open.parent {
            self.nodes[parent].children[side] = child;
        }
        self.leaves.push(Leaf { first: open.first, end: open.end, bounds: open.bounds });
    }

    fn structure(self) -> Structure {
        Structure { nodes: self.nodes, leaves: self.leaves, rows: self.rows }
    }
}

impl Grower<'_> {
    /// Grows a structure on some rows.
    pub(crate) fn grow(&self, rows: Vec<u32>) -> Structure {
        match self.growing.growth {
            Growth::Leafwise | Growth::Depthwise => self.best_first(rows),
            Growth::Symmetric => self.symmetric(rows),
        }
    }

    /// The node of all rows.
    fn root(&self, rows: &[u32]) -> Open {
        Open {
            id: 0,
            first: 0,
            end: rows.len(),
            total: self.statistics.total(rows),
            histogram: None,
            depth: 0,
            parent: None,
            bounds: (!self.signs.is_empty()).then(|| vec![[f64::NEG_INFINITY, f64::INFINITY]; self.statistics.width]),
            split: None,
        }
    }

    /// The monotone bound of a feature in a node, if it has one.
    fn bound<'a>(&'a self, feature: usize, open: &'a Open) -> Option<Bound<'a>> {
        let signs = self.signs.get(feature)?.as_deref()?;
        Some(Bound { signs, bounds: open.bounds.as_deref()? })
    }

    /// Splits an open node by its split: an inner node and two open ones.
    fn divide(&self, sprout: &mut Sprout, open: Open, split: Split, other: &mut Vec<u32>) -> [Open; 2] {
        let at = sprout.nodes.len();
        if let Some((parent, side)) = open.parent {
            sprout.nodes[parent].children[side] = at as i32;
        }
        let rows = &mut sprout.rows[open.first..open.end];
        let middle = open.first + split::partition(rows, self.matrix.column(split.feature), &split.rule, other);
        let few_left = middle - open.first <= open.end - middle;
        let few = if few_left { open.first..middle } else { middle..open.end };
        let few = self.statistics.total(&sprout.rows[few]);
        let many: Vec<i32> = open.total.iter().zip(&few).map(|(all, few)| all - few).collect();
        let [left, right] = if few_left { [few, many] } else { [many, few] };
        let bounds = match self.bound(split.feature, &open) {
            Some(bound) => {
                let l2 = self.growing.l2.max(1e-6);
                bound.children(self.statistics, &left, &open.total, l2).map(Some)
            }
            None => [open.bounds.clone(), open.bounds.clone()],
        };
        let [low, high] = bounds;
        sprout.nodes.push(Inner { split, children: [0, 0], cover: open.rows() as u32 });
        let child = |side: usize, first: usize, end: usize, total: Vec<i32>, bounds| Open {
            id: 2 * at + 1 + side,
            first,
            end,
            total,
            histogram: None,
            depth: open.depth + 1,
            parent: Some((at, side)),
            bounds,
            split: None,
        };
        [child(0, open.first, middle, left, low), child(1, middle, open.end, right, high)]
    }
}
