//! Dates and times from the ways people and programs write them, as seconds since 1970.

use serde::{Deserialize, Serialize};

use std::borrow::Cow;

use crate::column::{Column, MISSING, Values};
use crate::read::missing::is_missing_word;
use crate::read::moment::days;

const DAY: f64 = 86_400.0;
/// Names of months by their first three letters.
const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
/// The same in German, French, Spanish, Italian, Portuguese and Dutch, where they are others.
const OTHER_MONTHS: [(&str, i64); 22] = [
    ("ene", 1),
    ("gen", 1),
    ("fév", 2),
    ("fev", 2),
    ("mär", 3),
    ("mrz", 3),
    ("maa", 3),
    ("avr", 4),
    ("abr", 4),
    ("mai", 5),
    ("mag", 5),
    ("mei", 5),
    ("giu", 6),
    ("lug", 7),
    ("ago", 8),
    ("aoû", 8),
    ("set", 9),
    ("okt", 10),
    ("ott", 10),
    ("out", 10),
    ("dez", 12),
    ("déc", 12),
];
/// Days of the week by their first three letters.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Years of two digits from here on are of the last century.
const CENTURY: i64 = 69;
/// Counts past this many are milliseconds, not seconds; a thousand times more are microseconds, and so on.
const SECONDS: f64 = 1e11;

/// How the dates of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateFormat {
    /// The year first, `2024-03-10`, `2024/03/10`, `20240310` or, for a whole month, `2024-03`, with or without a time and a
    /// zone: `2024-03-10T18:00:00+01:00`, `20240310T170000Z`, `20240310180000`.
    Year,
    /// The day first: `10.03.2024`, `10/03/24`, `10 Mar 2024`, `Sun, 10 Mar 2024 18:00:00 GMT`.
    Day,
    /// The month first: `03/10/2024`, `Mar 10, 2024`, `Sun Mar 10 18:00:00 2024`.
    Month,
    /// A time of the day alone: `18:00`, `6:00 PM`.
    Time,
    /// Seconds since 1970; of larger numbers milliseconds, microseconds or nanoseconds.
    Unix,
}

/// The order of the tries: where several fit, the first is taken, so that `03/04/2024` is in April.
const FORMATS: [DateFormat; 4] = [DateFormat::Year, DateFormat::Day, DateFormat::Month, DateFormat::Time];

/// A column of dates.
#[derive(Debug, Clone, PartialEq)]
pub struct Dates {
    /// Seconds since 1970-01-01 00:00 UTC, one a row, NaN where missing. A date without a time is its midnight, a time
    /// without a zone is UTC.
    pub seconds: Vec<f64>,
    /// How they are written.
    pub format: DateFormat,
}

impl DateFormat {
    /// The format that all texts have, of those with words or marks between the numbers, or eight or fourteen digits; none where
    /// there is no such, or no text. Words that mean "no value" are passed over. Seconds since 1970 are numbers like any other
    /// and must be asked for.
    pub fn find<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> Option<Self> {
        let texts = texts.filter(|text| !is_absent(text));
        texts.clone().next()?;
        FORMATS.into_iter().find(|format| texts.clone().all(|text| format.seconds(text).is_some()))
    }

    /// Seconds since 1970-01-01 00:00 UTC; none of a text that is not written so, or of a day that is not in the calendar. A
    /// time alone is one of that day.
    pub fn seconds(self, text: &str) -> Option<f64> {
        let text = without_weekday(text.trim());
        match self {
            Self::Unix => text.parse().ok().and_then(unix),
            Self::Time => text.contains(':').then(|| clock(text)).flatten(),
            Self::Year | Self::Day | Self::Month => {
                let (date, time) = parts(text);
                let days = self.days(&date)?;
                Some(days as f64 * DAY + if time.is_empty() { 0.0 } else { clock(time)? })
            }
        }
    }

