//! A config as Python says it: a file, a text, or keys and values.

use crate::errors;
use polytask::config::{Config, ConfigError, Template};
use pyo3::prelude::*;
use std::path::PathBuf;

/// Where a config comes from.
pub enum Written {
    /// A TOML file.
    File(PathBuf),
    /// TOML.
    Text(String),
}

impl Written {
    /// A file, a text, or JSON of keys and values.
    pub fn of(file: Option<PathBuf>, text: Option<String>, json: Option<&str>) -> PyResult<Self> {
        match (file, text, json) {
            (Some(file), ..) => Ok(Written::File(file)),
            (None, Some(text), _) => Ok(Written::Text(text)),
            (None, None, json) => {
                // Read into TOML's own table, which keeps the order of keys: that of the tasks counts.
                let table: toml::Table = serde_json::from_str(json.unwrap_or("{}")).map_err(errors::of_json)?;
                Ok(Written::Text(toml::to_string(&table).map_err(errors::of_json)?))
            }
        }
    }

    /// With `KEY=VALUE` over it.
    pub fn template(&self, overrides: &[String]) -> Result<Template, ConfigError> {
        match self {
            Written::File(path) => Template::load(path, overrides),
            Written::Text(text) => Template::new(text, "", overrides),
        }
    }
}

/// Refuses what belongs to files alone, where the rows are in memory.
pub fn check_in_memory(config: &Config) -> PyResult<()> {
    use polytask::config::{Part, Split};
    let problem = if !config.data.others.is_empty() {
        Some("the config has several data sets, and the rows are in memory")
    } else if let Split::Parts { valid, test, .. } = &config.data.split
        && (matches!(valid, Part::File(_)) || matches!(test, Part::File(_)))
    {
        Some("`data.split` names a file, and the rows are in memory")
    } else {
        None
    };
    let hint = "give the rows by the config's `data.path`, or a split by shares or by a column".to_owned();
    problem.map_or(Ok(()), |problem| Err(errors::raise(errors::Kind::Config, problem, Some(hint))))
}
