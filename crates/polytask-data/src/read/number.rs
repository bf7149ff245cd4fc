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

/// Signs and codes of money; what begins like another stands before it.
const MONEY: [&str; 52] = [
    "US$", "R$", "$", "€", "£", "¥", "₹", "₽", "₩", "₺", "฿", "₴", "₪", "₦", "₱", "₡", "₵", "₸", "₫", "zł", "Kč", "kr",
    "EUR", "USD", "GBP", "JPY", "CNY", "CHF", "INR", "RUB", "BRL", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN",
    "CZK", "HUF", "TRY", "ZAR", "MXN", "KRW", "SGD", "HKD", "THB", "IDR", "ILS", "AED", "SAR", "RON",
];
/// What may stand between thousands, beside the point and the comma.
const GROUPS: [char; 5] = [' ', '\u{a0}', '\u{202f}', '\'', '’'];

/// A number as people write it: perhaps with a sign of money, a percent sign, and marks between thousands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Written {
    negative: bool,
    /// Digits, points and commas.
    core: String,
    exponent: Option<i32>,
    pub(super) currency: Option<&'static str>,
    pub(super) percent: bool,
    /// Negative, as accountants write it: `(5.00)`.
    pub(super) bracketed: bool,
}

impl Written {
    /// Takes a value apart; none where it is no number of this kind.
    pub(super) fn of(text: &str) -> Option<Self> {
        let blank = |c: char| c.is_whitespace();
        let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
        let mut rest = text.trim_matches(blank);
        // So that a spreadsheet leaves a value as it is.
        rest = rest.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(rest);
        let (mut negative, mut signed, mut bracketed) = (false, false, false);
        let (mut currency, mut percent) = (None, false);
        while !rest.starts_with(number) {
            if let (None, Some(sign)) = (currency, MONEY.into_iter().find(|sign| rest.starts_with(sign))) {
                currency = Some(sign);
                rest = rest.get(sign.len()..).unwrap_or_default();
            } else {
                match rest.chars().next()? {
                    sign @ ('-' | '−' | '+') if !signed => {
                        (signed, negative) = (true, sign != '+');
                        rest = rest.get(sign.len_utf8()..).unwrap_or_default();
                    }
                    '(' if !signed => {
                        (signed, negative, bracketed) = (true, true, true);
                        rest = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'))?.trim_end_matches(blank);
                    }
                    _ => return None,
                }
            }
            rest = rest.trim_start_matches(blank);
        }
        while !rest.ends_with(number) {
            if let (None, Some(sign)) = (currency, MONEY.into_iter().find(|sign| rest.ends_with(sign))) {
                currency = Some(sign);
                rest = rest.strip_suffix(sign).unwrap_or_default();
            } else if let (false, Some(before)) = (percent, rest.strip_suffix('%')) {
                (percent, rest) = (true, before);
            } else if let (false, Some(before)) = (signed, rest.strip_suffix('-')) {
                (signed, negative, rest) = (true, true, before);
            } else {
                return None;
            }
            rest = rest.trim_end_matches(blank);
        }
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent.parse().ok()?)),
            None => (rest, None),
        };
        let core = without_groups(mantissa)?;
        let fits = core.chars().all(number);
        let written = Self { negative, core, exponent, currency, percent, bracketed };
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
        let fits = match whole.contains(between) {
            true if self.exponent.is_some() => false,
            true => are_groups(whole.split(between)) || (between == ',' && are_lakhs(whole)),
            false => true,
        };
        let fits = fits && rest.bytes().all(|byte| byte.is_ascii_digit());
        let exponent = self.exponent.unwrap_or(0);
        let value: f64 = fits.then(|| format!("{}.{rest}e{exponent}", whole.replace(between, "")))?.parse().ok()?;
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

/// Whether commas stand as in India: `12,34,567`.
fn are_lakhs(text: &str) -> bool {
    let parts: Vec<&str> = text.split(',').collect();
    let digits = parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    let [first, between @ .., last] = parts.as_slice() else { return false };
    let fits = (1..=2).contains(&first.len()) && !first.starts_with('0') && last.len() == 3;
    digits && fits && !between.is_empty() && between.iter().all(|part| part.len() == 2)
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
        for text in ["(5.25)", "$(5.25)", "( $5.25 )", "-5.25", "5.25-"] {
            assert_eq!(read(text), (Some(-5.25), None), "{text}");
        }
        assert_eq!([read("1.805,06 EUR"), read("USD -1,805.06")], [(None, Some(1805.06)), (Some(-1805.06), None)]);
        assert_eq!(read("1,805.06-"), (Some(-1805.06), None));
        assert_eq!([read("5,101e+03"), read("1E5")], [(None, Some(5101.0)), (Some(1e5), Some(1e5))]);
        assert_eq!(read("₹-1,23,456.7"), (Some(-123_456.7), None));
        assert_eq!(read("=\"12,5\""), (None, Some(12.5)));
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
            "1.23.456,7",
            "1,23,45",
            "$5$",
            "--5",
            "-(5)",
            "(5",
            "-5-",
            "1,234e5,6",
        ] {
            assert_eq!(read(text), (None, None), "{text}");
        }
    }
}
