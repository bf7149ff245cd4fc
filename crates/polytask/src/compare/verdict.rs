//! Whether a difference stands out from the noise.

use super::{deviation, mean};
use serde::Serialize;

/// What sharing did to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better than alone, beyond the noise.
    Helped,
    /// Worse than alone, beyond the noise.
    Hurt,
    /// No difference beyond the noise.
    NoDifference,
    /// One seed shows no noise, so nothing can be said.
    Unknown,
}

impl Verdict {
    /// From a difference, positive where sharing is better, and the half-width of its confidence interval.
    pub fn of(difference: f64, margin: Option<f64>) -> Self {
        match margin {
            None => Verdict::Unknown,
            Some(margin) if difference > margin => Verdict::Helped,
            Some(margin) if difference < -margin => Verdict::Hurt,
            Some(_) => Verdict::NoDifference,
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Helped => "helped",
            Verdict::Hurt => "hurt",
            Verdict::NoDifference => "no difference beyond the noise",
            Verdict::Unknown => "one seed cannot tell",
        }
    }
}

/// Mean of paired differences and half the width of its 95 % confidence interval, `t * s / sqrt(n)` (Student 1908);
/// no width from fewer than two.
pub fn interval(differences: &[f64]) -> (f64, Option<f64>) {
    let n = differences.len();
    let margin = (n >= 2).then(|| student(n - 1) * deviation(differences) / (n as f64).sqrt());
    (mean(differences), margin)
}

/// 97.5 % quantile of Student's t distribution.
fn student(freedom: usize) -> f64 {
    const TABLE: [f64; 10] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];
    match TABLE.get(freedom.wrapping_sub(1)) {
        Some(quantile) => *quantile,
        None => {
            // Cornish-Fisher expansion about the normal quantile; off by less than 5e-4 from 11 degrees on.
            let (z, v) = (1.959_964f64, freedom as f64);
            let first = (z.powi(3) + z) / 4.0;
            let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0;
            let third = (3.0 * z.powi(7) + 19.0 * z.powi(5) + 17.0 * z.powi(3) - 15.0 * z) / 384.0;
            z + first / v + second / v.powi(2) + third / v.powi(3)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_must_stand_out() {
        let verdict = |differences: &[f64]| {
            let (difference, margin) = interval(differences);
            Verdict::of(difference, margin)
        };
        assert_eq!(verdict(&[0.02, 0.021, 0.019]), Verdict::Helped);
        assert_eq!(verdict(&[-0.02, -0.021, -0.019]), Verdict::Hurt);
        assert_eq!(verdict(&[0.02, -0.01, 0.03]), Verdict::NoDifference);
        assert_eq!(verdict(&[0.0, 0.0, 0.0]), Verdict::NoDifference);
        assert_eq!(verdict(&[0.5]), Verdict::Unknown);
    }

    #[test]
    fn quantiles_of_students_t() {
        // Standard tables.
        for (freedom, quantile) in [(1, 12.706), (4, 2.776), (11, 2.201), (20, 2.086), (60, 2.000)] {
            assert!((student(freedom) - quantile).abs() < 1e-3, "{freedom}: {}", student(freedom));
        }
        let (difference, margin) = interval(&[1.0, 2.0, 3.0]);
        assert_eq!(difference, 2.0);
        assert!((margin.unwrap() - 4.303 / 3f64.sqrt()).abs() < 1e-12);
    }
}
