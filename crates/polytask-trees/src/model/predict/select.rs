//! The leaves of many rows of a small tree, from below: a node chooses between the leaves that its two sides have found,
//! for all rows at once. This asks every node, but a node costs a few instructions for a whole block of rows, while a row
//! that goes down costs several a step.

use super::bytes::{Ask, Run, Set};
use super::{BLOCK, CHUNK};
use crate::Tree;

/// Leaves that a byte can name.
pub(super) const MOST: usize = 256;
/// Arrays of leaves at work: a node needs one more than its sides only where both need equally many.
pub(super) const SLOTS: usize = 8;
/// Mark of a step without a set.
const NONE: u32 = u32::MAX;

/// What a step puts into its slot.
#[derive(Clone, Copy)]
enum Put {
    /// One leaf for rows of the run, another for all others.
    Leaves(u8, u8),
    /// A leaf for rows of the run; others keep what they have.
    Leaf(u8),
    /// What the next slot has, for rows of the run.
    Next,
}

/// A node, at its turn.
pub(super) struct Step {
    column: u32,
    /// If there is one, the run is 1 or 0: whether the set holds a row's byte.
    set: u32,
    run: Run,
    slot: u8,
    put: Put,
}

/// One side of a node.
#[derive(Clone, Copy)]
enum Side {
    Leaf(u8),
    Slot,
}

/// Writes a tree's steps.
struct Writer<'a> {
    tree: &'a Tree,
    asks: &'a [(u32, Ask)],
    /// Slots that each node needs.
    needs: Vec<u8>,
    steps: &'a mut Vec<Step>,
}

/// Adds the steps of a tree of at most [`MOST`] leaves; its last step, if it has any, fills slot 0.
pub(super) fn write(tree: &Tree, asks: &[(u32, Ask)], steps: &mut Vec<Step>) {
    if tree.nodes.is_empty() {
        return;
    }
    let mut needs = vec![1u8; tree.nodes.len()];
    for (index, node) in tree.nodes.iter().enumerate().rev() {
        let [left, right] = node.children.map(|child| if child >= 0 { needs[child as usize] } else { 0 });
        needs[index] = if left == right { left + 1 } else { left.max(right) };
    }
    Writer { tree, asks, needs, steps }.node(0, 0);
}

impl Writer<'_> {
    fn side(&mut self, child: i32, slot: u8) -> Side {
        if child < 0 {
            return Side::Leaf((-1 - child) as u8);
        }
        self.node(child as usize, slot);
        Side::Slot
    }

    fn node(&mut self, index: usize, slot: u8) {
        let [left, right] = self.tree.nodes[index].children;
        // The side that needs more slots goes first.
        let need = |child: i32| if child >= 0 { self.needs[child as usize] } else { 0 };
        let (left, right, left_first) = if need(left) >= need(right) {
            let kept = self.side(left, slot);
            (kept, self.side(right, slot + u8::from(matches!(kept, Side::Slot))), true)
        } else {
            let kept = self.side(right, slot);
            (self.side(left, slot + u8::from(matches!(kept, Side::Slot))), kept, false)
        };
        let (column, ask) = self.asks[index];
        let (set, run) = match ask {
            Ask::Run(run) => (NONE, run),
            Ask::Set(set) => (set, Run { start: 1, last: 0 }),
        };
        let (run, put) = match (left, right) {
            (Side::Leaf(left), Side::Leaf(right)) => (run, Put::Leaves(left, right)),
            (Side::Leaf(left), Side::Slot) => (run, Put::Leaf(left)),
            (Side::Slot, Side::Leaf(right)) => (run.others(), Put::Leaf(right)),
            (Side::Slot, Side::Slot) if left_first => (run.others(), Put::Next),
            (Side::Slot, Side::Slot) => (run, Put::Next),
        };
        self.steps.push(Step { column, set, run, slot, put });
    }
}

type Chunks = [[u8; CHUNK]; BLOCK / CHUNK];

/// Room for the steps of a tree.
pub(super) struct Slots {
    slots: [Chunks; SLOTS],
    held: Chunks,
}

impl Slots {
    pub(super) fn new() -> Self {
        Self { slots: [[[0; CHUNK]; BLOCK / CHUNK]; SLOTS], held: [[0; CHUNK]; BLOCK / CHUNK] }
    }

    /// The leaf of each row, of as many chunks of rows as asked for.
    #[inline(always)]
    pub(super) fn leaves(
        &mut self,
        steps: &[Step],
        sets: &[Set],
        bytes: &[[u8; BLOCK]],
        chunks: usize,
    ) -> &[u8; BLOCK] {
        if steps.is_empty() {
            self.slots[0] = [[0; CHUNK]; BLOCK / CHUNK];
        }
        for step in steps {
            let column = bytes[step.column as usize].as_chunks::<CHUNK>().0;
            let column = match sets.get(step.set as usize) {
                Some(set) => {
                    hold(set, &column[..chunks], &mut self.held);
                    &self.held[..]
                }
                None => column,
            };
            let (own, next) = self.slots[usize::from(step.slot)..].split_at_mut(1);
            let each = own[0].iter_mut().zip(column).take(chunks);
            match step.put {
                Put::Leaves(yes, no) => each.for_each(|(own, bytes)| {
                    own.iter_mut()
                        .zip(bytes)
                        .for_each(|(own, &byte)| *own = if step.run.holds(byte) { yes } else { no })
                }),
                Put::Leaf(yes) => each.for_each(|(own, bytes)| {
                    own.iter_mut()
                        .zip(bytes)
                        .for_each(|(own, &byte)| *own = if step.run.holds(byte) { yes } else { *own })
                }),
                Put::Next => each.zip(&next[0]).for_each(|((own, bytes), next)| {
                    own.iter_mut().zip(bytes.iter().zip(next)).for_each(|(own, (&byte, &next))| {
                        // In bits, so that no compiler makes this a branch.
                        let mask = 0u8.wrapping_sub(u8::from(step.run.holds(byte)));
                        *own ^= (*own ^ next) & mask;
                    })
                }),
            }
        }
        self.slots[0].as_flattened().as_array().unwrap_or(&[0; BLOCK])
    }
}

/// 1 where a set holds a row's byte, 0 where not.
#[inline(always)]
fn hold(set: &Set, column: &[[u8; CHUNK]], held: &mut Chunks) {
    for (held, bytes) in held.iter_mut().zip(column) {
        *held = [0; CHUNK];
        for run in &set.runs {
            held.iter_mut().zip(bytes).for_each(|(held, &byte)| *held |= u8::from(run.holds(byte)));
        }
    }
}
