//! Seeded shuffles, equal on every platform.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// The stream that draws splits; epochs take the others, so that one seed may serve both.
pub(crate) const SPLIT: u64 = u64::MAX;

/// The streams that draw what lies over what in joined images, one a part, downwards from here.
pub(crate) const OVERLAP: u64 = u64::MAX - 1;

/// The first of the streams that are asked for by number.
const NUMBERED: u64 = 1 << 62;

/// One of the independent streams of a seed.
pub struct Random(ChaCha8Rng);

impl Random {
    /// A stream for the caller's own purpose, one of 2^61; it is none of those that split rows or order epochs.
    pub fn numbered(seed: u64, number: u64) -> Self {
        Self::new(seed, NUMBERED + number % (1 << 61))
    }

    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(stream);
        Self(random)
    }

    /// Uniform in 0..bound. Draws that fall in the incomplete last run of `bound` are thrown away, so that no value
    /// is favoured.
    ///
    /// `bound` is 1 or more.
    pub fn below(&mut self, bound: u64) -> u64 {
        let whole = u64::MAX - u64::MAX % bound;
        loop {
            let draw = self.0.next_u64();
            if draw < whole {
                return draw % bound;
            }
        }
    }

    /// Uniform in [0, 1), in steps of 2^-53.
    pub fn unit(&mut self) -> f64 {
        polytask_math::seed::unit(self.0.next_u64())
    }

    /// Shuffles in place (Fisher-Yates).
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for last in (1..values.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            values.swap(last, other);
        }
    }

    /// As many places of `0..count` as there are, drawn with replacement: a bootstrap sample (Efron 1979).
    pub fn draw_again(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.below(count as u64) as u32).collect()
    }
}
