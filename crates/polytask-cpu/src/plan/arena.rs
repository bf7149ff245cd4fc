//! Gives buffers with known lifetimes their places in one arena.

use std::ops::RangeInclusive;

/// Places buffers first-fit: two buffers overlap only if their lifetimes do not.
#[derive(Debug, Default)]
pub(super) struct Arena {
    placed: Vec<(RangeInclusive<usize>, usize, usize)>,
    size: usize,
}

impl Arena {
    /// Place of a buffer of `len` scalars that lives over the given span of the schedule.
    pub(super) fn place(&mut self, life: RangeInclusive<usize>, len: usize) -> usize {
        // Whole cache lines, so that kernels of different buffers never share one.
        let len = len.next_multiple_of(16);
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

    /// Scalars needed in all.
    pub(super) fn size(&self) -> usize {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use super::Arena;

    #[test]
    fn reuses_what_has_died_and_nothing_else() {
        let mut arena = Arena::default();
        let a = arena.place(0..=2, 100);
        let b = arena.place(1..=4, 50);
        assert_eq!((a, b), (0, 112));
        assert_eq!(arena.place(3..=5, 100), 0, "a is dead at 3");
        assert_eq!(arena.place(4..=4, 20), 176, "no room below b and above a's successor");
        assert_eq!(arena.size(), 208);
    }
}
