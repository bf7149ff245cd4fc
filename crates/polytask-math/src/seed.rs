//! Streams of draws from a seed, as functions of what they are for (a step, a row, a pair): nothing has to be stored, and
//! nothing depends on the order in which threads ask.
//!
//! All of them are SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): a
//! counter that grows by [`GAMMA`], and a bijection that scatters it.

/// What the counter grows by: 2^64 over the golden ratio, odd.
pub const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A bijection of 64-bit words that leaves no visible order.
#[inline]
pub fn mix(word: u64) -> u64 {
    let half = half_mixed(word);
    let x = (half ^ (half >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[inline]
fn half_mixed(word: u64) -> u64 {
    (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

/// Draw number `index` of the stream of seed 0, from 0 on.
#[inline]
pub fn nth(index: u64) -> u64 {
    mix(index.wrapping_add(1).wrapping_mul(GAMMA))
}

/// Heads or tails, the same every time for the same number.
#[inline]
pub fn coin(number: u64) -> bool {
    half_mixed(number.wrapping_mul(GAMMA)) >> 63 == 1
}

/// The seed of part `index`, from 0 on, away from the seed itself and from the other parts.
#[inline]
pub fn part(seed: u64, index: u64) -> u64 {
    seed ^ index.wrapping_add(1).wrapping_mul(GAMMA)
}

/// 64 random bits as a number in [0, 1), in steps of 2^-53.
#[inline]
pub fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// A stream.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The stream of a seed.
    #[inline]
    pub fn new(seed: u64) -> Self {
        SplitMix64(seed)
    }

    /// The stream of a seed for one purpose, which several numbers name together, such as a step and a row. Each goes
    /// through the mixer, so that neighbours share nothing.
    #[inline]
    pub fn of(seed: u64, purpose: &[u64]) -> Self {
        let mut stream = SplitMix64(seed);
        for part in purpose {
            stream.0 = stream.bits() ^ part;
        }
        stream
    }

    /// The next 64 bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GAMMA);
        mix(self.0)
    }

    /// The next number in [0, 1), in steps of 2^-53.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        unit(self.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_splitmix64() {
        // The first numbers of the reference implementation (Vigna 2015) for the seed 1234567.
        let mut stream = SplitMix64::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| stream.bits()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
        let mut zero = SplitMix64::new(0);
        (0..5).for_each(|i| assert_eq!(zero.bits(), nth(i)));
    }

    #[test]
    fn streams_are_fixed_for_good() {
        // A change here changes trained models and selections.
        let mut purpose = SplitMix64::of(3, &[5, 7]);
        assert_eq!(purpose.bits(), 0xc32c_3c61_23bc_80c0);
        assert_eq!(part(3, 0), 0x9e37_79b9_7f4a_7c16);
        let heads: Vec<u64> = (0..8).filter(|i| coin(*i)).collect();
        assert_eq!(heads, [3, 7]);
    }

    #[test]
    fn coins_are_fair_and_units_fill_the_interval() {
        // 10,000 tosses, standard deviation 50.
        let heads = (0..10_000).filter(|i| coin(*i)).count();
        assert!((4750..=5250).contains(&heads), "{heads}");
        assert_eq!((unit(0), unit(u64::MAX)), (0.0, 1.0 - f64::EPSILON / 2.0));
    }
}
