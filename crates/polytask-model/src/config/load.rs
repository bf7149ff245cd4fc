//! From text and overrides to a checked config, and from a wrong key back to its place.

use super::translate::translate;
use super::{Config, Criterion, Family, Role, family};
use crate::section::key::parse_key;
use crate::section::{ConfigError, KeyError, Place, Problem, dotted};
use serde_path_to_error::Segment;
use std::ops::Range;
use std::path::Path;
use toml::de::{DeArray, DeTable, DeValue};
use toml::{Table, Value};

/// Reads, overrides, checks.
pub(super) fn read(text: &str, file: &str, overrides: &[String]) -> Result<Config, ConfigError> {
    Template::new(text, file, overrides)?.config()
}

/// A config as it was read, of which others are made by setting keys.
#[derive(Clone, Debug)]
pub struct Template {
    file: String,
    text: String,
    overrides: Vec<Override>,
    /// With the overrides.
    table: Table,
}

impl Template {
    /// Reads a config and applies overrides, as [`Config::load`] does.
    ///
    /// # Errors
    /// The file cannot be read, is no TOML, or an override is not `KEY=VALUE`.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::new(&text, &path.display().to_string(), overrides)
    }

    /// Takes a config from its text and applies overrides; `file` is for messages, and its folder is the one that paths are
    /// relative to.
    ///
    /// # Errors
    /// It is no TOML, or an override is not `KEY=VALUE`.
    pub fn new(text: &str, file: &str, overrides: &[String]) -> Result<Self, ConfigError> {
        let mut table: Table = toml::from_str(text).map_err(|error| syntax(file, text, &error))?;
        let overrides = overrides.iter().map(|text| Override::parse(text)).collect::<Result<Vec<_>, _>>()?;
        for change in &overrides {
            set(&mut table, &change.key, &change.value).map_err(|problem| {
                let place = Place::Override(change.text.clone());
                ConfigError::Key(Box::new(KeyError { problem, place }))
            })?;
        }
        Ok(Template { file: file.to_owned(), text: text.to_owned(), overrides, table })
    }

    /// The config of data alone, for looking at them: no task, and overrides of the keys of `[data]`.
    pub(super) fn of_data(path: &str, overrides: &[String]) -> Result<Config, ConfigError> {
        let text = format!("[data]\npath = {}\n[tasks]\n", toml::Value::String(path.to_owned()));
        let template = Self::new(&text, "the command", overrides)?;
        if let Some(other) = overrides.iter().find(|change| !change.trim_start().starts_with("data.")) {
            let problem = Problem::new(&["data"], "a table is read by the keys of `data` alone".to_owned())
                .hint("give this key to `polytask train`, or write it into a config".to_owned());
            return Err(ConfigError::Key(Box::new(KeyError { problem, place: Place::Override(other.clone()) })));
        }
        template.parse(template.table.clone()).map_err(|problem| template.locate(problem))
    }

    /// The config as it stands, checked.
    ///
    /// # Errors
    /// Whatever is wrong with it, and where.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let config = self.parse(self.table.clone()).map_err(|problem| self.locate(problem))?;
        config.problem().map_err(|problem| self.locate(problem))?;
        Ok(config)
    }

    /// The config without `[tune]` and with some keys set anew; neither whether values go together is checked nor where
    /// they stand said.
    pub fn with<'a>(&self, values: impl IntoIterator<Item = (&'a [String], &'a Value)>) -> Result<Config, Problem> {
        let mut table = self.table.clone();
        table.remove("tune");
        values.into_iter().try_for_each(|(key, value)| set(&mut table, key, value))?;
        self.parse(table)
    }

    fn parse(&self, table: Table) -> Result<Config, Problem> {
        let names_network = family::is_network(&self.table) || family::is_network(&table);
        let parsed: Result<Config, _> = serde_path_to_error::deserialize(Value::Table(table));
        let mut config = parsed.map_err(|error| {
            let path = error.path().iter().filter_map(|segment| match segment {
                Segment::Map { key } => Some(key.clone()),
                _ => None,
            });
            translate(path.collect(), error.inner().message())
        })?;
        if names_network {
            config.model.family = Family::Network;
        }
        config.folder = Path::new(&self.file).parent().map(Path::to_owned).unwrap_or_default();
        // By all tasks means: by all that count.
        let primary: Vec<&String> = config.tasks.iter().filter(|t| t.1.role == Role::Primary).map(|t| t.0).collect();
        if config.train.criterion == Criterion::Mean && primary.len() < config.tasks.len() && !primary.is_empty() {
            config.train.criterion = Criterion::Weights(primary.into_iter().map(|name| (name.clone(), 1.0)).collect());
        }
        Ok(config)
    }

    /// The error of a problem, with its place.
    pub fn locate(&self, problem: Problem) -> ConfigError {
        let place = self.place(&problem);
        ConfigError::Key(Box::new(KeyError { problem, place }))
    }

    /// The override that set the key, else the line it stands on, else the line of the innermost section around it.
    fn place(&self, problem: &Problem) -> Place {
        let key = &problem.key;
        let tree = DeTable::parse(&self.text);
        let (span, depth) = tree.as_ref().map_or((None, 0), |tree| find(tree.get_ref(), key, problem.at_value));
        let set = |change: &&Override| {
            let around = change.key.starts_with(key) && depth < key.len();
            around || key.starts_with(&change.key)
        };
        if let Some(change) = self.overrides.iter().rev().find(set) {
            return Place::Override(change.text.clone());
        }
        match span {
            Some(span) => Place::of(&self.file, &self.text, span),
            None => Place::Nowhere { file: self.file.clone() },
        }
    }
}

