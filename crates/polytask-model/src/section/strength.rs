//! `model.sharing.strength` of a linear model: a number, a list, or how to find it.

use super::error::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a penalty weighs, or how that is found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Strength {
    /// Along a path, chosen on the validation rows, or by cross-validation where there are none.
    #[default]
    Auto,
    /// Along a path, chosen by cross-validation.
    Cv,
    /// By leaving out each row in turn, for each task its own; of ridge with squared losses, in closed form.
    Loo,
    /// This one, or the best of these.
    Values(Vec<f64>),
}

/// As it is written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "it must be a number, a list of numbers, \"auto\", \"cv\" or \"loo\"")]
enum Written {
    Word(String),
    One(f64),
    Many(Vec<f64>),
}

impl TryFrom<Written> for Strength {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        match written {
            Written::Word(word) if word == "auto" => Ok(Strength::Auto),
            Written::Word(word) if word == "cv" => Ok(Strength::Cv),
            Written::Word(word) if word == "loo" => Ok(Strength::Loo),
            Written::Word(word) => Err(format!(
                "a strength is \"{word}\"; it must be a number, a list of numbers, \"auto\", \"cv\" or \"loo\""
            )),
            Written::One(value) => Ok(Strength::Values(vec![value])),
            Written::Many(values) => Ok(Strength::Values(values)),
        }
    }
}

impl From<Strength> for Written {
    fn from(strength: Strength) -> Self {
        match strength {
            Strength::Auto => Written::Word("auto".to_owned()),
            Strength::Cv => Written::Word("cv".to_owned()),
            Strength::Loo => Written::Word("loo".to_owned()),
            Strength::Values(values) => match values[..] {
                [one] => Written::One(one),
                _ => Written::Many(values),
            },
        }
    }
}

impl JsonSchema for Strength {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Strength".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

impl Strength {
    pub(crate) fn check(&self, key: &[&str]) -> Result<(), Problem> {
        let Strength::Values(values) = self else { return Ok(()) };
        if values.is_empty() {
            return Err(Problem::new(key, format!("`{}` is an empty list", key.join("."))).at_value());
        }
        match values.iter().find(|value| !(value.is_finite() && **value >= 0.0)) {
            Some(value) => Err(Problem::value(key, value, "it must be 0 or above and finite")),
            None => Ok(()),
        }
    }
}
