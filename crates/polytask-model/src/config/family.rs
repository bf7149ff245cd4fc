//! Which family of models a config asks for, where it does not say so.

use super::{Config, Family};
use crate::inputs::{Code, Encoder};
use crate::tasks::Task;
use toml::{Table, Value};

/// Keys of `[model]` that say nothing about networks.
const OF_MODEL: &[&str] = &["family", "preset", "candidates", "time", "trees"];
/// Keys of `[train]` that mean the same in every family.
const OF_TRAIN: &[&str] = &["seed", "criterion", "checkpoint_every"];
/// Keys of `[loss]` that change nothing of a model.
const OF_LOSS: &[&str] = &["watch"];

/// Whether a written config says no family and sets a key of networks.
pub(super) fn is_network(table: &Table) -> bool {
    let section = |name: &str| table.get(name).and_then(Value::as_table);
    if section("model").is_some_and(|model| model.contains_key("family")) {
        return false;
    }
    let named = |name: &str, all: &[&str]| {
        let keys = section(name).into_iter().flat_map(Table::keys);
        keys.into_iter().any(|key| !all.contains(&key.as_str()))
    };
    let inside = |name: &str, key: &str| {
        let parts = section(name).into_iter().flat_map(Table::values).filter_map(Value::as_table);
        parts.into_iter().any(|part| part.contains_key(key))
    };
    let sets = |section: &str, key: &str| match section {
        "model" => !OF_MODEL.contains(&key),
        "train" => !OF_TRAIN.contains(&key),
        "loss" => !OF_LOSS.contains(&key),
        _ => false,
    };
    // A key to be tuned is dotted, or stands in a table of its section.
    let tuned = |(key, value): (&String, &Value)| match (key.split_once('.'), value) {
        (Some((section, rest)), _) => sets(section, rest.split('.').next().unwrap_or(rest)),
        (None, Value::Table(inner)) => inner.keys().any(|inner| sets(key, inner)),
        (None, _) => false,
    };
    named("model", OF_MODEL)
        || named("train", OF_TRAIN)
        || named("loss", OF_LOSS)
        || inside("tasks", "head")
        || ["embedding", "one_hot", "encoder"].into_iter().any(|key| inside("inputs", key))
        || section("tune").is_some_and(|tune| tune.iter().any(tuned))
}

impl Config {
    /// The family of models for these inputs and tasks, never [`Family::Auto`]: what the config says, a network where one
    /// of its keys differs from its default, an ensemble for tables, a network for all else.
    pub fn family(&self, encoder: &Encoder, tasks: &[Task]) -> Family {
        match self.model.family {
            Family::Auto if self.sets_network() || !is_table(encoder, tasks) => Family::Network,
            Family::Auto => Family::Ensemble,
            said @ (Family::Network | Family::Trees | Family::Ensemble) => said,
        }
    }

    /// Whether a key of networks differs from its default.
    fn sets_network(&self) -> bool {
        let plain = Config::of_data(self.data.clone());
        let mut model = self.model.clone();
        let trees = plain.model.clone();
        (model.family, model.preset, model.time, model.trees) = (trees.family, trees.preset, trees.time, trees.trees);
        model.candidates = plain.model.candidates;
        let mut train = self.train.clone();
        (train.seed, train.criterion) = (plain.train.seed, plain.train.criterion.clone());
        train.checkpoint_every = plain.train.checkpoint_every;
        let mut loss = self.loss.clone();
        loss.watch = plain.loss.watch;
        // A config that was written down names its defaults.
        model != plain.model || train.filled() != plain.train.filled() || loss != plain.loss
    }
}

/// Whether trees can read the inputs and predict the tasks: numbers, vectors and categories, a label a row.
pub fn is_table(encoder: &Encoder, tasks: &[Task]) -> bool {
    let plain = |code: &Code| match code {
        Code::Number(_)
        | Code::Boolean(_)
        | Code::Date(_)
        | Code::Category(_)
        | Code::Encoded(_)
        | Code::Seen(_)
        | Code::Own(_) => true,
        Code::Text(_) | Code::Image(_) => false,
    };
    encoder.inputs.iter().all(|input| plain(&input.code)) && tasks.iter().all(|task| task.link().is_some())
}
