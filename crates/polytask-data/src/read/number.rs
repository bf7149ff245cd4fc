//! Numbers as they are written.

use super::missing::MissingWords;

/// A value read as a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell {
    Missing,
    NotANumber,
    Number(f64),
    Infinite,
    Word,
}

impl Cell {
    /// A number of a format that stores numbers.
    pub(super) fn of(value: f64) -> Self {
        match value {
            value if value.is_nan() => Self::NotANumber,
            value if value.is_infinite() => Self::Infinite,
            value => Self::Number(value),
        }
    }

    /// Reads a written value.
    pub(super) fn parse(text: &str, missing: &MissingWords) -> Self {
        let text = text.trim();
        // Numbers are most of what comes, and none of the customary words is one.
        if text.ends_with(|c: char| c.is_ascii_digit())
            && let Ok(value) = text.parse()
            && !missing.is_given(text)
        {
            return Self::of(value);
        }
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if unsigned.eq_ignore_ascii_case("nan") {
            return Self::NotANumber;
        }
        if missing.hides_number(text) {
            return Self::Missing;
        }
        // Past NaN the parser accepts words only for infinity; a number too large for f64 becomes infinite as well.
        text.parse().map_or(Self::Word, Self::of)
    }
}

/// What stands before the digits after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decimal {
    /// `1,805.06`
    Point,
    /// `1.805,06`
    Comma,
}

/// Signs of money.
const CURRENCIES: &str = "$€£¥₹₽₩₺₫฿₴₪₦₱₡₵₸";
/// What may stand between thousands, beside the point and the comma.
const GROUPS: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '’'];

/// A number as people write it: perhaps with a sign of money, a percent sign, and marks between thousands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    negative: bool,
    /// Digits, points and commas.
    core: String,
    pub(super) currency: Option<char>,
    pub(super) percent: bool,
}

impl Written {
    /// Takes a value apart; none where it is no number of this kind.
    pub(super) fn of(text: &str) -> Option<Self> {
        let blank = |c: char| c.is_whitespace();
        let (mut rest, mut negative, mut currency, mut percent) = (text.trim_matches(blank), false, None, false);
        let mut signed = false;
        while let Some(first) = rest.chars().next().filter(|c| !c.is_ascii_digit() && !matches!(c, '.' | ',')) {
            match first {
                '-' | '−' | '+' if !signed => (signed, negative) = (true, first != '+'),
                first if CURRENCIES.contains(first) && currency.is_none() => currency = Some(first),
                _ => return None,
            }
            rest = rest.get(first.len_utf8()..).unwrap_or_default().trim_start_matches(blank);
        }
        while let Some(last) = rest.chars().next_back().filter(|c| !c.is_ascii_digit() && !matches!(c, '.' | ',')) {
            match last {
                '%' if !percent => percent = true,
                last if CURRENCIES.contains(last) && currency.is_none() => currency = Some(last),
                _ => return None,
            }
            rest = rest.get(..rest.len() - last.len_utf8()).unwrap_or_default().trim_end_matches(blank);
        }
        let core = without_groups(rest)?;
        let fits = core.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
        let written = Self { negative, core, currency, percent };
        let is_number = || written.value(Decimal::Point).or_else(|| written.value(Decimal::Comma)).is_some();
        (fits && is_number()).then_some(written)
    }

    /// Which mark must stand before the decimals; none where either may.
    pub(super) fn evidence(&self) -> Option<Decimal> {
        match (self.value(Decimal::Point).is_some(), self.value(Decimal::Comma).is_some()) {
            (true, false) => Some(Decimal::Point),
            (false, true) => Some(Decimal::Comma),
            _ => None,
        }
    }

    /// Its value where the mark before the decimals is known.
    pub(super) fn value(&self, decimal: Decimal) -> Option<f64> {
        let (mark, between) = match decimal {
            Decimal::Point => ('.', ','),
            Decimal::Comma => (',', '.'),
        };
        let (whole, rest) = self.core.split_once(mark).unwrap_or((&self.core, ""));
        let grouped = whole.contains(between);
        let fits = (!grouped || are_groups(whole.split(between))) && rest.bytes().all(|byte| byte.is_ascii_digit());
        let value: f64 = fits.then(|| format!("{}.{rest}", whole.replace(between, "")))?.parse().ok()?;
        value.is_finite().then_some(if self.negative { -value } else { value })
    }
}

/// Whether parts are thousands: three digits each, of the first one to three and no zero in front.
fn are_groups<'a>(mut parts: impl Iterator<Item = &'a str>) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let first = parts.next().unwrap_or_default();
    (1..=3).contains(&first.len())
        && !first.starts_with('0')
        && digits(first)
        && parts.all(|part| part.len() == 3 && digits(part))
}

/// Takes out blanks and apostrophes between thousands; none where they stand elsewhere.
fn without_groups(text: &str) -> Option<String> {
    let end = text.find(['.', ',']).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    match whole.chars().find(|c| GROUPS.contains(c)) {
        None => Some(text.to_owned()),
        Some(mark) if are_groups(whole.split(mark)) => Some(whole.replace(mark, "") + rest),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<f64>, Option<f64>) {
        let written = Written::of(text);
        let value = |decimal| written.as_ref().and_then(|written| written.value(decimal));
        (value(Decimal::Point), value(Decimal::Comma))
    }

    #[test]
    fn marks_say_what_they_are() {
        assert_eq!(read("-1.805,06"), (None, Some(-1805.06)));
        assert_eq!(read("1,805.06"), (Some(1805.06), None));
        assert_eq!(read("$905.03"), (Some(905.03), None));
        assert_eq!(read("-$3,109"), (Some(-3109.0), Some(-3.109)));
        assert_eq!(read("12 %"), (Some(12.0), Some(12.0)));
        assert_eq!(read("2,5 €"), (None, Some(2.5)));
        assert_eq!(read("1.234.567"), (None, Some(1_234_567.0)));
        assert_eq!(read("12\u{a0}345,5"), (None, Some(12_345.5)));
        assert_eq!(read("1'234.5"), (Some(1234.5), None));
        assert_eq!(read("-66,35"), (None, Some(-66.35)));
        assert_eq!(read("0,664"), (None, Some(0.664)));
        assert_eq!(read("4.716"), (Some(4.716), Some(4716.0)));
        assert_eq!(read("1234"), (Some(1234.0), Some(1234.0)));
    }

    #[test]
    fn other_things_are_no_numbers() {
        for text in [
            "",
            "-",
            "1.2.3.4",
            "12.11.2023",
            "03:00",
            "1,2,3",
            "1_000",
            "0x10",
            "12a",
            "1 2",
            "030 123 456",
            "$",
            "1,23,456.7",
            "$5$",
            "--5",
            "1e5",
        ] {
            assert_eq!(read(text), (None, None), "{text}");
        }
    }
}
