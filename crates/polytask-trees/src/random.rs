//! Random numbers that are found by counting: every stream is named by a seed and a few numbers (round, task, node),
//! so what is drawn does not depend on the order in which threads draw.

/// Stirs all bits of a word (the last step of SplitMix64).
fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// What a stream is for, so that no two uses draw the same numbers.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    Rows = 1,
    Features = 2,
    Thresholds = 3,
    Sketch = 4,
    Round = 5,
}

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64, purpose: Use, names: &[usize]) -> Self {
        let start = mix(seed.wrapping_add(0x9e37_79b9_7f4a_7c15)) ^ mix(purpose as u64);
        Self(names.iter().fold(start, |state, &name| mix(state.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ (name as u64))))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// In `0 .. 1`, never 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// In `0 .. end`; `end` is at least 1.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// Normal with mean 0 and variance 1 (Box and Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// `count` different numbers of `0 .. end`, ascending.
    pub(crate) fn choose(&mut self, end: usize, count: usize) -> Vec<u32> {
        let mut left = count.min(end);
        let mut chosen = Vec::with_capacity(left);
        for number in 0..end {
            if self.below(end - number) < left {
                chosen.push(number as u32);
                left -= 1;
            }
        }
        chosen
    }
}
