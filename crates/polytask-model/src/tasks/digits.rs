//! The digits that a prediction has: a network computes in single precision, and more would be noise.

/// The share of a scale that single precision tells apart.
const SINGLE: f64 = 1e-7;
/// Powers of ten up to this one are exact.
const EXACT: i32 = 22;

/// A value without the digits that are noise to a number of this `scale`. Scores are measured on what comes out, and every
/// format writes it.
pub(super) fn rounded(value: f64, scale: f64) -> f64 {
    let place = (scale.abs() * SINGLE).log10().floor();
    if !value.is_finite() || !place.is_finite() || value == 0.0 {
        return value;
    }
    let place = place as i32;
    let power = 10f64.powi(place.abs().min(EXACT));
    let (scaled, back): (f64, fn(f64, f64) -> f64) = match place < 0 {
        true => (value * power, |whole, power| whole / power),
        false => (value / power, |whole, power| whole * power),
    };
    if place.abs() <= EXACT && scaled.abs() < 9_007_199_254_740_992.0 {
        return back(scaled.round(), power);
    }
    let digits = value.abs().log10().floor() as i32 - place;
    match usize::try_from(digits) {
        // From 17 digits on all of them count.
        Ok(digits) if digits < 17 => format!("{value:.digits$e}").parse().unwrap_or(value),
        Ok(_) => value,
        Err(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn what_the_scale_does_not_tell_goes() {
        for (value, scale, expected) in [
            (1_000_000_001.123_456_8, 2.0, 1_000_000_001.123_456_8),
            (1_700_000_123.456_789, 600.0, 1_700_000_123.456_79),
            (4.558_259_487_152_1, 3.0, 4.558_259_5),
            (1.234_567_894_321e-12, 2e-12, 1.234_567_9e-12),
            (1.234_567_894_321e-40, 2e-40, 1.234_567_9e-40),
            (-1.234_567_894_321e200, 2e200, -1.234_567_9e200),
            (1e-60, 2e-40, 0.0),
            (123_456_789_123.0, 2e12, 123_456_800_000.0),
        ] {
            assert_eq!(rounded(value, scale), expected, "{value} of {scale}");
        }
        assert!(rounded(f64::NAN, 1.0).is_nan());
        assert_eq!(rounded(1.5, 0.0), 1.5);
    }
}
