//! From text and overrides to a checked config, and from a wrong key back to its place.

use super::Config;
use super::error::{ConfigError, KeyError, Place, Problem, dotted};
use super::translate::translate;
use serde_path_to_error::Segment;
use std::ops::Range;
use std::path::Path;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// Reads, overrides, checks.
pub(super) fn read(text: &str, file: &str, overrides: &[String]) -> Result<Config, ConfigError> {
    let tree = DeTable::parse(text).map_err(|error| syntax(file, text, &error))?;
    let mut table: Table = toml::from_str(text).map_err(|error| syntax(file, text, &error))?;
    let source = Source { file, text, tree: tree.get_ref(), overrides: parse_overrides(overrides)? };
    for change in &source.overrides {
        change.apply(&mut table)?;
    }
    let parsed: Result<Config, _> = serde_path_to_error::deserialize(Value::Table(table));
    let mut config = parsed.map_err(|error| {
        let path = error.path().iter().filter_map(|segment| match segment {
            Segment::Map { key } => Some(key.clone()),
            _ => None,
        });
        source.locate(translate(path.collect(), error.inner().message()))
    })?;
    config.folder = Path::new(file).parent().map(Path::to_owned).unwrap_or_default();
    config.problem().map_err(|problem| source.locate(problem))?;
    Ok(config)
}

/// What the config was read from.
struct Source<'a> {
    file: &'a str,
    text: &'a str,
    tree: &'a DeTable<'a>,
    overrides: Vec<Override>,
}

impl Source<'_> {
    fn locate(&self, problem: Problem) -> ConfigError {
        let place = self.place(&problem);
        ConfigError::Key(Box::new(KeyError { problem, place }))
    }

    /// The override that set the key, else the line it stands on, else the line of the innermost section around it.
    fn place(&self, problem: &Problem) -> Place {
        let key = &problem.key;
        let (span, depth) = find(self.tree, key, problem.at_value);
        let set = |change: &&Override| {
            let around = change.key.starts_with(key) && depth < key.len();
            around || key.starts_with(&change.key)
        };
        if let Some(change) = self.overrides.iter().rev().find(set) {
            return Place::Override(change.text.clone());
        }
        match span {
            Some(span) => Place::of(self.file, self.text, span),
            None => Place::Nowhere { file: self.file.to_owned() },
        }
    }
}

/// The bytes of the key, or of its value, and how many of its parts were found.
fn find(tree: &DeTable<'_>, key: &[String], at_value: bool) -> (Option<Range<usize>>, usize) {
    let (mut table, mut span, mut depth) = (Some(tree), None, 0);
    for part in key {
        let Some((name, value)) = table.and_then(|t| t.get_key_value(part.as_str())) else { break };
        depth += 1;
        let pointed = at_value && depth == key.len() && !matches!(value.get_ref(), DeValue::Table(_));
        span = Some(if pointed { value.span() } else { name.span() });
        table = value.get_ref().as_table();
    }
    (span, depth)
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
struct Override {
    text: String,
    key: Vec<String>,
    value: Value,
}

fn parse_overrides(overrides: &[String]) -> Result<Vec<Override>, ConfigError> {
    overrides.iter().map(|text| Override::parse(text)).collect()
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

    /// Writes the value into the table, making the sections on the way.
    fn apply(&self, table: &mut Table) -> Result<(), ConfigError> {
        let Some((last, sections)) = self.key.split_last() else { return Ok(()) };
        let mut at = &mut *table;
        for (depth, section) in sections.iter().enumerate() {
            let value = at.entry(section.clone()).or_insert_with(|| Value::Table(Table::new()));
            at = match value {
                Value::Table(inner) => inner,
                other => {
                    let around = &self.key[..=depth];
                    let text = format!("`{}` is {other}, which has no keys", dotted(around));
                    let problem = Problem { key: around.to_vec(), message: text, hint: None, at_value: true };
                    let place = Place::Override(self.text.clone());
                    return Err(ConfigError::Key(Box::new(KeyError { problem, place })));
                }
            };
        }
        at.insert(last.clone(), self.value.clone());
        // The two say the same thing, so the one that comes last stands.
        let rival = match self.key.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["train", "epochs"] => "steps",
            ["train", "steps"] => "epochs",
            _ => return Ok(()),
        };
        at.remove(rival);
        Ok(())
    }
}

/// The parts of a dotted key.
fn parse_key(text: &str) -> Option<Vec<String>> {
    let mut table: Table = toml::from_str(&format!("{} = 0", text.trim())).ok()?;
    let mut key = Vec::new();
    loop {
        let (name, value) = std::mem::take(&mut table).into_iter().next()?;
        key.push(name);
        match value {
            Value::Table(inner) => table = inner,
            _ => return Some(key),
        }
    }
}

/// A TOML value, or a word where it is none.
fn parse_value(text: &str) -> Value {
    let parsed = toml::from_str::<Table>(&format!("value = {text}")).ok().filter(|table| table.len() == 1);
    parsed.and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::String(text.to_owned()))
}
