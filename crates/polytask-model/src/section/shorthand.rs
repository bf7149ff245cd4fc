//! Sections that are either one word or a table: `schedule = "cosine"` or `schedule = { kind = "step", every = 30 }`.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, MapAccess, Visitor};
use std::marker::PhantomData;

/// A type written as one word or as a table of its keys.
pub(crate) trait Shorthand: Sized {
    /// The table form.
    type Table: DeserializeOwned + JsonSchema;
    /// The words of the short form; empty where any word may stand.
    const WORDS: &'static [&'static str];
    /// The table form in words, for messages.
    const TABLE: &'static str;
    /// Reads the short form; `None` where the word is not known.
    fn from_word(word: &str) -> Option<Self>;
    /// Reads the table form; the error says what is wrong with it as a whole.
    fn from_table(table: Self::Table) -> Result<Self, String>;
}

struct WordOrTable<S>(PhantomData<S>);

impl<'de, S: Shorthand> Visitor<'de> for WordOrTable<S> {
    type Value = S;

    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match S::WORDS.first() {
            Some(word) => write!(f, "a word such as \"{word}\", {}", S::TABLE),
            None => write!(f, "a word, {}", S::TABLE),
        }
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<S, E> {
        S::from_word(word).ok_or_else(|| {
            let words: Vec<String> = S::WORDS.iter().map(|w| format!("`{w}`")).collect();
            E::custom(format_args!("unknown variant `{word}`, expected {}; {}", words.join(", "), S::TABLE))
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<S, A::Error> {
        use serde::Deserialize;
        S::from_table(S::Table::deserialize(MapAccessDeserializer::new(map))?).map_err(A::Error::custom)
    }
}

/// Reads either form.
pub(crate) fn deserialize<'de, S: Shorthand, D: Deserializer<'de>>(deserializer: D) -> Result<S, D::Error> {
    deserializer.deserialize_any(WordOrTable(PhantomData))
}

/// The schema of either form.
pub(crate) fn schema<S: Shorthand>(generator: &mut SchemaGenerator) -> Schema {
    let table = generator.subschema_for::<S::Table>();
    let word = match S::WORDS.is_empty() {
        true => json_schema!({ "type": "string" }),
        false => json_schema!({ "type": "string", "enum": S::WORDS }),
    };
    json_schema!({ "anyOf": [word, table] })
}

/// Makes a [`Shorthand`] type readable by serde and known to the schema.
macro_rules! shorthand {
    ($type:ident) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::section::shorthand::deserialize(deserializer)
            }
        }

        impl schemars::JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::section::shorthand::schema::<Self>(generator)
            }
        }
    };
}
pub(crate) use shorthand;
