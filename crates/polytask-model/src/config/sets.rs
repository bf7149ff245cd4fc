//! `[data]`, or `[[data]]` several times.

use super::DataConfig;
use crate::nearest::suggest;
use crate::section::Problem;
use crate::section::TaskConfig;
use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = DataConfig;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a table [data], or several [[data]]")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<DataConfig, A::Error> {
        DataConfig::deserialize(MapAccessDeserializer::new(map))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<DataConfig, A::Error> {
        let mut sets = Vec::<DataConfig>::deserialize(SeqAccessDeserializer::new(seq))?.into_iter();
        let first = sets.next().ok_or_else(|| A::Error::custom("there is no data set; give [[data]] a `path`"))?;
        Ok(DataConfig { others: sets.collect(), ..first })
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DataConfig, D::Error> {
    deserializer.deserialize_any(OneOrSeveral)
}

pub(super) fn serialize<S: Serializer>(data: &DataConfig, serializer: S) -> Result<S::Ok, S::Error> {
    match data.others.is_empty() {
        true => data.serialize(serializer),
        false => serializer.collect_seq(std::iter::once(data).chain(&data.others)),
    }
}

pub(super) fn schema(generator: &mut SchemaGenerator) -> Schema {
    let one = DataConfig::json_schema(generator);
    json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
}

/// Checks what several data sets say of tasks.
pub(super) fn check(data: &DataConfig, tasks: &IndexMap<String, TaskConfig>) -> Result<(), Problem> {
    let key = ["data", "tasks"];
    if data.others.is_empty() {
        return match data.tasks {
            Some(_) => Err(Problem::new(&key, "`data.tasks` tells several data sets apart, and there is one")),
            None => Ok(()),
        };
    }
    let names: Vec<&str> = tasks.keys().map(String::as_str).collect();
    for name in data.sets().filter_map(|set| set.tasks.as_ref()).flatten() {
        if !names.contains(&name.as_str()) {
            let message = format!("`data.tasks` names the task \"{name}\", which is not there");
            return Err(Problem::new(&key, message).hint(suggest(name, &names)));
        }
    }
    let labelled =
        |name: &&&str| data.sets().any(|set| set.tasks.as_ref().is_none_or(|tasks| tasks.iter().any(|t| t == **name)));
    match names.iter().find(|name| !labelled(name)) {
        Some(name) => Err(Problem::new(&key, format!("no data set labels the task \"{name}\""))
            .hint("name it in the `tasks` of the [[data]] that has its column".to_owned())),
        None => Ok(()),
    }
}
