//! Gives buffers with known lifetimes their places in one arena.

use super::layout::Layout;
use crate::wiring::{SIDE, Slot};
use std::ops::RangeInclusive;

/// One arena a domain: that of the rows has room for as many as a lane may have, the others for one element.
#[derive(Debug)]
pub(super) struct Room {
    rows: usize,
    domains: Vec<Arena>,
}

impl Room {
    /// For lanes of at most `rows` rows and this many other domains.
    pub(super) fn new(rows: usize, domains: usize) -> Self {
        // Whole cache lines, so that kernels of different buffers never share one. A lane sees to it in the other
        // domains, where it knows the number of elements.
        let arena = |i| Arena { unit: if i == 0 { 16 } else { 1 }, ..Arena::default() };
        Room { rows, domains: (0..=domains).map(arena).collect() }
    }

    /// A place for `copies` values of this width for every element.
    pub(super) fn place(&mut self, at: Layout, life: RangeInclusive<usize>, width: usize, copies: usize) -> Slot {
        let Layout { domain, blocked } = at;
        let rows = if blocked { self.rows.next_multiple_of(SIDE) } else { self.rows };
        let len = copies * width * if domain.is_rows() { rows } else { 1 };
        Slot { start: self.domains[domain.0].place(life, len), width, domain: domain.0, blocked }
    }

    /// Scalars needed: in all for the rows, for each element of the other domains.
    pub(super) fn sizes(&self) -> Vec<usize> {
        self.domains.iter().map(|arena| arena.size).collect()
    }
}

/// Places buffers first-fit: two buffers overlap only if their lifetimes do not.
#[derive(Debug, Default)]
struct Arena {
    placed: Vec<(RangeInclusive<usize>, usize, usize)>,
    /// Lengths are multiples of it.
    unit: usize,
    size: usize,
}

impl Arena {
    /// Place of a buffer of `len` scalars that lives over the given span of the schedule.
    fn place(&mut self, life: RangeInclusive<usize>, len: usize) -> usize {
        let len = len.next_multiple_of(self.unit);
        let mut taken: Vec<(usize, usize)> = self
            .placed
            .iter()
            .filter(|(other, ..)| other.start() <= life.end() && life.start() <= other.end())
            .map(|&(_, start, len)| (start, start + len))
            .collect();
        taken.sort_unstable();
        let mut start = 0;
        for (from, to) in taken {
            if from >= start + len {
                break;
            }
            start = start.max(to);
        }
        self.placed.push((life, start, len));
        self.size = self.size.max(start + len);
        start
    }
}

#[cfg(test)]
mod tests {
    use super::Arena;

    #[test]
    fn reuses_what_has_died_and_nothing_else() {
        let mut arena = Arena { unit: 16, ..Arena::default() };
        let a = arena.place(0..=2, 100);
        let b = arena.place(1..=4, 50);
        assert_eq!((a, b), (0, 112));
        assert_eq!(arena.place(3..=5, 100), 0, "a is dead at 3");
        assert_eq!(arena.place(4..=4, 20), 176, "no room below b and above a's successor");
        assert_eq!(arena.size, 208);
    }
}
