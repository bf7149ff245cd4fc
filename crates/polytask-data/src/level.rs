//! One spelling for whole numbers that stand as levels, classes, groups and ids.

use std::borrow::Cow;

/// Exponents from here on are how programs write large whole numbers (`1e16`); smaller ones may be codes of products.
const EXPONENT: usize = 15;
/// A whole number of more digits is left as it is written.
const DIGITS: usize = 40;

/// The spelling of a level: a whole number is `3`, however it is written (`3.0`, ` 3`, `+3`, `3.`, `1e16`), digit by digit
/// and never through a float, so that numbers past 2^53 stay apart. Everything else is as it is: `03` may be a code,
/// `1.10` a version, and blanks around words may mean something.
///
/// ```
/// use polytask_data::level;
/// assert_eq!([" 3", "3.0", "-0", "03", "1.50"].map(|text| level(text).into_owned()), ["3", "3", "0", "03", "1.50"]);
/// assert_eq!(level("9007199254740993.0"), "9007199254740993");
/// ```
pub fn level(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim();
    let (sign, unsigned) = match trimmed.as_bytes().first() {
        Some(b'-') => ("-", trimmed.get(1..).unwrap_or_default()),
        Some(b'+') => ("", trimmed.get(1..).unwrap_or_default()),
        _ => ("", trimmed),
    };
    let Some(digits) = whole(unsigned) else { return Cow::Borrowed(text) };
    match (sign, digits.as_ref()) {
        (_, "0") => Cow::Borrowed("0"),
        ("-", digits) if trimmed.len() == digits.len() + 1 && trimmed.len() == text.len() => Cow::Borrowed(text),
        ("-", digits) => Cow::Owned(format!("-{digits}")),
        _ => digits,
    }
}

/// The digits of a whole number without a sign; none of anything else, or of a number that begins with a zero.
fn whole(text: &str) -> Option<Cow<'_, str>> {
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = |part: &str| all_digits(part) && (part == "0" || !part.starts_with('0'));
    if let Some((mantissa, exponent)) = text.split_once('e') {
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        let exponent: usize = exponent.parse().ok().filter(|power| (EXPONENT..=DIGITS).contains(power))?;
        let (before, after) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let after = after.trim_end_matches('0');
        let fits = plain(before) && before != "0" && before.len() == 1 && after.len() <= exponent;
        let fits = fits && (after.is_empty() || all_digits(after));
        return fits.then(|| Cow::Owned(format!("{before}{after:0<exponent$}")));
    }
    let (before, after) = text.split_once('.').unwrap_or((text, ""));
    (plain(before) && after.bytes().all(|byte| byte == b'0')).then_some(Cow::Borrowed(before))
}

#[cfg(test)]
mod tests {
    use super::level;

    #[test]
    fn whole_numbers_have_one_spelling() {
        for text in ["3", "3.0", " 3", "3 ", "+3", "3.", "3.000"] {
            assert_eq!(level(text), "3", "{text:?}");
        }
        assert_eq!([level("-3.0"), level("-3"), level(" -3"), level("-0.0")], ["-3", "-3", "-3", "0"]);
        assert_eq!(level("9007199254740993.0"), "9007199254740993");
        assert_eq!(
            [level("1e16"), level("1e+16"), level("1.5e16")],
            ["10000000000000000", "10000000000000000", "15000000000000000"]
        );
    }

    #[test]
    fn what_is_no_whole_number_stays() {
        for text in [
            "", " ", "03", "-03", "00", "1.50", "1.10", "3.01", "1e5", "1E16", "12e16", "e16", "a3", " North", "3,0",
            ".0", "-", "1e99", "0x3",
        ] {
            assert_eq!(level(text), text);
        }
    }
}
