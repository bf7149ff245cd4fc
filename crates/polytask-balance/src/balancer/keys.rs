//! Reading and checking hyperparameters, once, at construction.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::MethodInfo;
use crate::error::{BalanceError, nearest};
use crate::step::TaskInfo;

/// A number a task, by name; tasks left out get the method's default.
pub(crate) type PerTask = BTreeMap<String, f64>;

/// All that a method is built from.
pub(crate) struct Setup<'a> {
    pub(crate) info: &'static MethodInfo,
    pub(crate) keys: &'a Map<String, Value>,
    pub(crate) tasks: &'a [TaskInfo],
    pub(crate) seed: u64,
}

impl Setup<'_> {
    /// The hyperparameters, with defaults from the method's [`KeyInfo`](crate::KeyInfo)s filled in.
    pub(crate) fn parse<K: DeserializeOwned>(&self) -> Result<K, BalanceError> {
        let mut defaults = Map::new();
        for key in self.info.keys {
            let default = serde_json::from_str(key.default).ok();
            match default.or_else(|| self.keys.get(key.name).cloned()) {
                Some(value) => defaults.insert(key.name.to_string(), value),
                None => {
                    return Err(BalanceError::MissingKey {
                        method: self.info.name,
                        key: key.name,
                        purpose: key.purpose,
                    });
                }
            };
        }
        let read = |map: Map<String, Value>| serde_json::from_value::<K>(Value::Object(map));
        let mut all = defaults.clone();
        all.extend(self.keys.clone());
        read(all).map_err(|error| {
            // serde does not say which key it stopped at, so each is tried alone.
            let culprit = self.keys.iter().find_map(|(key, value)| {
                let mut one = defaults.clone();
                one.insert(key.clone(), value.clone());
                read(one).err().map(|error| (key.clone(), error))
            });
            let (key, error) = culprit.unwrap_or_else(|| ("keys".into(), error));
            BalanceError::BadValue { method: self.info.name, key, message: error.to_string() }
        })
    }

    fn range(&self, key: &str) -> &'static str {
        self.info.keys.iter().find(|k| k.name == key).map_or("", |k| k.range)
    }

    /// Refuses a value of `key` that is not finite or not `allowed`.
    pub(crate) fn check(&self, key: &'static str, value: f64, allowed: bool) -> Result<(), BalanceError> {
        if value.is_finite() && allowed {
            return Ok(());
        }
        Err(BalanceError::OutOfRange { method: self.info.name, key: key.into(), value, range: self.range(key) })
    }

    /// The number of the task called `name`.
    pub(crate) fn task(&self, key: &'static str, name: &str) -> Result<usize, BalanceError> {
        self.tasks.iter().position(|task| task.name == name).ok_or_else(|| BalanceError::UnknownTask {
            method: self.info.name,
            key: key.into(),
            task: name.to_string(),
            nearest: nearest(name, self.tasks.iter().map(|t| t.name.as_str())),
        })
    }

    /// One number for each task of the run.
    pub(crate) fn per_task(
        &self,
        key: &'static str,
        given: &PerTask,
        default: f64,
        allowed: impl Fn(f64) -> bool,
    ) -> Result<Vec<f64>, BalanceError> {
        let mut values = vec![default; self.tasks.len()];
        for (name, &value) in given {
            let task = self.task(key, name)?;
            if !(value.is_finite() && allowed(value)) {
                return Err(BalanceError::OutOfRange {
                    method: self.info.name,
                    key: format!("{key}.{name}"),
                    value,
                    range: self.range(key),
                });
            }
            values[task] = value;
        }
        Ok(values)
    }
}
