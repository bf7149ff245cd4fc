//! Seeded random numbers whose place in the stream is part of the state.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

use crate::state::State;

/// A ChaCha8 stream, saved as its seed and the number of values drawn.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "Place", into = "Place")]
pub(crate) struct Random {
    place: Place,
    stream: ChaCha8Rng,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Place {
    seed: u64,
    drawn: u64,
}

impl From<Place> for Random {
    fn from(place: Place) -> Self {
        let mut stream = ChaCha8Rng::seed_from_u64(place.seed);
        // The stream counts 32-bit words; every draw takes two.
        stream.set_word_pos(2 * u128::from(place.drawn));
        Self { place, stream }
    }
}

impl From<Random> for Place {
    fn from(random: Random) -> Self {
        random.place
    }
}

impl State for Random {
    fn fits(&self, _fresh: &Self) -> bool {
        true
    }
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Place { seed, drawn: 0 }.into()
    }

    fn draw(&mut self) -> u64 {
        self.place.drawn += 1;
        self.stream.next_u64()
    }

    /// Uniform in [0, 1).
    pub(crate) fn uniform(&mut self) -> f64 {
        polytask_math::seed::unit(self.draw())
    }

    /// Standard normal.
    pub(crate) fn normal(&mut self) -> f64 {
        polytask_math::normal(1.0, self.uniform(), self.uniform())
    }

    /// Shuffles in place (Fisher-Yates). The bias of the remainder is below 2^-57 for 64 tasks.
    pub(crate) fn shuffle(&mut self, values: &mut [usize]) {
        for last in (1..values.len()).rev() {
            let other = (self.draw() % (last as u64 + 1)) as usize;
            values.swap(last, other);
        }
    }
}
