//! What the tasks share. One architecture a file: its keys in the config, their checks, and the function that adds
//! what is shared and the heads to a graph.

mod design;
mod hard;
mod none;

pub use design::Design;
pub use hard::Hard;
pub use none::Nothing;

use crate::config::{ModelConfig, Problem, Shorthand};
use polytask_graph::{Graph, GraphBuilder, GraphError};
use schemars::JsonSchema;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, MapDeserializer};
use serde::{Deserialize, Serialize, Serializer};

/// What the tasks share: the name of an architecture, or a table with `method` and the architecture's own keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Sharing {
    /// One trunk for all tasks, a head for each (Caruana 1997).
    Hard(Hard),
    /// Nothing: every task has a network of its own.
    None(Nothing),
}

/// What people want to know of an architecture before they choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Its name in the config.
    pub name: &'static str,
    /// What the tasks share, in a few words.
    pub shares: &'static str,
    /// When to try it.
    pub when: &'static str,
    /// The paper it follows.
    pub paper: &'static str,
}

/// All architectures, a line a file.
pub const ARCHITECTURES: &[Info] = &[hard::INFO, none::INFO];

/// The names of all architectures.
pub const NAMES: &[&str] = &names();

const fn names() -> [&'static str; ARCHITECTURES.len()] {
    let mut names = [""; ARCHITECTURES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = ARCHITECTURES[i].name;
        i += 1;
    }
    names
}

/// One way to share.
pub(crate) trait Architecture {
    /// Its line of [`ARCHITECTURES`].
    fn info(&self) -> &'static Info;

    /// Checks the keys of the config against each other, the rest of the model and the names of the tasks.
    fn check(&self, _model: &ModelConfig, _tasks: &[&str]) -> Result<(), Problem> {
        Ok(())
    }

    /// Adds inputs, what is shared, heads and losses to a graph.
    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>);
}

impl Sharing {
    fn architecture(&self) -> &dyn Architecture {
        match self {
            Sharing::Hard(hard) => hard,
            Sharing::None(nothing) => nothing,
        }
    }

    /// Checks the keys against each other, the rest of the model and the names of the tasks.
    pub(crate) fn check(&self, model: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        self.architecture().check(model, tasks)
    }

    /// Its name in the config.
    pub fn name(&self) -> &'static str {
        self.architecture().info().name
    }

    /// The architecture of this name with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        let table = [("method", name)].into_iter().map(|(key, value)| (key, value.into_deserializer()));
        let table: MapDeserializer<'_, _, Error> = MapDeserializer::new(table);
        Sharing::deserialize(table).ok()
    }
}

impl Default for Sharing {
    fn default() -> Self {
        Sharing::Hard(Hard {})
    }
}

impl Shorthand for Sharing {
    type Table = Sharing;
    const WORDS: &'static [&'static str] = NAMES;
    const TABLE: &'static str = "or a table such as { method = \"hard\" }";

    fn from_word(word: &str) -> Option<Self> {
        Sharing::named(word)
    }

    fn from_table(table: Sharing) -> Result<Self, String> {
        Ok(table)
    }
}

/// Writes the name alone where all keys have their defaults.
pub(crate) fn serialize<S: Serializer>(sharing: &Sharing, serializer: S) -> Result<S::Ok, S::Error> {
    match NAMES.iter().find(|name| Sharing::named(name).as_ref() == Some(sharing)) {
        Some(name) => serializer.serialize_str(name),
        None => sharing.serialize(serializer),
    }
}

/// The graph of a model: inputs, what is shared, a head and a loss for each task.
///
/// # Errors
/// Widths that do not fit together; the message names the layer.
pub fn build(design: &Design<'_>) -> Result<Graph, GraphError> {
    let mut g = GraphBuilder::new();
    design.config.sharing.architecture().build(&mut g, design);
    g.finish()
}
