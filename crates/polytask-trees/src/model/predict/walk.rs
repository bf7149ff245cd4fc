//! The leaves of a few rows, or of rows in a large tree: eight rows at a time go down together, without a branch a step.

use super::BLOCK;
use super::bytes::{Ask, Run, Set};
use crate::Tree;

/// Rows that go down a tree together.
pub(super) const TOGETHER: usize = 8;
/// Mark of a node that asks for a set.
const SET: u32 = 1 << 31;

/// A node or leaf. A leaf has itself as both children.
#[derive(Clone, Copy)]
pub(super) struct Flat {
    /// Column and mark.
    column: u32,
    /// A run (start, last), or the number of a set.
    ask: u32,
    /// Children within the tree, right then left.
    children: [u32; 2],
}

/// Adds a tree's nodes, then its leaves.
pub(super) fn write(tree: &Tree, asks: &[(u32, Ask)], into: &mut Vec<Flat>) {
    let inner = tree.nodes.len();
    let place = |child: i32| if child >= 0 { child as u32 } else { inner as u32 + (-1 - child) as u32 };
    for (node, &(column, ask)) in tree.nodes.iter().zip(asks) {
        let children = [place(node.children[1]), place(node.children[0])];
        let (column, ask) = match ask {
            Ask::Run(run) => (column, u32::from(run.start) | u32::from(run.last) << 8),
            Ask::Set(set) => (column | SET, set),
        };
        into.push(Flat { column, ask, children });
    }
    into.extend((inner..inner + tree.leaves()).map(|leaf| Flat { column: 0, ask: 0, children: [leaf as u32; 2] }));
}

/// The leaves of rows from `first` on.
pub(super) fn leaves(
    nodes: &[Flat],
    depth: usize,
    sets: &[Set],
    bytes: &[[u8; BLOCK]],
    first: usize,
) -> [usize; TOGETHER] {
    let mut at = [0usize; TOGETHER];
    for _ in 0..depth {
        for (lane, at) in at.iter_mut().enumerate() {
            let node = nodes[*at];
            let byte = bytes[(node.column & !SET) as usize][first + lane];
            let left = match sets.get(node.ask as usize) {
                Some(set) if node.column & SET != 0 => set.holds(byte),
                Some(_) | None => Run { start: node.ask as u8, last: (node.ask >> 8) as u8 }.holds(byte),
            };
            *at = node.children[usize::from(left)] as usize;
        }
    }
    at
}
