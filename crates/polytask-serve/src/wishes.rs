//! What is wanted of a prediction: said in the query, or beside the rows of a JSON body under the same names.

use crate::problem::{Kind, Problem};
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;
use utoipa::{IntoParams, ToSchema};

/// How predictions are asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wishes {
    /// Whether the probability of every class is wanted.
    pub probabilities: Option<bool>,
    /// Adds what holds the label with this probability, between 0 and 1: an interval of a quantity, a set of classes.
    pub interval: Option<f64>,
    /// With `interval`: one level for the labels of all tasks of a row at once, those that are not asked for too.
    pub joint: Option<bool>,
    /// Adds what each input adds to each prediction, in its units; JSON alone has a place for it.
    pub explain: Option<bool>,
    /// Predicts these tasks alone; what only the others need is not computed. With commas between their names in the query.
    #[serde(default, deserialize_with = "names")]
    #[param(style = Form, explode = false)]
    pub tasks: Option<Vec<String>>,
    /// What becomes of columns that the model does not know. By default those of a table (CSV, Arrow) are passed over, and a
    /// key of an object or a form is refused.
    #[param(inline)]
    #[schema(inline)]
    pub unknown: Option<Unknown>,
}

/// What becomes of columns that the model does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// The request is refused: most likely a name is misspelt.
    Refuse,
    /// They are passed over.
    Ignore,
}

/// The names of what may be wished for.
pub const NAMES: [&str; 6] = ["probabilities", "interval", "joint", "explain", "tasks", "unknown"];

/// What is said of a query that says something else.
pub const HINT: &str = "there are `probabilities=true`, `interval=0.9`, `joint=true`, `explain=true`, `tasks=NAME,NAME` and \
                        `unknown=ignore` or `unknown=refuse`";

/// Bytes of a wish in JSON at most: names of tasks are the longest.
const LONGEST: usize = 64 << 10;

impl Wishes {
    /// From the keys of a JSON body beside its rows.
    ///
    /// # Errors
    /// A key twice, or with a value of another kind.
    pub fn of_keys(keys: &[(String, &RawValue)]) -> Result<Self, Problem> {
        let malformed = |detail: String| {
            let hint =
                "beside `rows` there may be `probabilities`, `interval`, `joint`, `explain`, `tasks` and `unknown`";
            Problem::new(Kind::Malformed, format!("body: {detail}")).hint(hint)
        };
        if let Some((key, _)) = keys.iter().find(|(_, value)| value.get().len() > LONGEST) {
            return Err(malformed(format!("`{key}` is longer than {LONGEST} bytes")));
        }
        let pairs: Vec<String> = keys.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        let all = format!("{{{}}}", pairs.join(", "));
        serde_json::from_str(&all).map_err(|error| {
            // The place is one of this text, not of the body.
            let text = error.to_string();
            let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
            match keys {
                [(key, _)] => malformed(format!("`{key}`: {text}")),
                _ => malformed(text.to_owned()),
            }
        })
    }

    /// What the query and the body wish for together.
    ///
    /// # Errors
    /// The same is said in both.
    pub fn and(self, body: Wishes) -> Result<Self, Problem> {
        fn either<T>(name: &str, query: Option<T>, body: Option<T>) -> Result<Option<T>, Problem> {
            match (query, body) {
                (Some(_), Some(_)) => {
                    let detail = format!("`{name}` stands in the query and in the body");
                    Err(Problem::new(Kind::BadQuery, detail).hint("say it once"))
                }
                (query, body) => Ok(query.or(body)),
            }
        }
        Ok(Wishes {
            probabilities: either("probabilities", self.probabilities, body.probabilities)?,
            interval: either("interval", self.interval, body.interval)?,
            joint: either("joint", self.joint, body.joint)?,
            explain: either("explain", self.explain, body.explain)?,
            tasks: either("tasks", self.tasks, body.tasks)?,
            unknown: either("unknown", self.unknown, body.unknown)?,
        })
    }
}

/// Names in a list, or with commas between them in one text.
fn names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    struct Names;
    impl<'de> Visitor<'de> for Names {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of the names of tasks")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<String>, E> {
            Ok(text.split(',').map(str::to_owned).collect())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
            let mut all = Vec::new();
            while let Some(name) = list.next_element()? {
                all.push(name);
            }
            Ok(all)
        }
    }
    let all = deserializer.deserialize_any(Names)?;
    if all.iter().all(String::is_empty) {
        return Err(D::Error::custom("`tasks` names no task"));
    }
    Ok(Some(all))
}
