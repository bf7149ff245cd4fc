//! Dates and times as text, in the form a CSV file would hold them.

/// Days since 1970-01-01 as `2004-03-10` (proleptic Gregorian calendar).
pub(super) fn date(days: i64) -> String {
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Days since 1970-01-01 of a day; none of one that is not in the calendar.
pub(crate) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years and months from March, as in `civil`.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (cycle, years) = (years.div_euclid(400), years.rem_euclid(400));
    let days = cycle * 146_097 + 365 * years + years / 4 - years / 100 + (153 * months + 2) / 5 + day - 1 - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

/// A count of ticks since midnight as `18:00:00` or `18:00:00.25`.
pub(super) fn time(ticks: i64, per_second: i64) -> String {
    let (seconds, rest) = (ticks.div_euclid(per_second), ticks.rem_euclid(per_second));
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest == 0 {
        return clock;
    }
    let digits = per_second.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    format!("{clock}.{}", fraction.trim_end_matches('0'))
}

/// Ticks since the start of 1970 as `2004-03-10 18:00:00`.
pub(super) fn timestamp(ticks: i64, per_second: i64) -> String {
    let per_day = 86_400 * per_second;
    format!("{} {}", date(ticks.div_euclid(per_day)), time(ticks.rem_euclid(per_day), per_second))
}

/// Year, month and day of a day count. Years are counted from March, so that the leap day comes last, within the
/// calendar's cycle of 400 years.
fn civil(days: i64) -> (i64, i64, i64) {
    const CYCLE: i64 = 146_097;
    // From 0000-03-01 to 1970-01-01.
    let days = days.saturating_add(719_468);
    let (cycle, day) = (days.div_euclid(CYCLE), days.rem_euclid(CYCLE));
    // Every 4th year has a leap day (1461 days), no 100th (36524), but the 400th.
    let year = (day - day / 1460 + day / 36_524 - day / (CYCLE - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March: 31 30 31 30 31 | 31 30 31 30 31 | 31 .., five of them 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    (year + 400 * cycle, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_days() {
        for (days, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (11_017, "2000-03-01"),
            (12_487, "2004-03-10"),
            (-25_509, "1900-02-28"),
            (-25_508, "1900-03-01"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!(date(days), text);
        }
    }

    #[test]
    fn days_of_the_calendar_are_counted() {
        for count in (-200_000..200_000).step_by(17) {
            let (year, month, day) = civil(count);
            assert_eq!(days(year, month, day), Some(count));
        }
        assert_eq!([days(2023, 2, 29), days(2024, 4, 31), days(2024, 0, 1), days(1900, 2, 29)], [None; 4]);
    }

    #[test]
    fn days_follow_each_other() {
        let mut before = civil(-200_000);
        for days in -199_999..200_000 {
            let day = civil(days);
            let next = day == (before.0, before.1, before.2 + 1);
            let month = day == (before.0, before.1 + 1, 1);
            assert!(next || month || day == (before.0 + 1, 1, 1), "{before:?} {day:?}");
            before = day;
        }
        assert_eq!(date(200_000), "2517-08-01");
    }

    #[test]
    fn moments_in_every_unit() {
        assert_eq!(timestamp(1_078_941_600_000, 1_000), "2004-03-10 18:00:00");
        assert_eq!(timestamp(1_078_941_600_250_000, 1_000_000), "2004-03-10 18:00:00.25");
        assert_eq!(timestamp(-1, 1_000_000_000), "1969-12-31 23:59:59.999999999");
        assert_eq!(time(3_723_000, 1_000), "01:02:03");
        assert_eq!(timestamp(i64::MIN, 1_000), "-292275055-05-16 16:47:04.192");
    }
}
