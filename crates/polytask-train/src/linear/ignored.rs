//! Keys of a config that a linear model makes no use of.

use polytask_model::config::{Config, LossConfig, ModelConfig, TrainConfig};
use serde::Serialize;
use serde_json::Value;

/// What a linear model does read of the sections below, and what only looks on.
const READ: &[&str] = &["model.family", "model.sharing", "train.criterion", "train.seed", "loss.watch"];

/// The keys of a config with a linear model that differ from their defaults and do nothing, in backquotes; none with any
/// other model.
pub fn ignored(config: &Config) -> Vec<String> {
    if config.model.sharing.linear().is_none() {
        return Vec::new();
    }
    let mut keys = differing("model", &config.model, &ModelConfig::default());
    keys.extend(differing("loss", &config.loss, &LossConfig::default()));
    keys.extend(differing("train", &config.train, &TrainConfig::default()));
    keys.retain(|key| !READ.contains(&key.as_str()));
    keys.extend(
        config.tasks.iter().filter(|(_, task)| task.head.is_some()).map(|(name, _)| format!("tasks.{name}.head")),
    );
    let embedded = config.inputs.iter().filter(|(_, input)| input.embedding.is_some() || input.one_hot.is_some());
    keys.extend(embedded.map(|(name, _)| format!("inputs.{name}.embedding")));
    keys.into_iter().map(|key| format!("`{key}`")).collect()
}

/// The keys of a section with another value than by default.
fn differing<S: Serialize>(section: &str, now: &S, default: &S) -> Vec<String> {
    let object = |value: &S| match serde_json::to_value(value) {
        Ok(Value::Object(object)) => object,
        _ => serde_json::Map::new(),
    };
    let default = object(default);
    let differs = object(now).into_iter().filter(|(key, value)| default.get(key) != Some(value));
    differs.map(|(key, _)| format!("{section}.{key}")).collect()
}
