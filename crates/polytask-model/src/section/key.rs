//! Dotted keys.

use toml::{Table, Value};

/// The parts of a dotted key.
pub(crate) fn parse_key(text: &str) -> Option<Vec<String>> {
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
