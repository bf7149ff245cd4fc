//! Checks that several architectures put on their keys.

use super::ModelConfig;
use crate::nearest::suggest;
use crate::section::Problem;
use indexmap::IndexMap;

/// A graph of tasks: the weights of pairs.
pub(super) type Pairs = IndexMap<String, IndexMap<String, f64>>;

/// `model.sharing.KEY`, and further parts.
fn path<'a>(key: &[&'a str]) -> Vec<&'a str> {
    ["model", "sharing"].iter().chain(key).copied().collect()
}

/// Something is wrong with a key.
pub(super) fn wrong(key: &[&str], message: impl Into<String>) -> Problem {
    Problem::new(&path(key), message).at_value()
}

/// A value that must be 0 or above.
pub(super) fn at_least_0(key: &str, value: f64) -> Result<(), Problem> {
    match value.is_finite() && value >= 0.0 {
        true => Ok(()),
        false => Err(Problem::value(&path(&[key]), value, "it must be 0 or above")),
    }
}

/// A value that must be above 0.
pub(super) fn above_0(key: &str, value: f64) -> Result<(), Problem> {
    match value.is_finite() && value > 0.0 {
        true => Ok(()),
        false => Err(Problem::value(&path(&[key]), value, "it must be above 0")),
    }
}

/// A share, from 0 to 1.
pub(super) fn share(key: &str, value: f64) -> Result<(), Problem> {
    match (0.0..=1.0).contains(&value) {
        true => Ok(()),
        false => Err(Problem::value(&path(&[key]), value, "it must be from 0 to 1")),
    }
}

/// A width that must be from 1 to 65536, as those of the trunk.
pub(super) fn width(key: &str, value: usize) -> Result<(), Problem> {
    crate::section::check_widths(&path(&[key]), &[value])
}

/// A task must be one of the config's.
pub(super) fn known(key: &[&str], name: &str, tasks: &[&str]) -> Result<(), Problem> {
    match tasks.contains(&name) {
        true => Ok(()),
        false => {
            let key = path(key);
            let message =
                format!("`{}` names the task \"{name}\", which is not there", key[..key.len().min(3)].join("."));
            Err(Problem::new(&key, message).at_value().hint(suggest(name, tasks)))
        }
    }
}

/// Pairs of tasks, each once, with a weight of 0 or above.
pub(super) fn pairs(key: &str, pairs: &Pairs, tasks: &[&str]) -> Result<(), Problem> {
    for (a, others) in pairs {
        known(&[key, a], a, tasks)?;
        for (b, weight) in others {
            known(&[key, a, b], b, tasks)?;
            if a == b || pairs.get(b).is_some_and(|back| back.contains_key(a)) {
                let what = if a == b { "ties a task to itself" } else { "has a pair twice" };
                let message = format!("`model.sharing.{key}` {what}: \"{a}\" and \"{b}\"");
                return Err(wrong(&[key, a, b], message));
            }
            if !(weight.is_finite() && *weight >= 0.0) {
                let message = format!("the weight of \"{a}\" and \"{b}\" is {weight}; it must be 0 or above");
                return Err(wrong(&[key, a, b], message));
            }
        }
    }
    Ok(())
}

/// There must be layers to share.
pub(super) fn has_layers(model: &ModelConfig, method: &str) -> Result<(), Problem> {
    match model.trunk.is_empty() {
        false => Ok(()),
        true => {
            let message = format!("`model.trunk` has no layer, and \"{method}\" works on the layers of a trunk");
            Err(Problem::new(&["model", "trunk"], message).at_value())
        }
    }
}

/// Every task with the tasks that come before it; by default each task follows those before it in the config.
///
/// Gives an order in which every task comes after those it follows.
pub(super) fn order(after: &IndexMap<String, Vec<String>>, tasks: &[&str]) -> Result<Vec<usize>, Problem> {
    for (task, sources) in after {
        known(&["after", task], task, tasks)?;
        for source in sources {
            known(&["after", task], source, tasks)?;
        }
    }
    let follows = |t: usize| after.get(tasks[t]).into_iter().flatten();
    let mut order: Vec<usize> = Vec::with_capacity(tasks.len());
    while order.len() < tasks.len() {
        let ready = |&t: &usize| {
            !order.contains(&t) && follows(t).all(|source| order.iter().any(|&done| tasks[done] == source))
        };
        match (0..tasks.len()).find(ready) {
            Some(next) => order.push(next),
            None => return Err(cycle(after, tasks, &order)),
        }
    }
    Ok(order)
}

/// The circle that tasks without a beginning go in.
fn cycle(after: &IndexMap<String, Vec<String>>, tasks: &[&str], done: &[usize]) -> Problem {
    let open = |name: &str| tasks.iter().position(|t| *t == name).is_some_and(|t| !done.contains(&t));
    let mut way: Vec<&str> = tasks.iter().copied().filter(|t| open(t)).take(1).collect();
    while let Some(&last) = way.last() {
        let Some(next) = after.get(last).into_iter().flatten().find(|source| open(source)) else { break };
        if let Some(start) = way.iter().position(|t| t == next) {
            way.drain(..start);
            way.push(next);
            break;
        }
        way.push(next);
    }
    let shown: Vec<String> = way.iter().map(|t| format!("\"{t}\"")).collect();
    let message = format!("`model.sharing.after` goes in a circle: {}", shown.join(" after "));
    wrong(&["after", way.first().copied().unwrap_or_default()], message)
}