/// The line of a written config that says a key, or the section around it; from 0.
pub fn line_of(text: &str, key: &[String]) -> Option<usize> {
    let tree = DeTable::parse(text).ok()?;
    let (span, _) = find(tree.get_ref(), key, false);
    Some(text[..span?.start].matches('\n').count())
}

/// The bytes of the key, or of its value, and how many of its parts were found. A part of an array is its place there.
fn find(tree: &DeTable<'_>, key: &[String], at_value: bool) -> (Option<Range<usize>>, usize) {
    let (mut inside, mut span, mut depth) = (Some(Inside::Table(tree)), None, 0);
    for part in key {
        let (name, value) = match inside {
            Some(Inside::Table(table)) => match table.get_key_value(part.as_str()) {
                Some((name, value)) => (name.span(), value),
                None => break,
            },
            Some(Inside::Array(array)) => match part.parse().ok().and_then(|at: usize| array.get(at)) {
                Some(value) => (value.span(), value),
                None => break,
            },
            None => break,
        };
        depth += 1;
        let pointed = at_value && depth == key.len() && !matches!(value.get_ref(), DeValue::Table(_));
        span = Some(if pointed { value.span() } else { name });
        inside = match value.get_ref() {
            DeValue::Table(table) => Some(Inside::Table(table)),
            DeValue::Array(array) => Some(Inside::Array(array)),
            _ => None,
        };
    }
    (span, depth)
}

/// What has parts.
enum Inside<'a> {
    Table(&'a DeTable<'a>),
    Array(&'a DeArray<'a>),
}

fn syntax(file: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let problem = Problem::new(&[], format!("this is not TOML: {}", error.message()));
    let place = match error.span() {
        Some(span) => Place::of(file, text, span),
        None => Place::Nowhere { file: file.to_owned() },
    };
    ConfigError::Key(Box::new(KeyError { problem, place }))
}

/// `KEY=VALUE` of a command line.
#[derive(Clone, Debug)]
struct Override {
    text: String,
    key: Vec<String>,
    value: Value,
}

impl Override {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        // A quoted key may hold the sign itself, so the first place where the left side is a key counts.
        let halves = text.match_indices('=').map(|(at, _)| (&text[..at], &text[at + 1..]));
        let found = halves.into_iter().find_map(|(key, value)| parse_key(key).map(|key| (key, value)));
        let Some((key, value)) = found else {
            let problem = Problem::new(&[], "an override is KEY=VALUE").hint("for example train.epochs=50".to_owned());
            let place = Place::Override(text.to_owned());
            return Err(ConfigError::Key(Box::new(KeyError { problem, place })));
        };
        Ok(Override { text: text.to_owned(), key, value: parse_value(value) })
    }
}

/// Writes a value into a table, making the sections on the way.
fn set(table: &mut Table, key: &[String], value: &Value) -> Result<(), Problem> {
    let Some((last, sections)) = key.split_last() else { return Ok(()) };
    let mut at = &mut *table;
    for (depth, section) in sections.iter().enumerate() {
        let inner = at.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
        at = match inner {
            Value::Table(inner) => inner,
            other => {
                let around = &key[..=depth];
                let message = format!("`{}` is {other}, which has no keys", dotted(around));
                return Err(Problem { key: around.to_vec(), message, hint: None, at_value: true });
            }
        };
    }
    at.insert(last.clone(), value.clone());
    // The two say the same thing, so the one that comes last stands.
    let rival = match key.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["train", "epochs"] => "steps",
        ["train", "steps"] => "epochs",
        _ => return Ok(()),
    };
    at.remove(rival);
    Ok(())
}

/// A TOML value, or a word where it is none.
fn parse_value(text: &str) -> Value {
    let parsed = toml::from_str::<Table>(&format!("value = {text}")).ok().filter(|table| table.len() == 1);
    parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}
