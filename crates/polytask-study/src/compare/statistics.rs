//! Small-sample statistics: Student's t, and p values of several tasks at once.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Two-sided p value of a t statistic: the chance of one at least as far from 0.
pub fn p_value(t: f64, freedom: f64) -> f64 {
    match StudentsT::new(0.0, 1.0, freedom) {
        Ok(distribution) if t.is_finite() => 2.0 * distribution.sf(t.abs()),
        _ => 0.0,
    }
}

/// The 97.5 % quantile of Student's t distribution with `freedom` degrees, 1 or more.
pub fn student(freedom: f64) -> f64 {
    // Not by the library's own quantile, which is 7 % off at 1e7 degrees and does not end at 1e8 (statrs 0.19.1). The p
    // value falls with t, and beyond this even one degree of freedom leaves less than 5 %.
    let (mut low, mut high) = (0.0, 1e3);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if p_value(middle, freedom) > 0.05 { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

/// p values corrected so that the chance of even one false alarm among them stays below the level they are held
/// against (Holm 1979): `max over j <= i of min(1, (m - j + 1) p_(j))` with the p values in ascending order. Those that
/// are not known count as no test.
pub fn holm(p: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p.iter().enumerate().filter_map(|(i, p)| Some((i, (*p)?))).collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut corrected = vec![None; p.len()];
    let (tests, mut least) = (order.len(), 0.0f64);
    for (place, (i, p)) in order.into_iter().enumerate() {
        least = least.max(((tests - place) as f64 * p).min(1.0));
        corrected[i] = Some(least);
    }
    corrected
}

/// Degrees of freedom of a sum of independent variances, each estimated with its own (Satterthwaite 1946); infinite
/// where all are 0.
pub fn freedom(parts: &[(f64, f64)]) -> f64 {
    let sum: f64 = parts.iter().map(|(variance, _)| variance).sum();
    let squares: f64 = parts.iter().map(|(variance, freedom)| variance * variance / freedom.max(1.0)).sum();
    if squares > 0.0 { sum * sum / squares } else { f64::INFINITY }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_t_as_in_tables() {
        for (freedom, quantile) in [
            (1.0, 12.7062),
            (2.0, 4.30265),
            (4.0, 2.77645),
            (11.0, 2.20099),
            (60.0, 2.0003),
            (1e7, 1.95996),
            (1e9, 1.95996),
        ] {
            assert!((student(freedom) - quantile).abs() < 1e-4, "{freedom}: {}", student(freedom));
        }
        // scipy: 2 * scipy.stats.t.sf(t, freedom)
        for (t, freedom, p) in [
            (2.0, 3.5, 0.12613852),
            (-5.0, 9.0, 7.3896791e-4),
            (0.0, 4.0, 1.0),
            (40.0, 30.0, 1.3726045e-27),
            (1.959963985, 1e7, 0.0500000277),
        ] {
            let got = p_value(t, freedom);
            assert!((got / p - 1.0).abs() < 1e-6, "{t} {freedom}: {got}");
        }
    }

    #[test]
    fn holm_steps_down() {
        let corrected = holm(&[Some(0.01), Some(0.04), None, Some(0.03), Some(0.9)]);
        let expected = [Some(0.04), Some(0.09), None, Some(0.09), Some(0.9)];
        for (got, want) in corrected.iter().zip(expected) {
            assert!(got.zip(want).is_none_or(|(got, want): (f64, f64)| (got - want).abs() < 1e-12), "{corrected:?}");
            assert_eq!(got.is_none(), want.is_none());
        }
        assert_eq!(holm(&[]), []);
    }

    #[test]
    fn freedom_lies_between_the_smallest_and_the_sum() {
        assert_eq!(freedom(&[(2.0, 4.0), (0.0, 9.0)]), 4.0);
        let mixed = freedom(&[(1.0, 2.0), (1.0, 100.0)]);
        assert!(mixed > 2.0 && mixed < 102.0, "{mixed}");
        assert_eq!(freedom(&[(0.0, 2.0)]), f64::INFINITY);
    }
}
