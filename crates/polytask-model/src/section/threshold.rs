//! `tasks.NAME.threshold`: from which probability on a class is said.

use super::error::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The probability from which on the positive class, or a label, is said; or what it is to be good for on held-out rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Threshold {
    /// This one.
    At(f64),
    /// The largest F1.
    F1,
    /// The largest mean of the two classes' recalls.
    BalancedAccuracy,
    /// The largest recall among those of at least this precision.
    Precision(f64),
    /// The largest precision among those of at least this recall.
    Recall(f64),
    /// The least cost of the mistakes.
    Cost {
        /// Of saying the class where it is not there.
        wrong: f64,
        /// Of not saying it where it is.
        missed: f64,
    },
}

/// As it is written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "it must be a probability, \"f1\", \"balanced_accuracy\", { precision = 0.9 }, { recall = 0.9 } or { cost = { fp = 1, fn = 5 } }"
)]
enum Written {
    At(f64),
    Word(Word),
    Precision(Precision),
    Recall(Recall),
    Cost(Cost),
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Word {
    F1,
    BalancedAccuracy,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Precision {
    /// At least.
    precision: f64,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Recall {
    /// At least.
    recall: f64,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Cost {
    /// Of a mistake.
    cost: Costs,
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Costs {
    /// Of saying the class where it is not there, above 0.
    fp: f64,
    /// Of not saying it where it is, above 0.
    #[serde(rename = "fn")]
    missed: f64,
}

impl TryFrom<Written> for Threshold {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        Ok(match written {
            Written::At(at) => Threshold::At(at),
            Written::Word(Word::F1) => Threshold::F1,
            Written::Word(Word::BalancedAccuracy) => Threshold::BalancedAccuracy,
            Written::Precision(Precision { precision }) => Threshold::Precision(precision),
            Written::Recall(Recall { recall }) => Threshold::Recall(recall),
            Written::Cost(Cost { cost: Costs { fp, missed } }) => Threshold::Cost { wrong: fp, missed },
        })
    }
}

impl From<Threshold> for Written {
    fn from(threshold: Threshold) -> Self {
        match threshold {
            Threshold::At(at) => Written::At(at),
            Threshold::F1 => Written::Word(Word::F1),
            Threshold::BalancedAccuracy => Written::Word(Word::BalancedAccuracy),
            Threshold::Precision(precision) => Written::Precision(Precision { precision }),
            Threshold::Recall(recall) => Written::Recall(Recall { recall }),
            Threshold::Cost { wrong, missed } => Written::Cost(Cost { cost: Costs { fp: wrong, missed } }),
        }
    }
}

impl JsonSchema for Threshold {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Threshold".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

/// As people read it.
impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Threshold::At(at) => write!(f, "{at}"),
            Threshold::F1 => f.write_str("the largest F1"),
            Threshold::BalancedAccuracy => f.write_str("the largest balanced accuracy"),
            Threshold::Precision(least) => write!(f, "a precision of at least {least}"),
            Threshold::Recall(least) => write!(f, "a recall of at least {least}"),
            Threshold::Cost { wrong, missed } => {
                write!(f, "the least cost (a wrong one costs {wrong}, a missed one {missed})")
            }
        }
    }
}

impl Threshold {
    pub(crate) fn check(self, key: &[&str]) -> Result<(), Problem> {
        let share = |value: f64| value > 0.0 && value < 1.0;
        match self {
            Threshold::F1 | Threshold::BalancedAccuracy => Ok(()),
            Threshold::At(value) | Threshold::Precision(value) | Threshold::Recall(value) => match share(value) {
                true => Ok(()),
                false => Err(Problem::value(key, value, "it must be above 0 and below 1")),
            },
            Threshold::Cost { wrong, missed } => {
                match [wrong, missed].into_iter().find(|cost| !(cost.is_finite() && *cost > 0.0)) {
                    Some(cost) => Err(Problem::value(key, cost, "a cost must be above 0 and finite")),
                    None => Ok(()),
                }
            }
        }
    }
}
