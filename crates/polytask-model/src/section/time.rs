//! A length of time, such as "90s", "2m" or "1.5h".

use super::scalar::Scalar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time: seconds, or a number with `s`, `m` or `h` behind it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Scalar", into = "String")]
#[schemars(with = "String")]
pub struct Time(f64);

impl Time {
    /// As a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs_f64(self.0)
    }
}

/// Seconds at most: ten years.
const LONGEST: f64 = 3.2e8;

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let unit = |c: char| match c {
            's' => Some(1.0),
            'm' => Some(60.0),
            'h' => Some(3600.0),
            _ => None,
        };
        let last = text.chars().next_back().and_then(unit);
        let number = if last.is_some() { &text[..text.len() - 1] } else { text };
        let seconds = number.trim().parse::<f64>().ok().map(|number| number * last.unwrap_or(1.0));
        match seconds.filter(|seconds| *seconds > 0.0 && *seconds <= LONGEST) {
            Some(seconds) => Ok(Time(seconds)),
            None => Err(format!("`{text}` is no length of time; write for example 90s, 2m or 1.5h")),
        }
    }
}

impl TryFrom<Scalar> for Time {
    type Error = String;

    fn try_from(value: Scalar) -> Result<Self, String> {
        value.to_string().trim_matches('"').parse()
    }
}

impl From<Time> for String {
    fn from(time: Time) -> String {
        time.to_string()
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_units() {
        let seconds = |text: &str| text.parse::<Time>().map(|time| time.duration().as_secs_f64());
        assert_eq!(seconds("90"), Ok(90.0));
        assert_eq!(seconds(" 2m"), Ok(120.0));
        assert_eq!(seconds("1.5 h"), Ok(5400.0));
        for wrong in ["", "m", "0s", "-1s", "2d", "inf", "1e20h", "NaN"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        let time: Time = "2m".parse().unwrap();
        assert_eq!(time.to_string().parse::<Time>(), Ok(time));
    }
}