    fn days(self, text: &str) -> Option<i64> {
        if self == Self::Year && text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return days(text.get(..4)?.parse().ok()?, text.get(4..6)?.parse().ok()?, text.get(6..)?.parse().ok()?);
        }
        let mut fields = text.split(['-', '/', '.', ' ', ',']).filter(|field| !field.is_empty());
        let (a, b, c) = (fields.next()?, fields.next()?, fields.next());
        if fields.next().is_some() {
            return None;
        }
        let (year, month, day) = match self {
            Self::Year => (a, b, c.unwrap_or("1")),
            Self::Day => (c?, b, a),
            Self::Month => (c?, a, b),
            Self::Time | Self::Unix => return None,
        };
        let number = |text: &str, digits: usize| {
            let fits = (1..=digits).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
            fits.then(|| text.parse::<i64>().ok()).flatten()
        };
        // `1.2.04` may be a version, and `10.13.04` is no day that Americans would write.
        let short = |year: &str| {
            let dated = day.len() == 2 || text.contains('/') || month_of(month).is_some();
            let fits = dated && (self == Self::Day || (self == Self::Month && !text.contains('.')));
            number(year, 2).filter(|_| fits).map(|year| year + if year < CENTURY { 2000 } else { 1900 })
        };
        let year = if year.len() == 2 { short(year) } else { number(year, 4).filter(|_| year.len() == 4) }?;
        // `May 18th`.
        let ordinal = ["st", "nd", "rd", "th"].into_iter().find_map(|end| day.strip_suffix(end));
        days(year, number(month, 2).or_else(|| month_of(month))?, number(ordinal.unwrap_or(day), 2)?)
    }
}

/// The number of a month by its name.
fn month_of(name: &str) -> Option<i64> {
    let begin = name.chars().take(3).collect::<String>().to_lowercase();
    if !name.chars().all(char::is_alphabetic) {
        return None;
    }
    let known = MONTHS.iter().position(|month| *month == begin).map(|at| at as i64 + 1);
    known.or_else(|| OTHER_MONTHS.iter().find(|(month, _)| *month == begin).map(|(_, number)| *number))
}

/// Whether a text among dates says that there is none: a word for that, or the date that databases write for it.
fn is_absent(text: &str) -> bool {
    let text = text.trim();
    is_missing_word(text) || text.starts_with("0000-00-00")
}

/// `10 Mar 2024` of `Sun, 10 Mar 2024`.
fn without_weekday(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let begin = text.get(..end.min(3)).unwrap_or_default().to_ascii_lowercase();
    match text.get(end..) {
        Some(rest) if WEEKDAYS.contains(&begin.as_str()) => rest.trim_start_matches([',', ' ', '.']),
        _ => text,
    }
}

/// The date of a text and the time behind it. A year may stand behind the time.
fn parts(text: &str) -> (Cow<'_, str>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 14 && text.len() == 14 {
        return (text.get(..8).unwrap_or_default().into(), text.get(8..).unwrap_or_default());
    }
    if digits == 8 && text.get(8..9) == Some("T") {
        return (text.get(..8).unwrap_or_default().into(), text.get(9..).unwrap_or_default());
    }
    let colon = text.find(':').unwrap_or(text.len());
    let before = text.get(..colon).unwrap_or_default();
    let cut = match before.rfind(['T', 't', ' ']) {
        Some(at) if colon < text.len() => at,
        _ => return (text.into(), ""),
    };
    let date = text.get(..cut).unwrap_or_default().trim_end_matches([',', ' ']);
    let time = text.get(cut + 1..).unwrap_or_default();
    match time.rsplit_once(' ') {
        Some((time, year)) if year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) => {
            (format!("{date} {year}").into(), time)
        }
        _ => (date.into(), time),
    }
}

/// Seconds since midnight UTC of a time such as `18:00`, `18:00:00.25Z`, `6:00 PM`, `18:00+01:00` or `180000`.
fn clock(text: &str) -> Option<f64> {
    let lower = text.trim().to_ascii_lowercase();
    let (text, half) = match (lower.strip_suffix("am"), lower.strip_suffix("pm")) {
        (Some(text), _) => (text.trim_end(), Some(0.0)),
        (_, Some(text)) => (text.trim_end(), Some(12.0)),
        _ => (lower.as_str(), None),
    };
    let text = text.strip_suffix("utc").or_else(|| text.strip_suffix("gmt")).unwrap_or(text).trim_end();
    let (text, zone) = match text.strip_suffix('z') {
        Some(text) => (text, 0.0),
        None => match text.rfind(['+', '-']) {
            Some(at) => (text.get(..at)?.trim_end(), offset(text.get(at..)?)?),
            None => (text, 0.0),
        },
    };
    let compact = !text.contains(':') && matches!(text.len(), 4 | 6) && text.bytes().all(|byte| byte.is_ascii_digit());
    let pairs = |text: &str| text.as_bytes().chunks(2).map(String::from_utf8_lossy).collect::<Vec<_>>().join(":");
    let text = if compact { pairs(text) } else { text.replace(',', ".") };
    let mut fields = text.split(':');
    let field = |text: &str, most: f64| {
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        text.parse::<f64>().ok().filter(|value| digits && (0.0..most).contains(value))
    };
    let hour = field(fields.next()?, if half.is_some() { 13.0 } else { 25.0 })?;
    let minute = field(fields.next()?, 60.0)?;
    // A minute may have a leap second.
    let second = fields.next().map_or(Some(0.0), |second| field(second, 61.0))?;
    let hour = half.map_or(hour, |half| hour % 12.0 + half);
    let seconds = hour * 3600.0 + minute * 60.0 + second;
    (fields.next().is_none() && seconds <= DAY).then_some(seconds - zone)
}

