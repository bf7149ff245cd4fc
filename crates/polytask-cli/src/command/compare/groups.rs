//! The file of `--groups`.

use crate::failure::GroupsError;
use polytask::files;
use serde::Deserialize;
use std::path::Path;

/// What is read of a selection; whatever else stands there is passed over.
#[derive(Deserialize)]
struct Selection {
    groups: Vec<Vec<String>>,
}

/// The groups of a file as places among the tasks. A task may be in none, or in several.
///
/// # Errors
/// No such file, no groups in it, a name that no task has.
pub fn read(path: &Path, tasks: &[&str]) -> Result<Vec<Vec<usize>>, GroupsError> {
    let wrong = |reason: String| GroupsError::Wrong { path: path.to_owned(), reason };
    let text = files::read_text(path)?;
    let selection: Selection = serde_json::from_str(&text).map_err(|e| wrong(format!("no groups of tasks: {e}")))?;
    if selection.groups.iter().all(Vec::is_empty) {
        return Err(wrong("there is no group of tasks in it".to_owned()));
    }
    let place = |name: &String| {
        let place = tasks.iter().position(|task| task == name);
        place.ok_or_else(|| wrong(format!("the config has no task \"{name}\"; it has {}", tasks.join(", "))))
    };
    let groups = selection.groups.iter().filter(|group| !group.is_empty());
    groups.map(|group| group.iter().map(place).collect()).collect()
}
