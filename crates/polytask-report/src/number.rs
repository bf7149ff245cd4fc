//! Numbers the way people write them.

pub use polytask_graph::count;

/// Four significant digits; a proper minus sign is left to the reader's font.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "–".to_owned()
    } else if size < 1e-12 {
        "0".to_owned()
    } else if !(1e-4..1e7).contains(&size) {
        format!("{value:.3e}")
    } else {
        let digits = (3 - size.log10().floor() as i64).clamp(0, 6) as usize;
        format!("{value:.digits$}")
    }
}

/// The same, or a dash where there is none.
pub fn maybe(value: Option<f64>) -> String {
    value.map_or("–".to_owned(), number)
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// Seconds, roughly.
pub fn seconds(value: f64) -> String {
    match value {
        v if v < 10.0 => format!("{v:.2} s"),
        v if v < 120.0 => format!("{v:.0} s"),
        v => format!("{:.0} min", v / 60.0),
    }
}

/// Bytes, roughly.
pub fn bytes(value: u64) -> String {
    match value {
        v if v < 10_000 => format!("{v} bytes"),
        v if v < 10_000_000 => format!("{:.0} kB", v as f64 / 1e3),
        v if v < 10_000_000_000 => format!("{:.0} MB", v as f64 / 1e6),
        v => format!("{:.1} GB", v as f64 / 1e9),
    }
}

/// The first `most` characters of a text.
pub fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// About `wanted` round numbers that span a range, ascending.
pub fn ticks(low: f64, high: f64, wanted: usize) -> Vec<f64> {
    let span = high - low;
    if !(span > 0.0 && span.is_finite()) {
        return vec![low];
    }
    let rough = span / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= rough).unwrap_or(power);
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// A tick as short as it can be.
pub fn tick(value: f64) -> String {
    let size = value.abs();
    if size < 1e-12 {
        return "0".to_owned();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{value:.0e}");
    }
    let text = format!("{value:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_within() {
        assert_eq!(
            ticks(0.0, 1.0, 5).iter().map(|t| tick(*t)).collect::<Vec<_>>(),
            ["0", "0.2", "0.4", "0.6", "0.8", "1"]
        );
        assert_eq!(ticks(-3.2, 12.9, 4).iter().map(|t| tick(*t)).collect::<Vec<_>>(), ["0", "5", "10"]);
        assert_eq!(ticks(2.0, 2.0, 4), [2.0]);
        assert_eq!([1234567.0, 0.00012, -0.25].map(tick), ["1e6", "1e-4", "-0.25"]);
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.93164, 1.5e-9, 163.24, f64::NAN].map(number), ["0.9316", "1.500e-9", "163.2", "–"]);
        assert_eq!([512, 51_200, 51_200_000].map(bytes), ["512 bytes", "51 kB", "51 MB"]);
        assert_eq!(shorten("größe", 3), "grö…");
        assert_eq!(
            (count(1234567), seconds(3.456), percent(0.1234)),
            ("1,234,567".into(), "3.46 s".into(), "12.3 %".into())
        );
    }
}
