//! Changes of a value in JSON, drawn at random.

use super::Noise;
use serde_json::{Map, Value, json};

/// Draws for changes.
pub struct Draw(pub Noise);

impl Draw {
    /// A number from 0 to below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.0.next() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// One of several.
    pub fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// All texts of a value.
pub fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(all) => all.iter().flat_map(strings).collect(),
        Value::Object(all) => all.values().flat_map(strings).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// The ways to all parts of a value but itself.
fn ways(value: &Value, at: &str, all: &mut Vec<String>) {
    let mut step = |key: &str, part: &Value| {
        let way = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        ways(part, &way, all);
        all.push(way);
    };
    match value {
        Value::Array(parts) => parts.iter().enumerate().for_each(|(i, part)| step(&i.to_string(), part)),
        Value::Object(parts) => parts.iter().for_each(|(key, part)| step(key, part)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Changes one part, drawn so that short ways, of which there are few, come up as well; says what it did.
pub fn change(value: &mut Value, words: &[String], draw: &mut Draw) -> String {
    let mut all = Vec::new();
    ways(value, "", &mut all);
    let depth = 1 + draw.below(9);
    let near: Vec<&String> = all.iter().filter(|way| way.matches('/').count() == depth).collect();
    let way = if near.is_empty() { draw.of(&all).clone() } else { (*draw.of(&near)).clone() };
    let part = value.pointer_mut(&way).unwrap();
    let new = changed(part, words, draw);
    let shown = |value: &Value| value.to_string().chars().take(60).collect::<String>();
    let said = format!("{way}: {} -> {}", shown(part), new.as_ref().map_or("nothing".to_owned(), shown));
    match new {
        Some(new) => *part = new,
        None => {
            let (above, key) = way.rsplit_once('/').unwrap();
            let key = key.replace("~1", "/").replace("~0", "~");
            match value.pointer_mut(above).unwrap() {
                Value::Object(parts) => drop(parts.remove(&key)),
                Value::Array(parts) => drop(parts.remove(key.parse().unwrap())),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
            }
        }
    }
    said
}

/// What a part becomes; nothing where it goes.
fn changed(part: &Value, words: &[String], draw: &mut Draw) -> Option<Value> {
    if draw.below(12) == 0 {
        return None;
    }
    let number = |draw: &mut Draw| {
        let all = [
            json!(0),
            json!(1),
            json!(2),
            json!(-1),
            json!(0.5),
            json!(255),
            json!(65_536),
            json!(1u64 << 31),
            json!(1u64 << 32),
            json!(1u64 << 53),
            json!(u64::MAX),
            json!(i64::MIN),
            json!(1e300),
            json!(-1e300),
            json!(1e-300),
        ];
        draw.of(&all).clone()
    };
    Some(match part {
        Value::Number(own) => match (own.as_i64(), draw.below(4)) {
            (Some(own), 0) => json!(own.saturating_add(1)),
            (Some(own), 1) => json!(own.saturating_sub(1)),
            (Some(_) | None, _) => number(draw),
        },
        Value::String(text) => match draw.below(4) {
            0 => json!(""),
            1 => json!(text.repeat(40)),
            _ => json!(draw.of(words)),
        },
        Value::Bool(own) => json!(!own),
        Value::Null => number(draw),
        Value::Array(parts) => {
            let mut parts = parts.clone();
            match draw.below(6) {
                0 => parts.clear(),
                1 => drop(parts.pop()),
                2 => parts.reverse(),
                3 => parts.extend(parts.last().cloned()),
                4 if parts.len() > 1 => {
                    let (a, b) = (draw.below(parts.len()), draw.below(parts.len()));
                    parts.swap(a, b);
                }
                _ => return Some(number(draw)),
            }
            Value::Array(parts)
        }
        Value::Object(parts) => {
            let mut keys: Vec<&String> = parts.keys().collect();
            keys.sort();
            match (draw.below(3), keys.is_empty()) {
                (0, false) => {
                    let gone = (*draw.of(&keys)).clone();
                    let left = parts.iter().filter(|(key, _)| **key != gone);
                    Value::Object(left.map(|(key, part)| (key.clone(), part.clone())).collect())
                }
                (1, false) => {
                    let (a, b) = ((*draw.of(&keys)).clone(), (*draw.of(&keys)).clone());
                    let mut parts = parts.clone();
                    let [x, y] = [&a, &b].map(|key| parts[key].clone());
                    parts.extend(Map::from_iter([(a, y), (b, x)]));
                    Value::Object(parts)
                }
                _ => number(draw),
            }
        }
    })
}
