//! Dense layers that read one node run as one wide product: experts, gates, heads.
//!
//! A product with many columns runs faster than several with few, reads its input once, and gives back one cotangent
//! instead of adding up several. Layers that are wide by themselves gain nothing and run alone. The layers keep their parameters; what the product reads are copies of their weights
//! side by side, which are brought up to date after each step.

use crate::kernels::{BLOCK, transpose_block};
use crate::wiring::WideWeight;
use polytask_graph::{Graph, Op};
use std::ops::Range;

/// Columns of a layer beyond which its own product is at full speed, and copying is all that would be added.
const WIDEST: usize = 48;
/// Columns in all below which the copying costs more than one product gains.
const FEWEST: usize = 64;

/// Whether layers of so many columns each, which read one node, run faster as one product.
///
/// What is gained is the speed of a wide product over narrow ones: a product keeps blocks of the input in registers for a
/// whole panel of columns, and one of few columns loads the input for little work. From [`WIDEST`] columns on a layer has
/// that speed alone. What is paid is a copy of every column, forward into the layers' values and backward from their
/// cotangents, and one of the weights each step; a product of fewer than [`FEWEST`] columns does not earn that.
fn pays(columns: &[usize]) -> bool {
    columns.len() > 1 && columns.iter().all(|n| *n <= WIDEST) && columns.iter().sum::<usize>() >= FEWEST
}

/// Which nodes run together.
pub(super) struct Bundles {
    /// The members of each bundle, in their order; the first stands for all.
    all: Vec<Vec<usize>>,
    /// By node, the first of its bundle; itself where it runs alone.
    leaders: Vec<usize>,
}

impl Bundles {
    /// Every node alone.
    pub(super) fn none(graph: &Graph) -> Self {
        Bundles { all: Vec::new(), leaders: (0..graph.nodes().len()).collect() }
    }

    /// Narrow dense layers that read one node and agree in their `key`.
    pub(super) fn find<K: PartialEq>(graph: &Graph, key: impl Fn(usize) -> K) -> Self {
        let mut classes: Vec<(usize, K, Vec<usize>)> = Vec::new();
        for (i, node) in graph.nodes().iter().enumerate() {
            let Op::Dense(_) = node.op else { continue };
            if node.shape.width() > WIDEST {
                continue;
            }
            let (input, own) = (node.inputs[0].0, key(i));
            match classes.iter_mut().find(|(other, key, _)| *other == input && *key == own) {
                Some((.., members)) => members.push(i),
                None => classes.push((input, own, vec![i])),
            }
        }
        let mut bundles = Bundles::none(graph);
        let columns = |members: &[usize]| members.iter().map(|&m| graph.nodes()[m].shape.width()).collect::<Vec<_>>();
        for (.., members) in classes.into_iter().filter(|(.., members)| pays(&columns(members))) {
            members.iter().for_each(|&m| bundles.leaders[m] = members[0]);
            bundles.all.push(members);
        }
        bundles
    }

    /// The node where this one runs.
    pub(super) fn leader(&self, node: usize) -> usize {
        self.leaders[node]
    }

    /// What runs where this node stands, itself included; nothing else where it runs alone.
    pub(super) fn members(&self, leader: usize) -> Option<&[usize]> {
        self.all.iter().find(|members| members[0] == leader).map(Vec::as_slice)
    }

    /// Columns of the product at this node; 0 where there is none.
    pub(super) fn width(&self, graph: &Graph, node: usize) -> usize {
        let members = self.members(node).into_iter().flatten();
        members.map(|&m| graph.nodes()[m].shape.width()).sum()
    }
}

impl WideWeight {
    /// Of weights with `k` rows each, behind those that end at `start`.
    pub(super) fn new(start: usize, k: usize, parts: Vec<Range<usize>>) -> Self {
        let len = parts.iter().map(Range::len).sum::<usize>();
        WideWeight { range: start..start + len, k, n: len / k.max(1), parts }
    }

    /// Its rows in blocks: the unit in which it is copied.
    pub(super) fn blocks(&self, index: usize) -> impl Iterator<Item = WideBlock> + use<> {
        let WideWeight { range, k, n, .. } = self.clone();
        (0..k).step_by(BLOCK).map(move |first| {
            let (start, end) = (first * n, (first + BLOCK).min(k) * n);
            WideBlock { weight: index, first, range: range.start + start..range.start + end }
        })
    }

    /// Copies rows from the first on, as many as there is room for.
    fn copy(&self, values: &[f32], first: usize, into: &mut [f32]) {
        let mut column = 0;
        for part in &self.parts {
            let width = part.len() / self.k;
            let rows = values[part.clone()].chunks_exact(width).skip(first);
            for (from, into) in rows.zip(into.chunks_exact_mut(self.n)) {
                into[column..column + width].copy_from_slice(from);
            }
            column += width;
        }
    }
}

/// Some rows of a wide weight.
#[derive(Clone, Debug)]
pub(crate) struct WideBlock {
    /// Which weight.
    weight: usize,
    /// Its first row.
    first: usize,
    /// Where it lies among all wide weights.
    pub range: Range<usize>,
}

/// Scalars below which a hand-over between threads would cost more than the copying.
const SHARED_OUT: usize = 16 * 1024;

/// Brings copies up to date with the values, `copies` and `transposed` (empty where nothing is trained) being those of
/// these blocks.
pub(crate) fn refresh(
    weights: &[WideWeight],
    blocks: &[WideBlock],
    values: &[f32],
    copies: &mut [f32],
    transposed: &mut [f32],
) {
    let (left, right) = match blocks {
        [] => return,
        [WideBlock { weight, first, .. }] => {
            let weight = &weights[*weight];
            weight.copy(values, *first, copies);
            if !transposed.is_empty() {
                transpose_block(copies, weight.n, transposed);
            }
            return;
        }
        _ => blocks.split_at(blocks.len() / 2),
    };
    let middle = right[0].range.start - left[0].range.start;
    let small = copies.len() < SHARED_OUT;
    let (copies, turned) = (copies.split_at_mut(middle), transposed.split_at_mut(middle.min(transposed.len())));
    let mut low = || refresh(weights, left, values, copies.0, turned.0);
    let mut high = || refresh(weights, right, values, copies.1, turned.1);
    match small {
        true => (low(), high()),
        false => rayon::join(low, high),
    };
}

#[cfg(test)]
mod tests {
    use super::pays;

    #[test]
    fn narrow_layers_run_together_where_they_are_many() {
        assert!(pays(&[16; 8]) && pays(&[48, 16]) && pays(&[4; 16]), "experts and gates");
        assert!(!pays(&[48]) && !pays(&[]), "one layer has nothing to run with");
        assert!(!pays(&[1; 8]) && !pays(&[31, 32]), "too few columns to pay for the copies");
        assert!(!pays(&[64; 8]) && !pays(&[49, 49]), "wide layers are fast alone: the heads of 64 of the benchmark W2");
    }
}