/// Seconds of a zone such as `+01:00`, `-0530` or `+02`; below a day, as RFC 3339 has it.
fn offset(text: &str) -> Option<f64> {
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let digits: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.as_str(), "0"),
        4 => digits.split_at(2),
        _ => return None,
    };
    let (hours, minutes): (f64, f64) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24.0 && minutes < 60.0).then_some(sign * (hours * 3600.0 + minutes * 60.0))
}

/// Seconds of a count since 1970 in seconds, or in a thousandth, a millionth or less of them.
fn unix(count: f64) -> Option<f64> {
    if !count.is_finite() {
        return None;
    }
    let mut unit = 1.0;
    while (count / unit).abs() >= SECONDS && unit < 1e9 {
        unit *= 1e3;
    }
    Some(count / unit)
}

/// A column as dates. Without a format numbers are seconds since 1970, or days such as 20240310 where all are; texts have
/// the format that fits them all. Words such as `NaT`, and `0000-00-00`, are missing.
///
/// # Errors
/// The first row that is no date of the format; the first that is there where no format fits.
pub fn dates(column: &Column, format: Option<DateFormat>) -> Result<Dates, usize> {
    let first = || (0..column.len()).find(|row| !column.is_missing(*row)).unwrap_or(0);
    match &column.values {
        Values::Number(values) => {
            let written: Vec<Option<String>> = values.iter().map(|v| (!v.is_nan()).then(|| v.to_string())).collect();
            let compact = || DateFormat::find(written.iter().flatten().map(String::as_str)).unwrap_or(DateFormat::Unix);
            let format = format.unwrap_or_else(compact);
            let seconds = |(row, text): (usize, &Option<String>)| match text {
                Some(text) => format.seconds(text).ok_or(row),
                None => Ok(f64::NAN),
            };
            let seconds = written.iter().enumerate().map(seconds).collect::<Result<_, usize>>()?;
            Ok(Dates { seconds, format })
        }
        Values::Text(text) => {
            let used = || text.levels.iter().map(String::as_str);
            let numbers = || {
                let mut there = used().filter(|level| !is_absent(level));
                there.all(|level| level.trim().parse::<f64>().is_ok()).then_some(DateFormat::Unix)
            };
            let format = format.or_else(|| DateFormat::find(used())).or_else(numbers).ok_or_else(first)?;
            let moment = |level: &str| if is_absent(level) { Some(f64::NAN) } else { format.seconds(level) };
            let levels: Vec<Option<f64>> = used().map(moment).collect();
            let seconds = |(row, code): (usize, &u32)| match *code {
                MISSING => Ok(f64::NAN),
                code => levels.get(code as usize).copied().flatten().ok_or(row),
            };
            let seconds = text.codes.iter().enumerate().map(seconds).collect::<Result<_, usize>>()?;
            Ok(Dates { seconds, format })
        }
        Values::List(_) | Values::Nested(_) | Values::Images(_) => Err(first()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2004-03-10 00:00 UTC.
    const THEN: f64 = 12_487.0 * DAY;

    #[test]
    fn customary_forms_are_the_same_moment() {
        let hour = 18.0 * 3600.0;
        for (format, text, after) in [
            (DateFormat::Year, "2004-03-10", 0.0),
            (DateFormat::Year, "2004/3/10", 0.0),
            (DateFormat::Year, "20040310", 0.0),
            (DateFormat::Year, "2004-03-10 18:00", hour),
            (DateFormat::Year, "2004-03-10T18:00:00Z", hour),
            (DateFormat::Year, "2004-03-10T18:00:00.250+01:00", hour - 3600.0 + 0.25),
            (DateFormat::Year, "2004-03-10 18:00:00-0530", hour + 19_800.0),
            (DateFormat::Day, "10.03.2004", 0.0),
            (DateFormat::Day, "10/03/2004 18:00", hour),
            (DateFormat::Day, "10 Mar 2004", 0.0),
            (DateFormat::Day, "10-MAR-2004", 0.0),
            (DateFormat::Month, "3/10/2004 6:00 PM", hour),
            (DateFormat::Month, "March 10, 2004", 0.0),
            (DateFormat::Month, "03/10/2004 12:30 am", 1800.0),
            (DateFormat::Year, "20040310T180000Z", hour),
            (DateFormat::Year, "20040310180000", hour),
            (DateFormat::Year, "2004-03-10 18:00:00,250", hour + 0.25),
            (DateFormat::Year, "2004-03", -9.0 * DAY),
            (DateFormat::Day, "10.03.04", 0.0),
            (DateFormat::Day, "10-MAR-04", 0.0),
            (DateFormat::Day, "Wed, 10 Mar 2004 18:00:00 GMT", hour),
            (DateFormat::Day, "10. März 2004", 0.0),
            (DateFormat::Month, "3/10/04", 0.0),
            (DateFormat::Month, "Wed Mar 10 18:00:00 2004", hour),
            (DateFormat::Month, "Wed Mar 10 18:00:00 +0100 2004", hour - 3600.0),
            (DateFormat::Month, "March 10th, 2004", 0.0),
            (DateFormat::Unix, "1078876800", 0.0),
            (DateFormat::Unix, "1078876800000", 0.0),
            (DateFormat::Unix, "1078876800000000000", 0.0),
        ] {
            assert_eq!(format.seconds(text), Some(THEN + after), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "2004",
            "2004-13-10",
            "2004-02-30",
            "10.13.04",
            "1.2.04",
            "1.2",
            "Mar",
            "monday",
            "18:00:00:00",
            "2004-03-10 6",
            "2004-03-10 25:00",
            "12345678",
            "x",
            "2004-03-10-11",
        ] {
            assert!(FORMATS.iter().all(|format| format.seconds(text).is_none()), "{text}");
        }
        assert_eq!(DateFormat::Unix.seconds("soon"), None);
    }

    #[test]
    fn the_format_is_that_of_all() {
        let find = |texts: &[&str]| DateFormat::find(texts.iter().copied());
        assert_eq!(find(&["2024-01-31", "2023-11-23 03:00"]), Some(DateFormat::Year));
        assert_eq!(find(&["03/04/2024", "05/06/2024"]), Some(DateFormat::Day));
        assert_eq!(find(&["03/04/2024", "05/16/2024"]), Some(DateFormat::Month));
        assert_eq!([find(&["13/04/2024", "05/16/2024"]), find(&[]), find(&["1.5", "2.5"])], [None, None, None]);
        assert_eq!(find(&["18:00", "6:30 PM", "NaT"]), Some(DateFormat::Time));
        assert_eq!(
            [find(&["NaT", "0000-00-00"]), find(&["2024-01-31", "-", "0000-00-00"])],
            [None, Some(DateFormat::Year)]
        );
    }

    #[test]
    fn columns_become_seconds() {
        let text = Column::text("x", [Some("10.03.2004"), None, Some("31.12.2004")]);
        let found = dates(&text, None).unwrap();
        assert_eq!((found.format, found.seconds[0], found.seconds[1].is_nan()), (DateFormat::Day, THEN, true));
        let gaps = dates(&Column::text("x", [Some("10.03.2004"), Some("null")]), None).unwrap();
        assert!(gaps.seconds[1].is_nan());
        assert_eq!(dates(&text, Some(DateFormat::Year)), Err(0));
        assert_eq!(dates(&Column::text("x", [None, Some("never")]), None), Err(1));
        let number = |values: Vec<f64>| dates(&Column::number("x", values), None).unwrap();
        assert_eq!(number(vec![THEN, 0.5]).seconds, [THEN, 0.5]);
        assert_eq!(number(vec![20_040_310.0]).seconds, [THEN]);
        assert_eq!(dates(&Column::text("x", [Some("1078876800")]), None).unwrap().seconds, [THEN]);
    }
}
