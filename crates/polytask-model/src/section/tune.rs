//! `[tune]`: the keys that `polytask tune` may set, and what to.

use super::error::{Problem, dotted};
use super::key::parse_key;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use toml::{Table, Value};

/// Keys of the config with the values they may take, as they are written: a list of values, or a table of `low`, `high`
/// and `log`. A key is dotted (`train.learning_rate = ...`), quoted or not, or stands in a table of its section.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tune(Table);

/// A key with the values it may take.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// What is set, one part per level of the config.
    pub key: Vec<String>,
    /// Where that is written, `tune` first.
    pub place: Vec<String>,
    /// To what.
    pub values: Values,
}

/// Values that a key may take.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// One of these; at least one.
    Choices(Vec<Value>),
    /// A whole number.
    Integer {
        /// The least.
        low: i64,
        /// The greatest, above `low`.
        high: i64,
        /// Whether all factors are alike, and `low` is above 0.
        log: bool,
    },
    /// A number.
    Real {
        /// The least.
        low: f64,
        /// The greatest, above `low`.
        high: f64,
        /// Whether all factors are alike, and `low` is above 0.
        log: bool,
    },
}

impl Tune {
    /// Whether there is nothing to tune.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The ranges in their order.
    pub fn ranges(&self) -> Result<Vec<Range>, Problem> {
        let mut ranges = Vec::new();
        for (name, value) in &self.0 {
            let place = vec!["tune".to_owned(), name.clone()];
            let key = match parse_key(name) {
                Some(key) => key,
                None => vec![name.clone()],
            };
            collect(key, place, value, &mut ranges)?;
        }
        for (i, range) in ranges.iter().enumerate() {
            if let Some(other) =
                ranges[..i].iter().find(|r| r.key.starts_with(&range.key) || range.key.starts_with(&r.key))
            {
                let message = format!("`tune` sets `{}` and `{}`", dotted(&other.key), dotted(&range.key));
                return Err(Problem { key: range.place.clone(), message, hint: None, at_value: false });
            }
        }
        Ok(ranges)
    }
}

fn collect(key: Vec<String>, place: Vec<String>, value: &Value, ranges: &mut Vec<Range>) -> Result<(), Problem> {
    let values = match value {
        Value::Array(choices) => choices_of(&key, &place, choices)?,
        Value::Table(table) if is_bounds(table) => bounds(&key, &place, table)?,
        Value::Table(section) => {
            for (name, value) in section {
                let deeper = |path: &[String]| path.iter().chain([name]).cloned().collect::<Vec<_>>();
                collect(deeper(&key), deeper(&place), value, ranges)?;
            }
            return Ok(());
        }
        other => {
            let message = format!("`tune` has {other} for `{}`, which leaves nothing to try", dotted(&key));
            return Err(problem(&place, message)
                .hint("give a list, such as [16, 64], or { low = 1e-4, high = 1e-2, log = true }".to_owned()));
        }
    };
    ranges.push(Range { key, place, values });
    Ok(())
}

fn problem(place: &[String], message: String) -> Problem {
    Problem { key: place.to_vec(), message, hint: None, at_value: true }
}

/// Whether a table says from where to where, and is no section.
fn is_bounds(table: &Table) -> bool {
    let plain = |key: &str| table.get(key).is_some_and(|value| !value.is_array() && !value.is_table());
    ["low", "high", "log"].into_iter().any(plain)
}

fn choices_of(key: &[String], place: &[String], choices: &[Value]) -> Result<Values, Problem> {
    if choices.is_empty() {
        return Err(problem(place, format!("`tune` has no value for `{}`", dotted(key))));
    }
    for (i, choice) in choices.iter().enumerate() {
        if choices[..i].contains(choice) {
            let at: Vec<String> = place.iter().cloned().chain([i.to_string()]).collect();
            return Err(problem(&at, format!("`tune` has {choice} twice for `{}`", dotted(key))));
        }
    }
    Ok(Values::Choices(choices.to_vec()))
}

fn bounds(key: &[String], place: &[String], table: &Table) -> Result<Values, Problem> {
    let name = dotted(key);
    let at = |part: &str| place.iter().cloned().chain([part.to_owned()]).collect::<Vec<_>>();
    if let Some(stray) = table.keys().find(|key| !["low", "high", "log"].contains(&key.as_str())) {
        let message = format!("a range has no key `{stray}`");
        return Err(Problem { at_value: false, ..problem(&at(stray), message) }
            .hint("a range has `low`, `high` and `log`".to_owned()));
    }
    let number = |part: &str| match table.get(part) {
        None => Err(problem(place, format!("the range of `{name}` has no `{part}`"))),
        Some(value @ (Value::Integer(_) | Value::Float(_))) => Ok(value.clone()),
        Some(other) => Err(problem(&at(part), format!("`{part}` of `{name}` is {other}; it must be a number"))),
    };
    let (low, high) = (number("low")?, number("high")?);
    let log = match table.get("log") {
        None => false,
        Some(Value::Boolean(log)) => *log,
        Some(other) => {
            return Err(problem(&at("log"), format!("`log` of `{name}` is {other}; it must be true or false")));
        }
    };
    let values = match (&low, &high) {
        (Value::Integer(low), Value::Integer(high)) => Values::Integer { low: *low, high: *high, log },
        _ => Values::Real { low: real(&low), high: real(&high), log },
    };
    let (from, to) = (real(&low), real(&high));
    for (part, value) in [("low", from), ("high", to)] {
        if !value.is_finite() {
            return Err(problem(&at(part), format!("`{part}` of `{name}` is {value}; it must be finite")));
        }
    }
    if from >= to {
        let message = format!("the range of `{name}` is empty: low is {low}, high is {high}");
        return Err(problem(&at("high"), message));
    }
    if log && from <= 0.0 {
        let message =
            format!("the range of `{name}` is in factors, and begins at {low}; with log, low must be above 0");
        return Err(problem(&at("low"), message));
    }
    Ok(values)
}

fn real(value: &Value) -> f64 {
    match value {
        Value::Integer(value) => *value as f64,
        Value::Float(value) => *value,
        _ => f64::NAN,
    }
}

impl JsonSchema for Tune {
    fn schema_name() -> Cow<'static, str> {
        "Tune".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "additionalProperties": {
                "anyOf": [
                    { "type": "array", "minItems": 1, "description": "One of these values." },
                    {
                        "type": "object",
                        "description": "A number from `low` to `high`, whole where both are.",
                        "properties": {
                            "low": { "type": "number", "description": "The least. Required." },
                            "high": { "type": "number", "description": "The greatest, above `low`. Required." },
                            "log": {
                                "type": "boolean",
                                "description": "All factors are alike, not all differences; `low` is above 0. Default false."
                            }
                        },
                        "required": ["low", "high"],
                        "additionalProperties": false
                    },
                    { "type": "object", "description": "A section with ranges of its keys." }
                ]
            }
        })
    }
}
