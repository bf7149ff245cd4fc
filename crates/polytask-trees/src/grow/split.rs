use crate::binning::{Bins, Matrix};
use crate::model::Test;

/// Which bins of a feature go left.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Bins up to `last`, and the bin of missing values if `missing_left`.
    Number { last: u8, missing: u8, missing_left: bool },
    /// A set of bins.
    Category([u64; 4]),
}

impl Rule {
    pub(crate) fn left(&self, bin: u8) -> bool {
        match self {
            Self::Number { last, missing, missing_left } => bin <= *last || (*missing_left && bin == *missing),
            Self::Category(set) => set[usize::from(bin >> 6)] >> (bin & 63) & 1 == 1,
        }
    }

    /// The same test on values.
    fn test(&self, bins: &Bins) -> Test {
        match (self, bins) {
            (Self::Number { last, missing_left, .. }, Bins::Numbers { edges }) => Test::Number {
                // Where every number goes left and what is missing right, the largest finite number is the threshold.
                threshold: edges.get(usize::from(*last)).copied().unwrap_or(f32::MAX),
                missing_left: *missing_left,
            },
            (rule, _) => Test::Category { left: (0..=u8::MAX).filter(|&bin| rule.left(bin)).collect() },
        }
    }
}

/// The best split of a node.
#[derive(Clone, Debug)]
pub(crate) struct Split {
    pub(crate) feature: usize,
    pub(crate) rule: Rule,
    /// Real gain: what the split is worth more than its node.
    pub(crate) gain: f64,
}

/// An inner node while its tree grows.
#[derive(Clone, Debug)]
pub(crate) struct Inner {
    pub(crate) split: Split,
    pub(crate) children: [i32; 2],
    pub(crate) cover: u32,
}

/// A leaf: its rows among the tree's ordered rows, and the bounds of its values where a feature is monotone.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) first: usize,
    pub(crate) end: usize,
    pub(crate) bounds: Option<Vec<[f64; 2]>>,
}

/// A structure without values.
#[derive(Clone, Debug)]
pub(crate) struct Structure {
    pub(crate) nodes: Vec<Inner>,
    pub(crate) leaves: Vec<Leaf>,
    /// The rows that it was grown with, leaf by leaf.
    pub(crate) rows: Vec<u32>,
}

impl Structure {
    /// The leaf of a row.
    pub(crate) fn leaf(&self, matrix: &Matrix, row: usize) -> usize {
        if self.nodes.is_empty() {
            return 0;
        }
        let mut at = 0;
        loop {
            let node = &self.nodes[at];
            let bin = matrix.get(node.split.feature, row);
            match node.children[usize::from(!node.split.rule.left(bin))] {
                child if child >= 0 => at = child as usize,
                child => return (-1 - child) as usize,
            }
        }
    }

    /// The nodes as a model keeps them.
    pub(crate) fn nodes(&self, bins: &[Bins]) -> Vec<crate::model::Node> {
        let node = |inner: &Inner| crate::model::Node {
            feature: inner.split.feature as u32,
            test: inner.split.rule.test(&bins[inner.split.feature]),
            children: inner.children,
            cover: inner.cover,
            gain: inner.split.gain.min(f64::from(f32::MAX)) as f32,
        };
        self.nodes.iter().map(node).collect()
    }
}

/// Brings the rows that go left to the front and keeps the order on both sides; says how many there are.
pub(super) fn partition(rows: &mut [u32], bins: &[u8], rule: &Rule, other: &mut Vec<u32>) -> usize {
    let goes: [bool; 256] = std::array::from_fn(|bin| rule.left(bin as u8));
    other.clear();
    other.resize(rows.len(), 0);
    let (mut left, mut right) = (0, 0);
    for at in 0..rows.len() {
        let row = rows[at];
        let side = goes[usize::from(bins[row as usize])];
        rows[left] = row;
        other[right] = row;
        left += usize::from(side);
        right += usize::from(!side);
    }
    rows[left..].copy_from_slice(&other[..right]);
    left
}
