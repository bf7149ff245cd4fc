//! Normal numbers.
//!
//! Not by `rand_distr`: its ziggurat draws other numbers from the same seed, and every model trained so far begins with
//! these.

/// A draw from the normal distribution around 0 with a standard `deviation` (Box and Muller 1958). `u` and `v` are
/// independent and uniform in [0, 1).
#[inline]
pub fn normal(deviation: f64, u: f64, v: f64) -> f64 {
    deviation * (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::SplitMix64;

    #[test]
    fn mean_deviation_and_tails() {
        let mut draws = SplitMix64::new(7);
        let n = 100_000;
        let all: Vec<f64> = (0..n).map(|_| normal(2.0, draws.unit(), draws.unit())).collect();
        let mean = all.iter().sum::<f64>() / f64::from(n);
        let square = all.iter().map(|x| x * x).sum::<f64>() / f64::from(n);
        // Five standard errors: 2 / sqrt(n) of the mean, 4 sqrt(2 / n) of the square.
        assert!(mean.abs() < 0.032 && (square - 4.0).abs() < 0.09, "{mean} {square}");
        let far = all.iter().filter(|x| x.abs() > 2.0 * 1.959964).count();
        // 5000, standard deviation 69.
        assert!((4650..=5350).contains(&far), "{far}");
    }

    #[test]
    fn the_ends_of_the_unit_interval_are_finite() {
        let last = 1.0 - f64::EPSILON / 2.0;
        for (u, v) in [(0.0, 0.0), (last, 0.0), (last, last)] {
            assert!(normal(1.0, u, v).is_finite(), "{u} {v}");
        }
    }
}
